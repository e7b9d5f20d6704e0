import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Graphs } from '../support/graph-system.js';
import { type SystemUnderTest, startSystemUnderTest } from '../support/system.js';
import { waitFor } from '../support/wait-for.js';

/** Workflow files on the whole system: dropped into the folder, run, changed, broken, and kept over a restart. */

let system: SystemUnderTest;
let graphs: Graphs;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pixyz-workflows-'));
  system = await startSystemUnderTest({
    env: { WORKFLOWS_PATH: folder },
    worker: { CONCURRENT_TASKS: '2' },
  });
  graphs = new Graphs(system);
});
afterAll(async () => {
  await system?.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Listed {
  readonly name: string;
  readonly version: string | null;
  readonly usable: boolean;
  readonly doc: string | null;
  readonly input: unknown;
  readonly problems: { readonly file: string; readonly line: number | null; readonly message: string }[];
}

function drop(name: string, text: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), text);
}

async function listed(name: string, test: (one: Listed) => boolean): Promise<Listed> {
  return waitFor(
    async () => {
      const { workflows } = (await graphs.get('/workflows')) as { workflows: Listed[] };
      const found = workflows.find((one) => one.name === name);
      if (found !== undefined && test(found)) return found;
      throw new Error(`the list is ${JSON.stringify(workflows)}`);
    },
    // Bundling takes a core for a second or two, which others may want, too.
    { timeoutMs: 90_000, intervalMs: 100 },
  );
}

async function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return graphs.call(path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  });
}

async function start(name: string, body: unknown = {}): Promise<string> {
  const answer = await post(`/workflows/${name}`, body);
  if (!answer.ok) throw new Error(`POST /workflows/${name} answered ${answer.status}: ${await answer.text()}`);
  return ((await answer.json()) as { id: string }).id;
}

const adds = 'def main(pc, params):\n    return {"sum": params["a"] + params["b"]}\n';

describe('a workflow file', () => {
  it('is listed with its documentation and its input, and runs: its tasks are nodes of a graph', async () => {
    drop('add.py', adds);
    drop(
      'sums.ts',
      `import { z } from 'zod';
       import { task } from 'pixyz-temporal-scheduler/workflow';
       export const input = z.object({ first: z.number(), second: z.number().default(2) });
       /** Adds numbers, and adds to the sum. */
       export default async function sums({ first, second }: z.infer<typeof input>) {
         const one = task<{ sum: number }>({ script: 'add.py', params: { a: first, b: second } });
         const two = task<{ sum: number }>({ id: 'again', script: 'add.py', params: { a: one.value('sum'), b: 10 } });
         return { total: (await two).sum, of: (await one).sum };
       }`,
    );
    expect(await listed('sums', ({ usable }) => usable)).toMatchObject({
      doc: 'Adds numbers, and adds to the sum.',
      input: { properties: { first: { type: 'number' } } },
      problems: [],
    });

    const id = await start('sums', { input: { first: 1 }, name: 'a sum', labels: { show: 'alpha' } });
    const state = await graphs.ended(id);
    expect(state, JSON.stringify(state)).toMatchObject({
      state: 'succeeded',
      front: 'workflow',
      name: 'a sum',
      labels: { show: 'alpha' },
      message: null,
      workflow: { name: 'sums', version: expect.any(String), result: { total: 13, of: 3 } },
    });
    expect(await graphs.states(id)).toEqual({ add: 'succeeded', again: 'succeeded' });
    expect(await graphs.result(id, 'again')).toEqual({ sum: 13 });
    const { job } = await graphs.get(`/graphs/${id}/nodes/again`);
    // Lists are a moment behind.
    await waitFor(async () => {
      const { jobs } = await graphs.get('/jobs?name=a+sum');
      expect(jobs.map(({ uuid }: { uuid: string }) => uuid)).toContain(job);
    });
  });

  it('refuses an input that does not fit, a name that is not there, and a field that is unknown', async () => {
    const wrong = await post('/workflows/sums', { input: { first: 'one' } });
    expect([wrong.status, await wrong.json()]).toEqual([
      400,
      expect.objectContaining({ code: 'BAD_REQUEST', field: 'input.first', retryable: false }),
    ]);
    const unknown = await post('/workflows/nowhere', {});
    expect([unknown.status, await unknown.json()]).toEqual([404, expect.objectContaining({ code: 'NOT_FOUND' })]);
    const extra = await post('/workflows/sums', { inputs: {} });
    expect([extra.status, await extra.json()]).toEqual([400, expect.objectContaining({ field: 'inputs' })]);
    const nameless = await graphs.call('/workflows', { headers: { 'x-api-key': 'wrong' } });
    expect(nameless.status).toBe(401);
  });

  it('is started once for an idempotency key', async () => {
    const key = { 'idempotency-key': 'the same' };
    const first = await (await post('/workflows/sums', { input: { first: 5 } }, key)).json();
    expect(await (await post('/workflows/sums', { input: { first: 5 } }, key)).json()).toEqual(first);
    expect((await post('/workflows/sums', { input: { first: 6 } }, key)).status).toBe(409);
    await graphs.ended((first as { id: string }).id);
  });

  it('fails its run when a task fails that it does not catch, and says which; and goes on when it does', async () => {
    drop('breaks.py', 'def main(pc, params):\n    raise ValueError("no such part")\n');
    drop(
      'careful.ts',
      `import { isTaskFailure, task } from 'pixyz-temporal-scheduler/workflow';
       export default async function careful({ careful }: { careful: boolean }) {
         const broken = task({ script: 'breaks.py' });
         const after = task({ process: 'api_test', after: broken });
         if (!careful) return after;
         try { await broken; } catch (error) { return isTaskFailure(error); }
       }`,
    );
    await listed('careful', ({ usable }) => usable);
    const failed = await graphs.ended(await start('careful', { input: { careful: false } }));
    expect(failed).toMatchObject({ state: 'failed', counts: { failed: 1, skipped: 1 } });
    expect(failed.message).toContain('api_test: not run, because breaks did not succeed: ValueError: no such part');
    const caught = await graphs.ended(await start('careful', { input: { careful: true } }));
    expect(caught).toMatchObject({ state: 'succeeded', counts: { failed: 1, skipped: 1 } });
    expect(caught.workflow.result).toMatchObject({ task: 'breaks', state: 'failed' });
  });

  it('fails its run when its code is wrong, or a task is', async () => {
    drop('typo.ts', `export default async function typo(input: { a?: { b: string } }) { return input.a!.b; }`);
    drop(
      'no-process.ts',
      `import { task } from 'pixyz-temporal-scheduler/workflow';
       export default async function noProcess() { await task({ process: 'convert_fil' }); }`,
    );
    await listed('typo', ({ usable }) => usable);
    await listed('no-process', ({ usable }) => usable);
    const typo = await graphs.ended(await start('typo'));
    expect(typo).toMatchObject({ state: 'failed', message: expect.stringContaining('Cannot read properties') });
    const unknown = await graphs.ended(await start('no-process'));
    expect(unknown.message).toContain('there is no process "convert_fil"');
  });

  it('that cannot be used is told of with its places, and the others work', async () => {
    drop(
      'reads-files.ts',
      `import { task } from 'pixyz-temporal-scheduler/workflow';
import { readFileSync } from 'node:fs';
export default async function readsFiles() { return task({ params: readFileSync('x') }); }
`,
    );
    drop('half.ts', `export default async function half( {\n  return 1;\n}\n`);
    const broken = await listed('reads-files', ({ problems }) => problems.length > 0);
    expect(broken).toMatchObject({ usable: false, version: null });
    expect(broken.problems).toEqual([
      expect.objectContaining({ file: 'reads-files.ts', line: 2, message: expect.stringContaining('node:fs') }),
    ]);
    const half = await listed('half', ({ problems }) => problems.length > 0);
    expect(half.problems[0]).toMatchObject({ file: 'half.ts', line: 2, message: expect.stringContaining('compile') });
    const refused = await post('/workflows/half', {});
    expect([refused.status, await refused.json()]).toEqual([
      409,
      expect.objectContaining({ message: expect.stringContaining('half.ts:2:') }),
    ]);
    expect(await graphs.ended(await start('sums', { input: { first: 1 } }))).toMatchObject({ state: 'succeeded' });
    expect(system.apiPart.log()).toContain('reads-files.ts:2:');
  });
});

const waits = (word: string): string =>
  `import { condition, defineSignal, setHandler, task } from 'pixyz-temporal-scheduler/workflow';
   export default async function waiting() {
     let goOn = false;
     setHandler(defineSignal('go-on'), () => { goOn = true; });
     await task({ id: 'before', process: 'api_test' });
     await condition(() => goOn);
     await task({ id: '${word}', process: 'api_test' });
     return '${word}';
   }`;

describe('a run', () => {
  const before = async (id: string): Promise<unknown> => graphs.waitForStates(id, { before: 'succeeded' });

  it('keeps the code that it began with when the file changes, and over a restart of the whole system', async () => {
    drop('waiting.ts', waits('old'));
    const { version } = await listed('waiting', ({ usable }) => usable);
    const old = await start('waiting');
    await before(old);

    drop('waiting.ts', waits('new'));
    await listed('waiting', (one) => one.version !== version);
    const young = await start('waiting');
    await before(young);

    system.apiPart.kill('SIGKILL');
    await system.apiPart.exited;
    await system.startApi();
    for (const id of [old, young]) expect((await post(`/graphs/${id}/signals/go-on`, {})).status).toBe(200);
    expect((await graphs.ended(old)).workflow).toMatchObject({ version, result: 'old' });
    expect((await graphs.ended(young)).workflow).toMatchObject({ result: 'new' });
    expect((await post(`/graphs/${old}/signals/go-on`, {})).status).toBe(409);
  });

  it('can be cancelled, also while it waits, and starts nothing more', async () => {
    const id = await start('waiting');
    await before(id);
    expect((await graphs.call(`/graphs/${id}/cancel?wait=30`, { method: 'POST' })).status).toBe(200);
    expect(await graphs.ended(id)).toMatchObject({ state: 'revoked', counts: { total: 1, succeeded: 1 } });
    expect((await graphs.call(`/graphs/${id}/retry`, { method: 'POST' })).status).toBe(409);
  });

  it('can be paused, and one of its tasks cancelled', async () => {
    drop(
      'two.ts',
      `import { task } from 'pixyz-temporal-scheduler/workflow';
       export default async function two() {
         const long = task({ id: 'long', process: 'sleep', params: { duration: 600 } });
         const end = await long.settled();
         await task({ id: 'last', process: 'api_test' });
         return end.state;
       }`,
    );
    await listed('two', ({ usable }) => usable);
    const id = await start('two');
    await graphs.waitForStates(id, { long: 'running' });
    await graphs.post(`/graphs/${id}/pause`);
    await graphs.post(`/graphs/${id}/nodes/cancel`, { ids: ['long'] });
    await graphs.waitForStates(id, { long: 'revoked', last: 'waiting' });
    await graphs.post(`/graphs/${id}/resume`);
    expect((await graphs.ended(id)).workflow).toMatchObject({ result: 'revoked' });
  });

  it('starts by the clock, with the newest version', async () => {
    const made = await post('/workflows/sums/schedules', {
      id: 'often',
      every: 1,
      input: { first: 4 },
      name: 'by itself',
    });
    expect(made.status).toBe(200);
    expect((await post('/workflows/sums/schedules', { id: 'often', every: 1, input: { first: 4 } })).status).toBe(409);
    const run = await waitFor(
      async () => {
        const { graphs: found } = await graphs.get('/graphs?front=workflow&name=by+itself&state=succeeded');
        if (found.length === 0) throw new Error('no scheduled run has ended');
        return found[0];
      },
      { timeoutMs: 60_000, intervalMs: 200 },
    );
    expect(run.workflow).toMatchObject({ name: 'sums', result: { total: 16 } });
    const { schedules } = await graphs.get('/workflows/sums/schedules');
    expect(schedules).toEqual([expect.objectContaining({ id: 'often', every: 1, cron: null, paused: false })]);
    expect((await graphs.call('/workflows/sums/schedules/often', { method: 'DELETE' })).status).toBe(200);
    expect((await graphs.call('/workflows/sums/schedules/often', { method: 'DELETE' })).status).toBe(404);
  });

  describe('whose code does not end', () => {
    let loops: string;
    let deafLoop: string;

    beforeAll(async () => {
      const loop = (name: string): string =>
        `import { task } from 'pixyz-temporal-scheduler/workflow';
         async function compute() {
           for (let at = 0; ; at++) await at;
         }
         export default async function ${name}() {
           void task({ id: 'long', process: 'sleep', params: { duration: 600 } });
           await task({ id: 'first', process: 'api_test' });
           try { await task({ id: 'second', process: 'sleep', params: { duration: ${name === 'loops' ? '0.1' : '600'} } }); } catch {}
           await compute();
         }`;
      drop('loops.ts', loop('loops'));
      drop('deafLoop.ts', loop('deafLoop'));
      drop(
        'deaf.ts',
        `import { task } from 'pixyz-temporal-scheduler/workflow';
         import { CancellationScope, sleep } from '@temporalio/workflow';
         export default async function deaf() {
           void task({ id: 'long', process: 'sleep', params: { duration: 600 } });
           await CancellationScope.nonCancellable(() => sleep('1 hour'));
         }`,
      );
      drop('ends.ts', "export default async function ends() { return 'at once'; }");
      await Promise.all(['loops', 'deafLoop', 'deaf', 'ends'].map((name) => listed(name, ({ usable }) => usable)));
      await system.startWorker({ CONCURRENT_TASKS: '4', QUEUE_NAME: 'cpu' });
      loops = await start('loops');
      await graphs.waitForStates(loops, { second: 'succeeded' });
      deafLoop = await start('deafLoop');
      await graphs.waitForStates(deafLoop, { second: 'running' });
      await graphs.post(`/graphs/${deafLoop}/cancel`);
    }, 120_000);

    it('stops nothing else while it computes', async () => {
      expect((await graphs.ended(await start('ends'))).workflow).toMatchObject({ result: 'at once' });
    });

    it('ends ten seconds after its tasks when it does not heed that it was cancelled', async () => {
      const deaf = await start('deaf');
      await graphs.waitForStates(deaf, { long: 'running' });
      await graphs.post(`/graphs/${deaf}/cancel`);
      expect(await graphs.ended(deaf)).toMatchObject({
        state: 'revoked',
        counts: { revoked: 1 },
        message: 'cancelled',
      });
      await isListedAs(deaf, 'revoked');
    });

    it('is revoked when it computes for ever after it was cancelled', async () => {
      expect(await graphs.ended(deafLoop, 180_000)).toMatchObject({ state: 'revoked', counts: { succeeded: 1 } });
      await isListedAs(deafLoop, 'revoked');
    });

    it('fails when it was cut off three times, says where its code is, and leaves nothing open', async () => {
      const state = await graphs.ended(loops, 300_000);
      expect(state).toMatchObject({ state: 'failed', counts: { succeeded: 2, revoked: 1 } });
      expect(state.message).toMatch(
        /^its code \(loops\.ts:[23], in compute\) computed without a pause .* move the work to a task/,
      );
      await isListedAs(loops, 'failed');
      const { job } = await graphs.get(`/graphs/${loops}/nodes/long`);
      expect(await graphs.get(`/jobs/${job}`)).toMatchObject({ status: 'REVOKED' });
      // Its script is stopped, too.
      await waitFor(async () => {
        const { workers } = await graphs.get('/workers');
        expect(workers.flatMap(({ running }: { running: unknown[] }) => running)).toEqual([]);
      });
    });

    async function isListedAs(id: string, state: string): Promise<void> {
      await waitFor(async () => {
        const { graphs: found } = await graphs.get(`/graphs?state=${state}`);
        expect(found.map((one: { id: string }) => one.id)).toContain(id);
      });
    }
  });
});
