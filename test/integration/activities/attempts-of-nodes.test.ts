import { mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createGraphActivities } from '../../../src/activities/graph-activities.js';
import { createScriptActivities, type ScriptActivities } from '../../../src/activities/index.js';
import { projectRoot } from '../../../src/config/project-root.js';
import type { AttemptInput, BatchResult, GraphSignals } from '../../../src/contract/graph.js';
import type { Command } from '../../../src/contract/graph-document.js';
import { firstItemNumber, jobIdOf } from '../../../src/contract/ids.js';
import type { JobRecord } from '../../../src/contract/job.js';
import { newGraphId } from '../../../src/contract/new-graph-id.js';
import type { Runner } from '../../../src/contract/runner.js';
import { type GraphShare, openGraphs } from '../../../src/store/graph-share.js';
import { JobStore } from '../../../src/store/job-store.js';
import { claim } from '../../../src/store/ownership.js';
import { RunningAttempts } from '../../../src/worker/running-attempts.js';
import { graphHeader, nodeSpec } from '../../support/graph-documents.js';
import { retryPolicy } from '../../support/graphs.js';
import { waitFor } from '../../support/wait-for.js';
import { startRunner } from '../runner/support.js';

// Attempts of nodes on a real share with real Python children; Temporal's part is played by its own test environment.

const fixtures = join(projectRoot, 'test', 'fixtures', 'scripts');
const script = (name: string) => ({ path: join(fixtures, `${name}.py`) });

let runner: Runner;
beforeAll(async () => {
  runner = await startRunner({ warm: 2, resultInlineBytes: 1000 });
});
afterAll(() => runner.stop());

let root: string;
let store: JobStore;
let graphs: GraphShare;
let graphId: string;
let started: number;
let scripts: ScriptActivities;
let environment: MockActivityEnvironment;
let handedBack: GraphSignals['handBack'][0][];
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pixyz-attempts-'));
  store = new JobStore(root);
  await store.open();
  graphs = openGraphs(store);
  graphId = newGraphId();
  started = 0;
  handedBack = [];
  environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR', () => undefined) });
  scripts = createScriptActivities({
    running: new RunningAttempts(),
    store,
    runner: {
      ...runner,
      start: () => runner.start(),
      stats: () => runner.stats(),
      stop: () => runner.stop(),
      run: (task, hooks) => {
        started += 1;
        return runner.run(task, hooks);
      },
    },
    // The slots of a worker are another test's.
    slots: { acquire: async () => ({ resume: () => undefined, release: () => undefined }) } as never,
    canvases: null as never,
    continueAsGraph: () => Promise.reject(new Error('no interpreter here')),
    handBack: async (_, report) => {
      handedBack.push(report);
    },
    processPath: join(projectRoot, 'processes'),
    commandScript: join(projectRoot, 'python', 'pixyz_worker', '_command.py'),
    engineVersion: 'test',
    worker: 'here',
    memoryLimit: () => null,
    logger: pino({ enabled: false }),
    onAttempt: () => undefined,
  });
});
afterEach(() => rm(root, { recursive: true, force: true }));

const create = (...nodes: Parameters<typeof nodeSpec>[]) =>
  graphs.documents.create(
    graphHeader({ graphId }),
    nodes.map((node) => nodeSpec(...node)),
  );

function attempt(index: number, change: Partial<AttemptInput> = {}): AttemptInput {
  return {
    jobId: jobIdOf(graphId, index),
    attempt: 1,
    queue: 'cpu',
    timeLimit: 60,
    retry: retryPolicy,
    retriesUsed: 0,
    lossesUsed: 0,
    graph: true,
    ...change,
  };
}

const run = (index: number, change: Partial<AttemptInput> = {}) =>
  environment.run(() => scripts.runScript(attempt(index, change)));
const recordOf = async (index: number) => (await store.readRecord(jobIdOf(graphId, index))) as JobRecord;
const pathsOf = (index: number) => store.paths(jobIdOf(graphId, index));

function command(program: string, args: string[] = [], change: Partial<Command> = {}) {
  const asked: Command = {
    program,
    args,
    shell: false,
    env: {},
    cwd: null,
    okExitCodes: [0],
    expectedOutputs: [],
    ...change,
  };
  return { kind: 'command', script: null, process: 'command', command: asked } as const;
}

describe('an attempt of a node', () => {
  it('makes the job’s folder from the document, and keeps the result on the share', async () => {
    await create([1, { script: script('returns-params'), params: { kind: 'text', text: '{"x": 1}' }, name: 'one' }]);
    expect(await run(1)).toMatchObject({ result: null, resultFile: null });
    expect(await recordOf(1)).toMatchObject({ status: 'SUCCESS', result: { x: 1 }, name: 'one', graphId });
    expect((await store.readSpec(jobIdOf(graphId, 1)))?.paramsText).toBe('{"x": 1}');
    expect(await readdir(join(root, '.incoming'))).toEqual([]);
  });

  it('makes one folder when two of them race, and only the later one counts', async () => {
    await create([1, { script: script('returns-params') }]);
    const both = await Promise.allSettled([run(1), run(1, { attempt: 2 })]);
    expect(both.map(({ status }) => status)).toContain('fulfilled');
    expect(await recordOf(1)).toMatchObject({ status: 'SUCCESS' });
    expect((await readdir(root)).filter((name) => !name.startsWith('.')).sort()).toEqual(
      [graphId, jobIdOf(graphId, 1)].sort(),
    );
  });

  it('is not repeated when it was done and its worker died before it could say so', async () => {
    await create([1, { script: script('returns-params') }]);
    await run(1);
    await run(1, { attempt: 2 });
    expect(started).toBe(1);
    expect((await recordOf(1)).attempts.length).toBe(1);
  });

  it('gets values and templates from other nodes, and their outputs as input', async () => {
    await create(
      [1, { ...command('sh', ['-c', 'echo hello > out.txt']) }],
      [
        2,
        { script: script('returns-params'), params: { kind: 'text', text: '{"n": 12345678901234567890, "f": 1.0}' } },
      ],
      [3, { script: script('returns-params'), params: { kind: 'values', of: [2, 1] }, deps: [1, 2] }],
      [
        4,
        {
          script: script('tells-context'),
          params: { kind: 'template', text: '{"code": "${{ nodes.n1.result.exit_code }}"}' },
          data: { node: 1, output: 'out.txt' },
          deps: [1, 2],
        },
      ],
    );
    await run(1);
    await run(2);
    await run(3);
    const spec3 = await store.readSpec(jobIdOf(graphId, 3));
    expect(spec3?.paramsText).toBe('[{"n":12345678901234567890,"f":1.0},{"exit_code":0,"outputs":["out.txt"]}]');
    await run(4);
    const spec4 = await store.readSpec(jobIdOf(graphId, 4));
    expect(spec4?.paramsText).toBe('{"code":0}');
    expect(spec4?.data).toEqual({ share: `${jobIdOf(graphId, 1)}/outputs/out.txt` });
    expect((await recordOf(4)).status).toBe('SUCCESS');
  });

  it('fails with a reason where a value or an output is not there, and says so in the record', async () => {
    await create(
      [1, { script: script('returns-params') }],
      [
        2,
        {
          script: script('returns-params'),
          params: { kind: 'template', text: '{"x": "${{ nodes.n1.result.y }}"}' },
          deps: [1],
        },
      ],
      [3, { script: script('returns-params'), data: { node: 1, output: 'a.glb' }, deps: [1] }],
      [4, { script: script('returns-params'), data: { node: 1, output: '../job.json' }, deps: [1] }],
    );
    await run(1);
    await expect(run(2)).rejects.toMatchObject({ type: 'SCRIPT_INVALID' });
    expect((await recordOf(2)).error).toMatchObject({
      kind: 'invalid',
      message: expect.stringMatching(/^\/x: No such key: y/),
    });
    await expect(run(3)).rejects.toThrow(/node "n1" has no output "a.glb": it has none/);
    await expect(run(4)).rejects.toThrow(/has no output "..\/job.json"/);
    expect(await recordOf(4)).toMatchObject({ status: 'FAILURE' });
    expect(started, 'nothing was run').toBe(1);
  });

  it('does not follow a link out of another node’s outputs', async () => {
    await create(
      [1, { script: script('returns-params') }],
      [2, { script: script('returns-params'), data: { node: 1, output: 'a' }, deps: [1] }],
    );
    await run(1);
    await symlink('/etc/hostname', join(pathsOf(1).outputs, 'a'));
    await expect(run(2)).rejects.toThrow(/has no output "a"/);
  });

  it('runs each item of a map as a job of its own', async () => {
    await create(
      [1, { script: script('returns-params'), params: { kind: 'text', text: '["a", 1.0]' } }],
      [
        2,
        {
          script: script('returns-params'),
          name: 'each',
          map: { over: 'nodes.n1.result', max: 10 },
          params: { kind: 'template', text: '{"item": "${{ item }}", "at": "${{ index }}"}' },
          deps: [1],
        },
      ],
    );
    await run(1);
    expect(await createGraphActivities(graphs).expandMap(graphId, 2, firstItemNumber)).toBe(2);
    for (const at of [0, 1]) await run(firstItemNumber + at, { item: { map: 2, at } });
    expect(await recordOf(firstItemNumber)).toMatchObject({ name: 'each [0]', result: { item: 'a', at: 0 } });
    expect(await graphs.values.handedOn(graphId, 2)).toContain('{"item":"a","at":0}');
  });

  it('may return what is nested hundreds deep; and what no JSON can hold is told of in a sentence', async () => {
    await create(
      [1, { script: script('returns-nested'), params: { kind: 'text', text: '500' } }],
      [2, { script: script('returns-nested'), params: { kind: 'text', text: '5000' } }],
    );
    await run(1);
    expect(await graphs.values.handedOn(graphId, 1)).toContain(`${'['.repeat(500)}"inside"${']'.repeat(500)}`);
    await expect(run(2)).rejects.toThrow();
    expect((await recordOf(2)).error?.message).toBe('result is nested too deeply to be written as JSON');
  });

  it('fails for good when its spec cannot be read, and says so in the record', async () => {
    await create([1, { script: script('returns-params') }]);
    await run(1);
    await writeFile(pathsOf(1).spec, '{"version": 1');
    await store.writeRecord({ ...(await recordOf(1)), status: 'PENDING', attempts: [] });
    await expect(run(1, { graph: undefined as never })).rejects.toMatchObject({
      type: 'SCRIPT_INVALID',
      nonRetryable: true,
    });
    expect((await recordOf(1)).error?.message).toMatch(/^spec.json of the job cannot be read/);
  });

  it('of a deleted graph fails for good', async () => {
    await expect(run(1)).rejects.toThrow(/the document of graph .* is not on the share/);
  });
});

describe('a command', () => {
  it('runs in its outputs, with its arguments and environment, and tells its files', async () => {
    await create([
      1,
      command('sh', ['-c', 'echo "$1 $SHOW $PIXYZ_JOB_ID ${DISPLAY-none}" > a.txt; mkdir d; touch d/b', 'sh', 'x  y'], {
        env: { SHOW: 'alpha', DISPLAY: null },
        expectedOutputs: ['a.txt', 'd/b'],
      }),
    ]);
    await run(1);
    expect((await recordOf(1)).result).toEqual({ exit_code: 0, outputs: ['a.txt', 'd/b'] });
    expect(await readFile(join(pathsOf(1).outputs, 'a.txt'), 'utf8')).toBe(`x  y alpha ${jobIdOf(graphId, 1)} none\n`);
  });

  it('takes a line for the shell, other exit codes that mean success, and arguments from other nodes', async () => {
    await create(
      [1, { script: script('returns-params'), params: { kind: 'text', text: '["a b", 1.0, "c"]' } }],
      [2, { ...command('for x in 1 2; do echo $x; done; exit 3', [], { shell: true, okExitCodes: [0, 3] }) }],
      [3, { ...command('touch', ['${{ nodes.n1.result }}', '${{ nodes.n2.result.exit_code }}']), deps: [1, 2] }],
    );
    await run(1);
    await run(2);
    expect((await recordOf(2)).result).toMatchObject({ exit_code: 3 });
    expect(await readFile(join(pathsOf(2).logs, '1.log'), 'utf8')).toBe('1\n2\n');
    await run(3);
    expect(await readdir(pathsOf(3).outputs)).toEqual(expect.arrayContaining(['3', 'a b', 'c']));
  });

  it.each([
    ['a bad exit code', command('sh', ['-c', 'exit 7']), 'exit', /^7 \(the command ended with exit code 7\)/],
    ['a signal', command('sh', ['-c', 'kill -SEGV $$']), 'signal', /^11 .*SIGSEGV/],
    ['a missing program', command('no-such-program'), 'exception', /no program no-such-program on this worker/],
    ['a missing output', command('true', [], { expectedOutputs: ['x.glb'] }), 'exception', /did not make x\.glb/],
    ['an output elsewhere', command('true', [], { expectedOutputs: ['a/../../x'] }), 'exception', /out of its outputs/],
    ['a missing folder', command('true', [], { cwd: '/no/where' }), 'exception', /folder \/no\/where .* is not there/],
  ])('fails by %s', async (_, node, kind, message) => {
    await create([1, node]);
    await expect(run(1, { retriesUsed: 1 })).rejects.toThrow();
    expect((await recordOf(1)).error).toMatchObject({ kind, message: expect.stringMatching(message) });
  });

  it('ends with all its processes when it is cancelled', async () => {
    await create([1, command('sh', ['-c', 'sleep 1000 & echo begun; sleep 1000'])]);
    const running = run(1);
    await waitFor(async () => (await readFile(join(pathsOf(1).logs, '1.log'), 'utf8')).includes('begun'));
    environment.cancel();
    await expect(running).rejects.toThrow();
    expect(await recordOf(1)).toMatchObject({ status: 'REVOKED' });
  });
});

describe('reuse', () => {
  const reusing = (index: number, change: Parameters<typeof nodeSpec>[1] = {}): Parameters<typeof nodeSpec> => [
    index,
    { ...command('sh', ['-c', 'date +%N > out.txt']), reuse: true, ...change },
  ];

  it('takes outputs and result of an earlier job that was asked for the same, whatever its resources', async () => {
    await create(reusing(1), reusing(2, { queue: 'gpu', timeLimit: 1, priority: 1, name: 'other' }));
    await run(1);
    await run(2);
    expect(started).toBe(1);
    expect(await recordOf(2)).toMatchObject({
      status: 'SUCCESS',
      reusedFrom: jobIdOf(graphId, 1),
      result: { exit_code: 0, outputs: ['out.txt'] },
    });
    const [a, b] = await Promise.all([1, 2].map((index) => stat(join(pathsOf(index).outputs, 'out.txt'))));
    expect(b?.ino, 'linked, not copied').toBe(a?.ino);
  });

  it('is off unless asked for, and knows another input', async () => {
    const input = join(root, 'input.txt');
    await writeFile(input, 'one');
    await create(
      reusing(1, { data: { share: 'input.txt' } }),
      reusing(2, { data: { share: 'input.txt' } }),
      reusing(3, { data: { share: 'input.txt' }, reuse: false }),
      reusing(4, { data: { share: 'input.txt' }, ...command('sh', ['-c', 'date +%s%N > out.txt']) }),
    );
    await run(1);
    await writeFile(input, 'two');
    await run(2);
    await run(3);
    await run(4);
    expect(started).toBe(4);
  });

  it('sees the same step behind the same step, though its input lies elsewhere', async () => {
    const second = {
      script: script('returns-params'),
      reuse: true,
      params: { kind: 'template', text: '{"model": "${{ nodes.n1.outputs[\\"out.txt\\"] }}"}' } as const,
      deps: [1],
    };
    await create(reusing(1), [2, second]);
    await run(1);
    await run(2);
    const before = graphId;
    graphId = newGraphId();
    await create(reusing(1), [2, second]);
    await run(1);
    await run(2);
    expect(started).toBe(2);
    expect((await recordOf(2)).reusedFrom).toBe(jobIdOf(before, 2));
  });

  it('does the work again when the earlier outputs were changed, or cleaned away', async () => {
    await create(reusing(1), reusing(2), reusing(3));
    await run(1);
    const out = join(pathsOf(1).outputs, 'out.txt');
    await utimes(out, new Date(0), new Date(0));
    await run(2);
    await store.removeFiles(await recordOf(2), '2026-11-22T00:00:00+00:00');
    await run(3);
    expect(started).toBe(3);
    expect((await recordOf(3)).reusedFrom).toBe(undefined);
  });

  it('takes a large result, too', async () => {
    const large = {
      script: script('returns-params'),
      reuse: true,
      params: { kind: 'text', text: JSON.stringify('x'.repeat(5000)) } as const,
    };
    await create([1, large], [2, large]);
    await run(1);
    await run(2);
    expect(started).toBe(1);
    expect(await graphs.values.handedOn(graphId, 2)).toBe(JSON.stringify('x'.repeat(5000)));
  });
});

describe('a batch', () => {
  const batch = (indices: number[], budgetMs: number) =>
    environment.run<[], BatchResult, () => Promise<BatchResult>>(() =>
      scripts.runScripts({ inputs: indices.map((index) => attempt(index)), budgetMs }),
    );
  const kinds = ({ jobs }: BatchResult) => jobs.map(({ outcome }) => outcome.kind);

  it('runs one after another, each with a record of its own', async () => {
    await create(
      ...[1, 2, 3].map(
        (index): Parameters<typeof nodeSpec> => [
          index,
          {
            script: script('returns-params'),
            deps: index === 1 ? [] : [index - 1],
            params: index === 1 ? { kind: 'text', text: '5' } : { kind: 'value', of: index - 1 },
          },
        ],
      ),
    );
    expect(kinds(await batch([1, 2, 3], 10_000))).toEqual(['succeeded', 'succeeded', 'succeeded']);
    expect((await recordOf(3)).result).toBe(5);
    expect(handedBack).toEqual([]);
  });

  it('ends with the first that does not succeed', async () => {
    await create(
      [1, { script: script('returns-params') }],
      [2, { script: script('raises-value-error'), params: { kind: 'text', text: '{"n": 1}' } }],
      [3, { script: script('returns-params') }],
    );
    const { jobs } = await batch([1, 2, 3], 10_000);
    expect(kinds({ jobs })).toEqual(['succeeded', 'fault', 'not-begun']);
    expect(jobs[1]?.outcome).toMatchObject({
      fault: { kind: 'exception', message: expect.stringContaining('ValueError') },
    });
    expect(await store.exists(jobIdOf(graphId, 3))).toBe(false);
  });

  it('gives the rest back as soon as one takes longer than the budget, and does not begin it', async () => {
    const hold = join(root, 'hold');
    await create(
      [1, { script: script('returns-params') }],
      [2, command('sh', ['-c', `while [ ! -e ${hold} ]; do sleep 0.02; done`])],
      [3, { script: script('returns-params') }],
    );
    const running = batch([1, 2, 3], 150);
    await waitFor(() => expect(handedBack.length).toBe(1));
    expect(kinds(handedBack[0] as never)).toEqual(['succeeded', 'not-begun']);
    await writeFile(hold, '');
    expect(kinds(await running)).toEqual(['succeeded', 'succeeded', 'not-begun']);
    expect(await store.exists(jobIdOf(graphId, 3))).toBe(false);
  });

  it('begins at least one, however small the budget', async () => {
    await create([1, { script: script('returns-params') }], [2, { script: script('returns-params') }]);
    expect(kinds(await batch([1, 2], 0.001))[0]).toBe('succeeded');
  });
});

describe('ownership', () => {
  it('is of the later attempt, also when that is the one that makes the folder', async () => {
    await create([1, { script: script('returns-params') }]);
    await run(1, { attempt: 2 });
    await store.writeRecord({ ...(await recordOf(1)), status: 'RETRY' });
    await expect(run(1)).rejects.toThrow(/taken over by a later one/);
    expect(started).toBe(1);
  });

  it('an attempt that a later one has taken over does not touch the job', async () => {
    await create([1, { script: script('returns-params') }]);
    await run(1);
    await store.writeRecord({ ...(await recordOf(1)), status: 'RETRY', attempts: [] });
    await claim(store, jobIdOf(graphId, 1), 3);
    await expect(run(1, { attempt: 2 })).rejects.toThrow(/taken over by a later one/);
    expect(started).toBe(1);
  });
});
