import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CanvasDeps, CanvasDesk } from '../../../src/activities/canvas.js';
import { createRecordActivities } from '../../../src/activities/record-activities.js';
import type { GraphInput } from '../../../src/contract/graph.js';
import { jobIdOf } from '../../../src/contract/ids.js';
import { newRecord } from '../../../src/contract/job.js';
import { graphIdFromKey } from '../../../src/contract/new-graph-id.js';
import { type GraphShare, openGraphs } from '../../../src/store/graph-share.js';
import { JobStore } from '../../../src/store/job-store.js';
import { cancelSent } from '../../../src/store/sent-canvases.js';

const jobId = '11111111-2222-4333-8444-555500000001';

let root: string;
let store: JobStore;
let graphs: GraphShare;
let started: GraphInput[];
let stopped: string[];
/** Faults of the calls to come. */
let faults: Error[];
let deps: CanvasDeps;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'canvas-desk-'));
  store = new JobStore(root);
  await store.open();
  graphs = openGraphs(store);
  [started, stopped, faults] = [[], [], []];
  deps = {
    startGraph: async (input) => {
      const fault = faults.shift();
      if (fault !== undefined) throw fault;
      started.push(input);
    },
    cancelGraph: async (graphId) => stopped.push(graphId),
    cancelJob: async (id) => stopped.push(id),
    isUnreachable: (error) => error instanceof Error && error.message === 'away',
    retry: { retryTimeLimit: 3600, rescueWait: 5 },
  };
  const sender = { ...specOf(jobId), jobId };
  await store.create(sender);
});
afterEach(() => rm(root, { recursive: true }));

function specOf(id: string) {
  return {
    version: 1 as const,
    jobId: id,
    graphId: `${id.slice(0, 28)}00000000`,
    name: null,
    process: 'custom',
    script: { path: '/s.py' },
    entrypoint: 'main',
    data: null,
    paramsText: '{}',
    queue: 'cpu',
    timeLimit: null,
    rootFile: null,
    computeOnly: false,
    raw: false,
    context: {},
    timeRequest: '2026-11-21T00:00:00',
    callback: null,
    retryOf: null,
    digest: null,
  };
}

/** One attempt of the script. */
const attempt = (): CanvasDesk => new CanvasDesk(store, graphs, deps, jobId);

function node(index: number, changes: object = {}): object {
  return { index, id: `n-${index}`, script: { share: 'x/s.py' }, deps: index === 1 ? [] : [index - 1], ...changes };
}

function submission(nodes: readonly object[], changes: object = {}): object {
  return {
    kind: 'submit',
    call: 0,
    name: null,
    taskId: null,
    nodes,
    files: {},
    shape: [nodes.length, null],
    ...changes,
  };
}

const chain = (changes: object = {}): object =>
  submission(
    [node(1, { params: { kind: 'text', text: '{}' } }), node(2, { params: { kind: 'value', of: 1 } })],
    changes,
  );

async function sent(): Promise<string[]> {
  const text = await readFile(store.paths(jobId).canvases, 'utf8');
  return text.trim().split('\n');
}

describe('a canvas', () => {
  it('becomes a graph whose id follows from the job and the number of the call', async () => {
    const { graphId } = (await attempt().answer(chain())) as { graphId: string };
    expect(graphId).toBe(graphIdFromKey(`canvas\n${jobId}\n0`));
    expect(started).toMatchObject([{ graphId, journal: true, nodes: [{ index: 1 }, { index: 2, deps: [1] }] }]);
    const header = await graphs.documents.header(graphId);
    expect(header).toMatchObject({ front: 'script', parent: { jobId, call: 0 }, onFailure: 'finish', open: false });
    const [, second] = await graphs.documents.nodes(graphId, 1, 2);
    expect(second).toMatchObject({ queue: 'gpu', retry: { maxRetries: 1, rescueQueue: 'gpuhigh' } });
    const other = (await attempt().answer(chain({ call: 1 }))) as { graphId: string };
    expect(other.graphId).not.toBe(graphId);
  });

  it('that is sent again by the next attempt is the same graph; when it has ended it is not even started again', async () => {
    const first = (await attempt().answer(chain())) as { graphId: string };
    // The parameters may hold the time of day: they do not count.
    const again = chain();
    (again as { nodes: { params: unknown }[] }).nodes[0] = node(1, {
      params: { kind: 'text', text: '{"t": 2}' },
    }) as never;
    expect(await attempt().answer(again)).toEqual(first);
    expect(started).toHaveLength(2);
    await appendFile(
      graphs.documents.paths(first.graphId).journal,
      `${JSON.stringify({ at: '2026-11-21T00:00:00.000Z', type: 'ended', state: 'failed' })}\n`,
    );
    expect(await attempt().answer(chain())).toEqual(first);
    expect(started).toHaveLength(2);
    expect(await sent()).toHaveLength(1);
  });

  it('of another structure under the same number is another graph', async () => {
    const first = (await attempt().answer(chain())) as { graphId: string };
    const nodes = [node(1), node(2, { entrypoint: 'other' })];
    const second = (await attempt().answer(submission(nodes))) as { graphId: string };
    expect(second.graphId).not.toBe(first.graphId);
    expect(await attempt().answer(submission(nodes))).toEqual(second);
    const alone = (await attempt().answer(submission([node(1)]))) as { graphId: string };
    expect([first.graphId, second.graphId]).not.toContain(alone.graphId);
    expect(await sent()).toHaveLength(3);
  });

  it('brings texts that its nodes share', async () => {
    const files = { 'context-0123456789abcdef.json': '{"x":1.0}' };
    const nodes = [node(1, { context: { __canvas__shared: 'context-0123456789abcdef.json' } }), node(2)];
    const { graphId } = (await attempt().answer(submission(nodes, { files }))) as { graphId: string };
    expect((await graphs.documents.node(graphId, 1))?.context).toEqual({
      __canvas__shared: `${graphId}/inputs/context-0123456789abcdef.json`,
    });
    const path = join(graphs.documents.paths(graphId).inputs, 'context-0123456789abcdef.json');
    expect(await readFile(path, 'utf8')).toBe('{"x":1.0}');
  });

  it('of many nodes leaves its plan in the document', async () => {
    const nodes = Array.from({ length: 500 }, (_, at) => node(at + 1, { deps: [] }));
    await attempt().answer(submission(nodes));
    expect(started).toMatchObject([{ nodes: [], stored: 500 }]);
  });

  it('waits for a server that is away, as long as its script does', async () => {
    faults = [new Error('away'), new Error('away')];
    await attempt().answer(chain());
    expect(started).toHaveLength(1);
    faults = [new Error('away')];
    const desk = attempt();
    const answer = desk.answer(chain({ call: 1 }));
    desk.close();
    await expect(answer).rejects.toThrow('the script has ended');
    expect(started).toHaveLength(1);
    faults = [new Error('broken')];
    await expect(attempt().answer(chain({ call: 2 }))).rejects.toThrow('broken');
  });
});

describe('a task that is sent alone', () => {
  const alone = (changes: object = {}): object =>
    submission([node(1, { params: { kind: 'text', text: '{"x": 1.0}' }, handsOn: 'wrapped', raw: false })], changes);

  it('is a job like any other', async () => {
    const { graphId } = (await attempt().answer(alone())) as { graphId: string };
    expect(started).toMatchObject([{ graphId, nodes: [{ index: 1, deps: [] }] }]);
    expect(started[0]).not.toHaveProperty('journal');
    const spec = await store.readSpec(jobIdOf(graphId, 1));
    expect(spec).toMatchObject({ paramsText: '{"x": 1.0}', handsOn: 'wrapped', queue: 'gpu', parent: jobId });
  });

  it('is not run again when it has ended', async () => {
    const { graphId } = (await attempt().answer(alone())) as { graphId: string };
    const spec = await store.readSpec(jobIdOf(graphId, 1));
    if (spec === null) throw new Error('it has no spec');
    await store.writeRecord({ ...newRecord(spec), status: 'FAILURE' });
    expect(await attempt().answer(alone())).toEqual({ graphId });
    expect(started).toHaveLength(1);
  });

  it('may have an id that the script has chosen', async () => {
    const taskId = '99999999-2222-4333-8444-55550000000a';
    await attempt().answer(alone({ taskId }));
    expect(started).toMatchObject([{ graphId: '99999999-2222-4333-8444-555500000000', nodes: [{ index: 10 }] }]);
    expect((await store.readSpec(taskId))?.jobId).toBe(taskId);
    await expect(attempt().answer(alone({ taskId: '99999999-2222-4333-8444-555500000000' }))).rejects.toThrow(
      /task_id/,
    );
  });
});

describe('a cancelled job', () => {
  it('takes along everything that any of its attempts has sent', async () => {
    const graph = (await attempt().answer(chain())) as { graphId: string };
    const alone = (await attempt().answer(submission([node(1)], { call: 1 }))) as { graphId: string };
    await cancelSent(store, jobId, deps);
    expect(stopped).toEqual([graph.graphId, jobIdOf(alone.graphId, 1)]);
  });

  it('does so also when it waited for its next attempt, where no script hears the cancel', async () => {
    const graph = (await attempt().answer(chain())) as { graphId: string };
    const records = createRecordActivities({
      store,
      pollers: async () => 0,
      alone: {} as never,
      sent: deps,
      callbackSecret: undefined,
    });
    await records.recordChange(jobId, { kind: 'lost', attempt: 1, message: 'gone', nextQueue: 'cpu' });
    expect(stopped).toEqual([]);
    await records.recordChange(jobId, { kind: 'revoked', message: 'cancelled' });
    expect(stopped).toEqual([graph.graphId]);
  });

  it('that has sent nothing has nothing to take along', async () => {
    await cancelSent(store, jobId, deps);
    expect(stopped).toEqual([]);
  });
});

describe('requests', () => {
  it('to revoke reach the engine', async () => {
    expect(await attempt().answer({ kind: 'revoke', jobs: [jobId] })).toBe(null);
    expect(stopped).toEqual([jobId]);
  });

  it.each([
    [{ kind: 'dance' }, /does not understand/],
    [submission([node(1, { deps: [1] })]), /depends on one that follows/],
    [submission([node(1), node(2, { deps: [], params: { kind: 'values', of: [3] } })]), /depends on one that follows/],
    [submission([node(2)]), /stands in the place of node 1/],
    [submission([node(1, { queue: 'no queue' })]), /queue "no queue" is no name for a queue/],
    [submission([node(1, { script: null })]), /has no script/],
    [submission([node(1)], { taskId: 'x' }), /task_id is no UUID/],
    [submission([node(1), node(2)], { taskId: jobId }), /cannot be chosen/],
  ])('that make no sense are refused: %#', async (request, sentence) => {
    await expect(attempt().answer(request)).rejects.toThrow(sentence);
    expect(started).toEqual([]);
  });
});
