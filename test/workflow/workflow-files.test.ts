import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { GraphChecker } from '../../src/compile/graph-checker.js';
import type { AttemptInput } from '../../src/contract/graph.js';
import type { GraphHeader, NodeSpec } from '../../src/contract/graph-document.js';
import { nodeIndexOf } from '../../src/contract/ids.js';
import type { FaultKind } from '../../src/contract/job.js';
import { newGraphId } from '../../src/contract/new-graph-id.js';
import type { FileRunInput } from '../../src/contract/workflow-files.js';
import { type GraphShare, openGraphs } from '../../src/store/graph-share.js';
import { JobStore } from '../../src/store/job-store.js';
import { Catalogue } from '../../src/workflow-files/catalogue.js';
import { createFileActivities } from '../../src/workflow-files/file-activities.js';
import { type EngineUnderTest, replay, startEngine } from '../support/engine-under-test.js';
import { historyFromText, historyToText } from '../support/history-file.js';
import { waitFor } from '../support/wait-for.js';
import { bundleCases } from '../support/workflow-cases.js';

/**
 * The code around a workflow file, on a real server, with tasks that a test plays by their ids. The declarations are the real
 * ones, on a share of the test's own.
 */

let folder: string;
let code: string;
let graphs: GraphShare;
let activities: object;
const results = new Map<string, unknown>();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pixyz-cases-'));
  for (const name of ['share', 'processes']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'processes', 'anything.py'), 'def main(pc, params):\n    pass\n');
  code = await bundleCases(folder);
  const store = new JobStore(join(folder, 'share'));
  await store.open();
  graphs = openGraphs(store);
  const options = { processPath: join(folder, 'processes'), retryTimeLimit: 60, rescueWait: 60 };
  const checker = new GraphChecker({ options }, { inspect: async () => ({ ok: true, settings: {}, doc: null }) });
  activities = {
    ...createFileActivities({ graphs, checker, catalogue: new Catalogue(store.root) }, 'cases', 'abc'),
    resultOf: async (graphId: string, index: number) => results.get((await nodeOf(graphId, index)).id) ?? null,
  };
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function nodeOf(graphId: string, index: number): Promise<NodeSpec> {
  return (await graphs.documents.node(graphId, index)) as NodeSpec;
}

const fault = (kind: FaultKind): ApplicationFailure =>
  ApplicationFailure.nonRetryable(kind, kind.toUpperCase(), { kind, message: `it was ${kind}` });

/**
 * Replays the run of a case. With `RECORD_HISTORIES=1` its history is kept for the replay tier:
 *
 *     RECORD_HISTORIES=1 npx vitest run --project workflow test/workflow/workflow-files.test.ts
 */
async function replayed(handle: WorkflowHandle, name: string): Promise<void> {
  const { workflowId } = handle;
  const history = historyToText(await handle.fetchHistory());
  const journal = await replay(historyFromText(history), workflowId, { code });
  if (process.env['RECORD_HISTORIES'] !== '1') return;
  const text = historyToText({ workflowId, journal, ...(historyFromText(history) as object) });
  writeFileSync(join(import.meta.dirname, '..', 'replay', 'workflow-files', `${name}.json`), `${text}\n`);
}

// Each case runs twice: with the run kept in memory, and replayed from its history at every step.
describe.each([
  ['kept in memory', 100],
  ['replayed at every step', 0],
])('a run of a workflow file, %s', (_, cached) => {
  let engine: EngineUnderTest;
  let ran: string[];
  afterEach(async () => {
    results.clear();
    await engine.stop();
  });

  async function start(what: string, play: (id: string, input: AttemptInput) => unknown): Promise<WorkflowHandle> {
    ran = [];
    engine = await startEngine({
      cached,
      queues: ['cpu'],
      bundle: { code },
      activities,
      runScript: async (input) => {
        const { id } = await nodeOf(`${input.jobId.slice(0, 28)}00000000`, nodeIndexOf(input.jobId));
        ran.push(id);
        results.set(id, await play(id, input));
        return { result: null, resultFile: null };
      },
    });
    const graphId = newGraphId();
    const header: GraphHeader = {
      version: 1,
      graphId,
      name: null,
      labels: {},
      front: 'workflow',
      open: false,
      onFailure: 'finish',
      maxParallel: null,
      parent: null,
      retryOf: null,
      workflow: 'cases',
      workflowVersion: 'abc',
      timeRequest: '2026-11-21T11:49:05.570674',
      digest: null,
    };
    await graphs.documents.create(header, []);
    const given: FileRunInput = {
      graphId,
      version: 'abc',
      name: null,
      labels: {},
      input: { what, queue: engine.queue('cpu') },
    };
    return engine.client.workflow.start('cases', {
      workflowId: graphId,
      taskQueue: engine.queue('engine'),
      args: [given],
    });
  }

  async function failureOf(handle: WorkflowHandle): Promise<Error | undefined> {
    return handle.result().then(
      (value: unknown) => new Error(`succeeded: ${JSON.stringify(value)}`),
      (error: unknown) => (error as WorkflowFailedError).cause,
    );
  }

  const untilCancelled = async (): Promise<void> => {
    const context = Context.current();
    const beat = setInterval(() => context.heartbeat(), 50);
    await context.cancelled.catch(() => undefined).finally(() => clearInterval(beat));
    throw new CancelledFailure('stopped');
  };

  it('declares what its helpers start, with what each waits for and gets, and gives their results', async () => {
    const handle = await start('helpers', (id) => `made by ${id}`);
    expect(await handle.result()).toEqual({
      all: ['made by c', 'made by f', 'made by i'],
      names: ['g', 'h'],
      id: handle.workflowId,
      workflow: 'cases',
    });
    const nodes = await graphs.documents.nodes(handle.workflowId, 1, 100);
    const names = new Map(nodes.map(({ index, id }) => [index, id]));
    expect(
      nodes.map(({ id, deps, params }) => [
        id,
        deps.map((dep) => names.get(dep)),
        'text' in params ? params.text : null,
      ]),
    ).toEqual([
      ['a', [], '{}'],
      ['b', ['a'], '"${{ nodes[\\"a\\"].result }}"'],
      ['c', ['b'], '{"got":"${{ nodes[\\"b\\"].result }}","word":"x"}'],
      ['d', [], '{}'],
      ['e', [], '{}'],
      ['f', ['d', 'e'], '["${{ nodes[\\"d\\"].result }}","${{ nodes[\\"e\\"].result }}"]'],
      ['g', [], '{}'],
      ['h', ['g'], '{}'],
      ['i', [], '{}'],
    ]);
    expect([...ran].sort()).toEqual('abcdefghi'.split(''));
    expect(engine.journal.filter(({ type }) => type === 'succeeded')).toHaveLength(9);
    expect(engine.journal.at(-1)).toMatchObject({ type: 'ended', state: 'succeeded' });
    await replayed(handle, 'helpers');
  });

  it('decides what comes next by what came of the last', async () => {
    const handle = await start('loop', (id) => Number(id.slice(6)));
    expect(await handle.result()).toBe(6);
    await replayed(handle, 'loop');
    expect(ran).toEqual(['round-1', 'round-2', 'round-3']);
  });

  it('runs a crashed task again by the rules of all graphs', async () => {
    const attempts: number[] = [];
    const handle = await start('runs', (_id, { attempt }) => {
      attempts.push(attempt);
      if (attempt === 1) throw fault('signal');
      return 'at last';
    });
    expect(await handle.result()).toBe('at last');
    expect(attempts).toEqual([1, 2]);
  });

  it('can catch the failure of a task, and goes on', async () => {
    const handle = await start('caught', () => {
      throw fault('exception');
    });
    expect(await handle.result()).toMatchObject({
      facts: { task: 'broken', state: 'failed', message: 'it was exception' },
      after: 'skipped',
    });
    expect(engine.journal.at(-1)).toMatchObject({ type: 'ended', state: 'succeeded' });
    await replayed(handle, 'caught');
  });

  it('fails when a task has failed that nobody has looked at', async () => {
    const handle = await start('unheeded', () => {
      throw fault('exception');
    });
    expect((await failureOf(handle))?.message).toBe('broken: it was exception');
    expect(engine.journal.at(-1)).toMatchObject({
      type: 'ended',
      state: 'failed',
      message: 'broken: it was exception',
    });
  });

  it('takes the failure of a task for looked at when what waits for it is', async () => {
    const handle = await start('passed on', () => {
      throw fault('exception');
    });
    expect(await handle.result()).toBe('skipped');
  });

  it('fails when its function throws, and stops what still runs', async () => {
    const handle = await start('throws', (id) => (id === 'slow' ? untilCancelled() : 1));
    expect((await failureOf(handle))?.message).toBe('out of range');
    expect(engine.journal.at(-1)).toMatchObject({ type: 'ended', state: 'failed', message: 'out of range' });
    expect(engine.journal).toContainEqual(expect.objectContaining({ type: 'revoked', node: 1 }));
    await replayed(handle, 'throws');
  });

  it('fails, and says why, when a task is refused', async () => {
    const handle = await start('wrong', () => 1);
    const message = (await failureOf(handle))?.message;
    expect(message).toContain('task "wrong", queue: is not a queue name');
    expect(ran).toEqual([]);
  });

  // Each of these would hold the run for ever, if what the program gave were not looked at where the program can be told.
  it.each([
    [
      'result in a circle',
      'the result of the workflow cannot be written as JSON: Converting circular structure to JSON',
      [],
    ],
    ['result is a function', 'the result of the workflow cannot be written as JSON: it is a function', []],
    ['params with a bigint', 'task "big" cannot be written as JSON: Do not know how to serialize a BigInt', []],
    ['one id twice', 'there is a task "render" already: give each task an id of its own, or none', ['render']],
  ])('fails, and says why: %s', async (what, message, begun) => {
    const handle = await start(what, () => 1);
    expect((await failureOf(handle))?.message).toContain(message);
    expect(ran).toEqual(begun);
  });

  it('waits for a signal', async () => {
    const handle = await start('waits', () => 'done');
    await handle.signal('word', 'go');
    expect(await handle.result()).toEqual(['go', 'done']);
    await replayed(handle, 'waits');
  });

  it('waits for so long, and goes on', async () => {
    const handle = await start('waits for so long', () => 'done');
    expect(await handle.result()).toEqual([true, 'done']);
  });

  it('ends as revoked when it is cancelled while it waits, whatever its function makes of it', async () => {
    const handle = await start('waits', () => 'done');
    await waitFor(async () => expect(engine.journal).toContainEqual(expect.objectContaining({ type: 'started' })));
    await handle.cancel();
    expect(await failureOf(handle)).toBeInstanceOf(CancelledFailure);
    expect(engine.journal.at(-1)).toMatchObject({ type: 'ended', state: 'revoked' });
  });

  it('stops its tasks when it is cancelled', async () => {
    const handle = await start('runs', untilCancelled);
    await waitFor(async () => expect(ran).toEqual(['slow']));
    await handle.cancel();
    expect(await failureOf(handle)).toBeInstanceOf(CancelledFailure);
    expect(engine.journal).toContainEqual(expect.objectContaining({ type: 'revoked', node: 1 }));
  });

  it('can cancel a task, and what waits for it is skipped', async () => {
    const handle = await start('cancels', (id) => (id === 'slow' ? untilCancelled() : 1));
    expect(await handle.result()).toEqual([{ state: 'revoked', message: 'no longer needed' }, 'skipped']);
    await replayed(handle, 'cancels');
  });

  it('holds its tasks back while it is paused', async () => {
    const handle = await start('waits', () => 'done');
    await handle.signal('pauseGraph');
    await handle.signal('word', 'go');
    await waitFor(async () => expect((await graphs.documents.nodes(handle.workflowId, 1, 9)).length).toBe(1));
    expect(ran).toEqual([]);
    await handle.signal('resumeGraph');
    expect(await handle.result()).toEqual(['go', 'done']);
  });
});
