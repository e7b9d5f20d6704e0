import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jobIdOf } from '../../src/contract/ids.js';
import { Graphs } from '../support/graph-system.js';
import { type SystemUnderTest, startSystemUnderTest } from '../support/system.js';
import { waitFor } from '../support/wait-for.js';

/** Graphs over REST, on the real system: API, worker, Temporal, Python. */

const steps = `
import os, time
from pathlib import Path

def main(pc, params):
    return params

def add(pc, params):
    return sum(params["of"])

def numbers(pc, params):
    return {"list": list(range(params["count"]))}

def double(pc, params):
    return params["x"] * 2

def write(pc, params):
    Path(pc.get_output_dir("note.txt")).write_text(params["text"])
    return {"written": params["text"]}

def read(pc, params):
    return Path(pc.get_input_file()).read_text()

def fail(pc, params):
    raise ValueError("no such luck")

def gate(pc, params):
    while not os.path.exists(params["file"]):
        time.sleep(0.02)
    return "open"

def once_broken(pc, params):
    if not os.path.exists(params["file"]):
        raise ValueError("not repaired yet")
    return "repaired"

def two_is_broken(pc, params):
    if params["x"] == 2 and not os.path.exists(params["file"]):
        raise ValueError("two is not repaired yet")
    Path(pc.get_output_dir("note.txt")).write_text(str(params["x"]))
    return params["x"] * 2
`;
const files = { steps };

let system: SystemUnderTest;
let graphs: Graphs;
beforeAll(async () => {
  system = await startSystemUnderTest({ worker: { CONCURRENT_TASKS: '2' } });
  graphs = new Graphs(system);
});
afterAll(() => system?.stop());

let latches = 0;
/** A file that a script waits for. */
function latch(): { file: string; open: () => void } {
  latches += 1;
  const file = join(system.folder, `latch-${latches}`);
  return { file, open: () => writeFileSync(file, '') };
}

const step = (id: string, entrypoint: string, more: object = {}) => ({ id, script: 'steps', entrypoint, ...more });

describe('a graph', () => {
  it('that is a chain hands values on', async () => {
    const { id, state, states } = await graphs.run(
      {
        name: 'chain',
        params: { ten: 10 },
        nodes: [
          step('a', 'add', { params: { of: [1, 2] } }),
          step('b', 'add', { params: { of: ['${{ nodes.a.result }}', '${{ params.ten }}'] } }),
          step('c', 'main', {
            params: { text: 'it is ${{ nodes.b.result }}', exact: '${{ nodes.b.result }}', one: 1.0 },
          }),
        ],
      },
      files,
    );
    expect(state).toMatchObject({ state: 'succeeded', message: null, counts: { total: 3, succeeded: 3 } });
    expect(states).toEqual({ a: 'succeeded', b: 'succeeded', c: 'succeeded' });
    expect(await graphs.result(id, 'c')).toEqual({ text: 'it is 13', exact: 13, one: 1 });
  });

  it('that is a diamond runs both sides and then what waits for both, barriers in between', async () => {
    const { id, states } = await graphs.run(
      {
        nodes: [
          step('top', 'main', { params: 5 }),
          step('left', 'add', { params: { of: ['${{ nodes.top.result }}', 1] } }),
          step('right', 'add', { params: { of: ['${{ nodes.top.result }}', 2] } }),
          { id: 'both', barrier: true, deps: ['left', 'right'] },
          step('bottom', 'add', {
            params: { of: ['${{ nodes.left.result }}', '${{ nodes.right.result }}'] },
            deps: ['both'],
          }),
        ],
      },
      files,
    );
    expect(new Set(Object.values(states))).toEqual(new Set(['succeeded']));
    expect(await graphs.result(id, 'bottom')).toBe(13);
  });

  it('maps a list that is known only when it runs, and skips what its condition rules out', async () => {
    const { id, state, states } = await graphs.run(
      {
        nodes: [
          step('numbers', 'numbers', { params: { count: 5 } }),
          step('double', 'double', {
            map: { over: 'nodes.numbers.result.list', max: 10 },
            params: { x: '${{ item }}' },
          }),
          step('sum', 'add', { params: { of: '${{ nodes.double.result }}' } }),
          step('large', 'main', { when: 'nodes.sum.result > 100' }),
          step('small', 'main', { when: '${{ nodes.sum.result <= 100 }}', params: 'small' }),
          step('after', 'main', { deps: ['large'], params: 1 }),
        ],
      },
      files,
    );
    expect(await graphs.result(id, 'sum')).toBe(20);
    expect(states).toMatchObject({ large: 'skipped', small: 'succeeded', after: 'skipped', double: 'succeeded' });
    expect(states).toMatchObject({ 'double[0]': 'succeeded', 'double[4]': 'succeeded' });
    expect(state.counts).toMatchObject({ total: 11, succeeded: 9, skipped: 2 });
    expect(await graphs.result(id, 'double[3]')).toBe(6);
    const map = await graphs.get(`/graphs/${id}/nodes/double`);
    expect(map).toMatchObject({ kind: 'map', job: null, items: { count: 5 } });
  });

  it('runs commands, and files go from node to node', async () => {
    const { id, states } = await graphs.run(
      {
        nodes: [
          step('write', 'write', { params: { text: 'hello' } }),
          {
            id: 'copy',
            command: [
              'sh',
              '-c',
              'cat "$1" > copied.txt; echo "$WORD"; exit 3',
              'sh',
              '${{ nodes.write.folder }}/note.txt',
            ],
            env: { WORD: 'from ${{ nodes.write.result.written }}' },
            ok_exit_codes: [3],
            expected_outputs: ['copied.txt'],
          },
          step('read', 'read', { data: { node: 'copy', output: 'copied.txt' } }),
          step('own', 'read', { data: 'note' }),
          { id: 'missing', command: 'true', expected_outputs: ['nothing.txt'], retries: 0 },
          { id: 'shell', command: 'printf x | wc -c', shell: true },
        ],
      },
      { ...files, note: 'uploaded' },
    );
    expect(states).toEqual({
      write: 'succeeded',
      copy: 'succeeded',
      read: 'succeeded',
      own: 'succeeded',
      missing: 'failed',
      shell: 'succeeded',
    });
    const { job } = await graphs.get(`/graphs/${id}/nodes/copy`);
    expect(await (await graphs.call(`/jobs/${job}/outputs/copied.txt`)).text()).toBe('hello');
    expect(await graphs.result(id, 'read')).toBe('hello');
    expect(await graphs.result(id, 'own')).toBe('uploaded');
    expect(await (await graphs.call(`/graphs/${id}/nodes/copy/log`)).text()).toContain('from hello');
    const missing = await graphs.get(`/graphs/${id}/nodes/missing`);
    expect(missing.message).toContain('nothing.txt');
  });

  it('finishes what does not depend on a failed node, and tells who was skipped and why', async () => {
    const { id, state, states } = await graphs.run(
      {
        nodes: [
          step('bad', 'fail'),
          step('behind', 'main', { deps: ['bad'] }),
          step('rescue', 'main', { deps: ['bad'], trigger: 'any_failed', params: 'rescued' }),
          step('always', 'main', { deps: ['bad'], trigger: 'all_done' }),
          step('free', 'main'),
        ],
      },
      files,
    );
    expect(states).toEqual({
      bad: 'failed',
      behind: 'skipped',
      rescue: 'succeeded',
      always: 'succeeded',
      free: 'succeeded',
    });
    expect(state).toMatchObject({ state: 'failed', counts: { failed: 1, skipped: 1, succeeded: 3 } });
    const bad = await graphs.get(`/graphs/${id}/nodes/bad`);
    expect(bad).toMatchObject({
      state: 'failed',
      fault: 'exception',
      message: expect.stringContaining('no such luck'),
    });
    expect(bad.attempts).toHaveLength(1);
    expect((await graphs.get(`/jobs/${bad.job}`)).status).toBe('FAILURE');
    const list = await graphs.get(`/graphs/${id}/nodes?state=failed&state=skipped`);
    expect(list.nodes.map((node: { id: string }) => node.id)).toEqual(['bad', 'behind']);
  });

  it('stops everything at the first failure where that is asked for', async () => {
    const { file } = latch();
    const { state, states } = await graphs.run(
      {
        on_failure: 'stop',
        nodes: [
          step('slow', 'gate', { params: { file } }),
          step('bad', 'fail'),
          step('free', 'main', { deps: ['slow'] }),
        ],
      },
      files,
    );
    expect(state.state).toBe('failed');
    expect(states).toMatchObject({ bad: 'failed', slow: 'revoked' });
    expect(['skipped', 'revoked']).toContain(states['free']);
  });
});

describe('an open graph', () => {
  it('takes nodes that depend on others, ended ones too, and ends once it is closed', async () => {
    const id = await graphs.create({ mode: 'open', nodes: [step('a', 'main', { params: 4 })] }, files);
    await graphs.waitForStates(id, { a: 'succeeded' });
    const added = await graphs.post(`/graphs/${id}/nodes`, {
      nodes: [step('b', 'add', { params: { of: ['${{ nodes.a.result }}', 1] } }), step('c', 'nope')],
    });
    expect(added.nodes.map(({ status }: { status: string }) => status)).toEqual(['created', 'rejected']);
    await graphs.waitForStates(id, { b: 'succeeded' });
    expect(await graphs.get(`/graphs/${id}`)).toMatchObject({ state: 'running', mode: 'open' });
    await graphs.post(`/graphs/${id}/nodes`, {
      nodes: [step('d', 'add', { params: { of: ['${{ nodes.b.result }}', 1] } })],
    });
    await graphs.post(`/graphs/${id}/close`);
    expect(await graphs.ended(id)).toMatchObject({
      state: 'succeeded',
      mode: 'closed',
      counts: { total: 3, succeeded: 3 },
    });
    expect(await graphs.result(id, 'd')).toBe(6);
  });

  it('may begin empty', async () => {
    const id = await graphs.create({ mode: 'open' }, files);
    await graphs.post(`/graphs/${id}/nodes`, { nodes: [step('a', 'main')] });
    await graphs.post(`/graphs/${id}/close`);
    expect(await graphs.ended(id)).toMatchObject({ state: 'succeeded', counts: { total: 1 } });
  });
});

describe('control', () => {
  it('pauses and goes on', async () => {
    const { file, open } = latch();
    const id = await graphs.create(
      { nodes: [step('gate', 'gate', { params: { file } }), step('next', 'main', { deps: ['gate'] })] },
      files,
    );
    await graphs.waitForStates(id, { gate: 'running' });
    expect(await graphs.get(`/graphs/${id}/nodes/next/why`)).toMatchObject({
      state: 'waiting',
      reasons: [{ code: 'dependency', node: 'gate' }],
    });
    await graphs.post(`/graphs/${id}/pause`);
    await graphs.reached(id, ({ state }) => state === 'paused');
    open();
    await graphs.waitForStates(id, { gate: 'succeeded', next: 'waiting' });
    expect(await graphs.get(`/graphs/${id}/nodes/next/why`)).toMatchObject({ reasons: [{ code: 'paused' }] });
    await graphs.post(`/graphs/${id}/resume`);
    expect(await graphs.ended(id)).toMatchObject({ state: 'succeeded' });
  });

  it('runs more of its nodes at the same time when it is told to', async () => {
    const { file, open } = latch();
    const id = await graphs.create(
      {
        max_parallel: 1,
        nodes: [step('one', 'gate', { params: { file } }), step('two', 'gate', { params: { file } })],
      },
      files,
    );
    await graphs.waitForStates(id, { one: 'running', two: 'waiting' });
    const answer = await graphs.call(`/graphs/${id}`, {
      method: 'PATCH',
      body: '{"max_parallel": 2}',
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.status).toBe(200);
    await graphs.waitForStates(id, { one: 'running', two: 'running' });
    expect(await graphs.get(`/graphs/${id}`)).toMatchObject({ max_parallel: 2 });
    open();
    expect(await graphs.ended(id)).toMatchObject({ state: 'succeeded' });
  });

  it('cancels a graph, waits for its end, and does so again without harm', async () => {
    const { file } = latch();
    const id = await graphs.create(
      { nodes: [step('gate', 'gate', { params: { file } }), step('next', 'main', { deps: ['gate'] })] },
      files,
    );
    await graphs.waitForStates(id, { gate: 'running' });
    const answer = await graphs.post(`/graphs/${id}/cancel?wait=30`);
    expect(answer).toMatchObject({ state: 'revoked' });
    expect(await graphs.states(id)).toMatchObject({ gate: 'revoked' });
    expect(await graphs.post(`/graphs/${id}/cancel`)).toMatchObject({ state: 'revoked' });
    expect((await graphs.call(`/graphs/${id}/pause`, { method: 'POST' })).status).toBe(409);
    expect((await graphs.call(`/graphs/${id}`, { method: 'DELETE' })).status).toBe(200);
    expect((await graphs.call(`/graphs/${id}`)).status).toBe(404);
    expect(existsSync(join(system.share, id))).toBe(false);
  });

  it('cancels single nodes, and runs failed ones again while the graph runs', async () => {
    const gate = latch();
    const repair = latch();
    const id = await graphs.create(
      {
        nodes: [
          step('gate', 'gate', { params: { file: gate.file } }),
          step('other', 'gate', { params: { file: join(system.folder, 'never') } }),
          step('broken', 'once_broken', { params: { file: repair.file }, queue: 'gpu' }),
          step('behind', 'main', { deps: ['broken'] }),
        ],
      },
      files,
    );
    await graphs.waitForStates(id, { gate: 'running', other: 'running' });
    const told = await graphs.post(`/graphs/${id}/nodes/cancel`, { ids: ['other', 'nobody'] });
    expect(told.nodes).toEqual([
      { id: 'other', status: 'sent' },
      { id: 'nobody', status: 'unknown' },
    ]);
    await graphs.waitForStates(id, { other: 'revoked', broken: 'failed', behind: 'skipped' });
    repair.open();
    await graphs.post(`/graphs/${id}/nodes/broken/retry`);
    await graphs.waitForStates(id, { broken: 'succeeded', behind: 'succeeded', gate: 'running' });
    gate.open();
    expect(await graphs.ended(id)).toMatchObject({ counts: { succeeded: 3, revoked: 1 } });
    expect((await graphs.get(`/graphs/${id}/nodes/broken`)).attempts).toHaveLength(2);
  });

  it('repeats what has failed as a new graph, and keeps what has succeeded', async () => {
    const { file, open } = latch();
    const first = await graphs.run(
      {
        name: 'to repeat',
        nodes: [
          step('good', 'write', { params: { text: 'kept' } }),
          step('broken', 'once_broken', { params: { file, x: '${{ nodes.good.result.written }}' } }),
          step('last', 'main', { params: ['${{ nodes.good.result.written }}', '${{ nodes.broken.result }}'] }),
        ],
      },
      files,
    );
    expect(first.states).toEqual({ good: 'succeeded', broken: 'failed', last: 'skipped' });
    open();
    const key = { 'idempotency-key': 'again' };
    const again = await graphs.post(`/graphs/${first.id}/retry`, undefined, undefined, key);
    expect(again).toMatchObject({ retry_of: first.id, kept: 1, nodes: 3 });
    expect(await graphs.post(`/graphs/${first.id}/retry`, undefined, undefined, key)).toEqual(again);
    expect(await graphs.ended(again.id)).toMatchObject({ state: 'succeeded', name: 'to repeat', retry_of: first.id });
    expect(await graphs.result(again.id, 'last')).toEqual(['kept', 'repaired']);
    // The old one may go: what was kept is the new one's own.
    expect((await graphs.call(`/graphs/${first.id}`, { method: 'DELETE' })).status).toBe(200);
    const { job, attempts } = await graphs.get(`/graphs/${again.id}/nodes/good`);
    expect(attempts).toHaveLength(1);
    expect(await (await graphs.call(`/jobs/${job}/outputs/note.txt`)).text()).toBe('kept');
  });

  it('keeps the items of a map whose followers have failed', async () => {
    const { file, open } = latch();
    const first = await graphs.run(
      {
        nodes: [
          step('numbers', 'numbers', { params: { count: 3 } }),
          step('double', 'double', {
            map: { over: 'nodes.numbers.result.list', max: 10 },
            params: { x: '${{ item }}' },
          }),
          step('broken', 'once_broken', { params: { file }, deps: ['double'] }),
          step('twice', 'double', {
            map: { over: 'nodes.double.result', max: 5 },
            params: { x: '${{ item }}' },
            deps: ['broken'],
          }),
          step('sum', 'add', { params: { of: '${{ nodes.double.result + nodes.twice.result }}' } }),
        ],
      },
      files,
    );
    expect(first.states).toMatchObject({ double: 'succeeded', broken: 'failed', sum: 'skipped' });
    open();
    const again = await graphs.post(`/graphs/${first.id}/retry`);
    expect(again.kept).toBe(2);
    expect((await graphs.ended(again.id)).state).toBe('succeeded');
    expect(await graphs.result(again.id, 'sum')).toBe(6 + 12);
    expect(await graphs.result(again.id, 'double[2]')).toBe(4);
    const { retry_of } = await graphs.get(
      `/jobs/${(await graphs.get(`/graphs/${again.id}/nodes/double[2]`)).job}/details`,
    );
    expect(retry_of).toBe((await graphs.get(`/graphs/${first.id}/nodes/double[2]`)).job);
    const once = await graphs.get(`/graphs/${again.id}`);
    expect(once.counts).toMatchObject({ total: 11, succeeded: 11 });
  });
});

describe('a map of which an item has failed', () => {
  it('runs that item again, and takes the others over with their results and outputs', async () => {
    const { file, open } = latch();
    const first = await graphs.run(
      {
        nodes: [
          step('numbers', 'numbers', { params: { count: 4 } }),
          step('items', 'two_is_broken', {
            map: { over: 'nodes.numbers.result.list', max: 10 },
            params: { x: '${{ item }}', file },
          }),
          step('sum', 'add', { params: { of: '${{ nodes.items.result }}' } }),
        ],
      },
      files,
    );
    expect(first.states).toMatchObject({ items: 'failed', sum: 'skipped' });
    open();
    const again = await graphs.post(`/graphs/${first.id}/retry`);
    expect((await graphs.ended(again.id)).state).toBe('succeeded');
    expect(await graphs.result(again.id, 'sum')).toBe(12);
    const jobOf = async (id: string, item: number): Promise<string> =>
      (await graphs.get(`/graphs/${id}/nodes/items[${item}]`)).job;
    for (const item of [0, 1, 2, 3]) {
      const job = await jobOf(again.id, item);
      const { reused_from } = await graphs.get(`/jobs/${job}/details`);
      expect(reused_from).toBe(item === 2 ? null : await jobOf(first.id, item));
      expect(await (await graphs.call(`/jobs/${job}/outputs/note.txt`)).text()).toBe(String(item));
    }
  });
});

describe('the journal', () => {
  it('is the same from any number on, as pages and as a stream', async () => {
    const { id } = await graphs.run(
      { nodes: [step('a', 'main'), step('b', 'fail', { deps: ['a'] }), step('c', 'main', { deps: ['b'] })] },
      files,
    );
    const { events, ended, next } = await graphs.get(`/graphs/${id}/events?limit=5000`);
    expect(ended).toBe(true);
    expect(events.map(({ seq }: { seq: number }) => seq)).toEqual(events.map((_: unknown, at: number) => at + 1));
    expect(
      events.map(({ type, node }: { type: string; node?: string }) => [type, node].filter(Boolean).join(' ')),
    ).toEqual(
      expect.arrayContaining(['started', 'queued a', 'succeeded a', 'queued b', 'failed b', 'skipped c', 'ended']),
    );
    for (let after = 0; after <= events.length; after++) {
      const page = await graphs.get(`/graphs/${id}/events?after=${after}&limit=2`);
      expect(page.events).toEqual(events.slice(after, after + 2));
    }
    expect((await graphs.get(`/graphs/${id}/events?after=${next}&wait=20`)).events).toEqual([]);
    const stream = await graphs.call(`/graphs/${id}/events`, {
      headers: { accept: 'text/event-stream', 'last-event-id': '2' },
    });
    const text = await stream.text();
    expect([...text.matchAll(/^id: (\d+)$/gm)].map(([, seq]) => Number(seq))).toEqual(
      events.slice(2).map(({ seq }: { seq: number }) => seq),
    );
    const seen = await graphs.call(`/graphs/${id}/events`, {
      headers: { accept: 'text/event-stream', 'last-event-id': String(next) },
    });
    expect(seen.status).toBe(204);
  });

  it('is waited for', async () => {
    const { file, open } = latch();
    const id = await graphs.create({ nodes: [step('gate', 'gate', { params: { file } })] }, files);
    await graphs.waitForStates(id, { gate: 'running' });
    const { next } = await graphs.get(`/graphs/${id}/events`);
    const waiting = graphs.get(`/graphs/${id}/events?after=${next}&wait=30`);
    open();
    const { events } = await waiting;
    expect(events[0]).toMatchObject({ type: 'succeeded', node: 'gate' });
    await graphs.ended(id);
  });
});

describe('lists', () => {
  it('have graphs by state and name, and jobs of graphs answer like others', async () => {
    const { id } = await graphs.run(
      { name: 'to be found', labels: { show: 'x' }, nodes: [step('a', 'main', { params: 7 })] },
      files,
    );
    const found = await waitFor(
      async () => {
        const list = await graphs.get('/graphs?name=to%20be%20found');
        if (list.graphs.length === 0) throw new Error('the graph is not listed');
        return list;
      },
      { timeoutMs: 20_000, intervalMs: 50 },
    );
    expect(found.graphs.map((graph: { id: string }) => graph.id)).toEqual([id]);
    expect(found.graphs[0]).toMatchObject({ state: 'succeeded', labels: { show: 'x' } });
    const { job } = await graphs.get(`/graphs/${id}/nodes/1`);
    expect(await graphs.get(`/jobs/${job}`)).toMatchObject({ uuid: job, status: 'SUCCESS', progress: 100 });
  });

  it('have jobs of graphs by their own states, whatever became of the graph', async () => {
    const { id } = await graphs.run({ name: 'half of it', nodes: [step('good', 'main'), step('bad', 'fail')] }, files);
    const listed = async (query: string) =>
      waitFor(
        async () => {
          const { jobs } = await graphs.get(`/jobs?name=half%20of%20it&${query}`);
          const uuids = jobs.map(({ uuid }: { uuid: string }) => uuid);
          // The list is a moment behind.
          if (uuids.length === 0) throw new Error(`no jobs are listed for ${query}`);
          return uuids;
        },
        { timeoutMs: 20_000, intervalMs: 50 },
      );
    expect(await listed('status=SUCCESS')).toEqual([jobIdOf(id, 1)]);
    expect(await listed('status=FAILURE')).toEqual([jobIdOf(id, 2)]);
    expect(await listed('limit=1')).toEqual([jobIdOf(id, 1)]);
    const failed = await waitFor(
      async () => {
        const { graphs: found } = await graphs.get('/graphs?state=failed&name=half%20of%20it');
        if (found.length === 0) throw new Error('the graph is not listed');
        return found;
      },
      { timeoutMs: 20_000, intervalMs: 50 },
    );
    expect(failed[0]).toMatchObject({ id, state: 'failed' });
  });
});

describe('a graph of twelve thousand nodes', () => {
  it('is taken, runs in parts, and is read page by page', async () => {
    const nodes: object[] = Array.from({ length: 12_000 }, (_, at) => ({
      id: `n${at}`,
      barrier: true,
      deps: at < 100 ? [] : [`n${at - 100}`, `n${at - 99 - (at % 100 === 99 ? 1 : 0)}`],
    }));
    nodes.push(step('last', 'main', { params: 'done', deps: ['n11999', 'n11900'] }));
    const id = await graphs.create({ nodes }, files);
    const state = await graphs.ended(id, 120_000);
    expect(state).toMatchObject({ state: 'succeeded', counts: { total: 12_001, succeeded: 12_001 } });
    expect(await graphs.result(id, 'last')).toBe('done');
    const page = await graphs.get(`/graphs/${id}/nodes?limit=3&cursor=11998`);
    expect(page.nodes.map((node: { id: string }) => node.id)).toEqual(['n11998', 'n11999', 'last']);
    expect(page.next).toBe(null);
    expect((await graphs.call(`/graphs/${id}`, { method: 'DELETE' })).status).toBe(200);
  });
});

describe('an API that is killed', () => {
  it('takes nothing with it: the graph goes on, and readers go on from where they were', async () => {
    const first = latch();
    const second = latch();
    const id = await graphs.create(
      {
        mode: 'open',
        nodes: [
          step('a', 'gate', { params: { file: first.file } }),
          step('b', 'gate', { params: { file: second.file }, deps: ['a'] }),
        ],
      },
      files,
    );
    await graphs.waitForStates(id, { a: 'running' });
    const { events, next } = await graphs.get(`/graphs/${id}/events`);
    system.apiPart.kill('SIGKILL');
    await system.apiPart.exited;
    first.open();
    await system.startApi();
    await graphs.waitForStates(id, { a: 'succeeded', b: 'running' });
    await graphs.post(`/graphs/${id}/nodes`, { nodes: [step('c', 'main', { deps: ['b'], params: 'c' })] });
    await graphs.post(`/graphs/${id}/close`);
    second.open();
    expect(await graphs.ended(id)).toMatchObject({ state: 'succeeded', counts: { total: 3, succeeded: 3 } });
    const all = await graphs.get(`/graphs/${id}/events`);
    const rest = await graphs.get(`/graphs/${id}/events?after=${next}`);
    expect([...events, ...rest.events]).toEqual(all.events);
    const ends = all.events.filter(({ type }: { type: string }) => type === 'succeeded');
    expect(ends.map(({ node }: { node: string }) => node)).toEqual(['a', 'b', 'c']);
  });
});
