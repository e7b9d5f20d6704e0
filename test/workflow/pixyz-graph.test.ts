import { Context } from '@temporalio/activity';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { afterEach, describe, expect, it } from 'vitest';
import type { AttemptInput, AttemptResult } from '../../src/contract/graph.js';
import { jobIdOf, nodeIndexOf } from '../../src/contract/ids.js';
import type { FaultKind } from '../../src/contract/job.js';
import { type EngineUnderTest, startEngine } from '../support/engine-under-test.js';
import { graph, node } from '../support/graphs.js';
import { waitFor } from '../support/wait-for.js';

const done: AttemptResult = { result: null, resultFile: null };
const fault = (kind: FaultKind): ApplicationFailure =>
  ApplicationFailure.nonRetryable(kind, kind.toUpperCase(), { kind, message: `it was ${kind}` });

// Each case runs twice: with the run kept in memory, and replayed from its history at every step.
describe.each([
  ['kept in memory', 100],
  ['replayed at every step', 0],
])('the interpreter, %s', (_, cached) => {
  let engine: EngineUnderTest | undefined;
  afterEach(async () => {
    await engine?.stop();
    engine = undefined;
  });

  async function failureOf(promise: Promise<unknown>): Promise<Error | undefined> {
    try {
      await promise;
      return undefined;
    } catch (error) {
      expect(error).toBeInstanceOf(WorkflowFailedError);
      return (error as WorkflowFailedError).cause;
    }
  }

  it('runs the script once and completes', async () => {
    const seen: AttemptInput[] = [];
    engine = await startEngine({ cached, queues: ['cpu'], runScript: async (input) => (seen.push(input), done) });
    const input = graph([node(1, { queue: engine.queue('cpu') })]);
    await (await engine.start(input)).result();
    expect(seen).toMatchObject([
      { jobId: jobIdOf(input.graphId, 1), attempt: 1, retriesUsed: 0, lossesUsed: 0, timeLimit: 60 },
    ]);
    expect(engine.changes).toEqual([]);
  });

  it('runs a crashed script once more, on the same custom queue, then fails with what happened', async () => {
    const attempts: number[] = [];
    engine = await startEngine({
      cached,
      queues: ['wine'],
      runScript: async (input) => {
        attempts.push(input.attempt);
        throw fault('signal');
      },
    });
    const failure = await failureOf((await engine.start(graph([node(1, { queue: engine.queue('wine') })]))).result());
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect(failure?.message).toContain('it was signal');
    expect(attempts).toEqual([1, 2]);
  });

  it('a diamond runs in order, and each node once', async () => {
    const order: number[] = [];
    engine = await startEngine({
      cached,
      queues: ['cpu'],
      runScript: async (input) => (order.push(nodeIndexOf(input.jobId)), done),
    });
    const queue = engine.queue('cpu');
    await (
      await engine.start(
        graph([
          node(1, { queue }),
          node(2, { queue, deps: [1] }),
          node(3, { queue, deps: [1] }),
          node(4, { queue, deps: [2, 3] }),
        ]),
      )
    ).result();
    expect([order[0], order[3]]).toEqual([1, 4]);
    expect([...order].sort((a, b) => a - b)).toEqual([1, 2, 3, 4]);
  });

  it('a cancel reaches the running script, and the run ends as cancelled', async () => {
    let running = false;
    engine = await startEngine({
      cached,
      queues: ['cpu'],
      runScript: async () => {
        running = true;
        const context = Context.current();
        const beat = setInterval(() => context.heartbeat(), 50);
        await context.cancelled.finally(() => clearInterval(beat));
        return done;
      },
    });
    const handle = await engine.start(graph([node(1, { queue: engine.queue('cpu') })]));
    await waitFor(() => running);
    await handle.cancel();
    expect(await failureOf(handle.result())).toBeInstanceOf(CancelledFailure);
    expect((await handle.describe()).status.name).toBe('CANCELLED');
  });

  it('a cancel before the script has started revokes the job, and the record says so', async () => {
    engine = await startEngine({ cached, queues: [], runScript: async () => done });
    const input = graph([node(1, { queue: engine.queue('nobody'), countdown: 3600 })]);
    const handle = await engine.start(input);
    await handle.cancel();
    expect(await failureOf(handle.result())).toBeInstanceOf(CancelledFailure);
    expect(engine.changes).toEqual([
      { jobId: jobIdOf(input.graphId, 1), change: { kind: 'revoked', message: 'cancelled' } },
    ]);
  });

  it('a cancel of a job that waits in a queue without workers ends it at once', async () => {
    engine = await startEngine({ cached, queues: [], runScript: async () => done });
    const handle = await engine.start(graph([node(1, { queue: engine.queue('nobody') })]));
    await waitFor(async () => expect((await handle.describe()).raw.pendingActivities).toHaveLength(1));
    await handle.cancel();
    expect(await failureOf(handle.result())).toBeInstanceOf(CancelledFailure);
    expect(engine.changes).toMatchObject([{ change: { kind: 'revoked' } }]);
  });

  it('a job that nobody starts in time expires, and is listed as revoked', async () => {
    engine = await startEngine({ cached, queues: [], runScript: async () => done });
    const handle = await engine.start(graph([node(1, { queue: engine.queue('nobody'), expires: 1 })]));
    const failure = await failureOf(handle.result());
    expect(failure).toMatchObject({ type: 'REVOKED' });
    const labels = (await handle.describe()).typedSearchAttributes.getAll();
    expect(labels).toContainEqual({ key: { name: 'PixyzState', type: 'KEYWORD' }, value: 'REVOKED' });
  });

  it('one node can be cancelled while the others go on', async () => {
    engine = await startEngine({ cached, queues: ['cpu'], runScript: async () => done });
    const queue = engine.queue('cpu');
    const input = graph([node(1, { queue, countdown: 3600 }), node(2, { queue })]);
    const handle = await engine.start(input);
    await handle.signal('cancelNode', 1, 'not this one');
    expect(await failureOf(handle.result())).toMatchObject({ type: 'REVOKED' });
    expect(engine.changes).toEqual([
      { jobId: jobIdOf(input.graphId, 1), change: { kind: 'revoked', message: 'not this one' } },
    ]);
  });

  it('an attempt that a full worker gave back runs again under the same number', async () => {
    const attempts: number[] = [];
    engine = await startEngine({
      cached,
      queues: ['cpu'],
      runScript: async (input) => {
        attempts.push(input.attempt);
        if (attempts.length === 1) throw ApplicationFailure.nonRetryable('taken', 'NO_SLOT');
        return done;
      },
    });
    await (await engine.start(graph([node(1, { queue: engine.queue('cpu') })]))).result();
    expect(attempts).toEqual([1, 1]);
  });

  it('a worker that stops sending heartbeats loses the attempt, and the next one runs', async () => {
    const attempts: AttemptInput[] = [];
    engine = await startEngine({
      cached,
      queues: ['cpu'],
      runScript: async (input) => {
        attempts.push(input);
        if (input.attempt === 1)
          await new Promise((resolve) => Context.current().cancellationSignal.addEventListener('abort', resolve));
        return done;
      },
    });
    await (await engine.start(graph([node(1, { queue: engine.queue('cpu') })]))).result();
    expect(attempts).toMatchObject([
      { attempt: 1, lossesUsed: 0 },
      { attempt: 2, lossesUsed: 1, retriesUsed: 0 },
    ]);
    expect(engine.changes).toMatchObject([{ change: { kind: 'lost', attempt: 1 } }]);
  });
});
