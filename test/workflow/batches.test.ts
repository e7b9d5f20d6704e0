import { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { afterEach, describe, expect, it } from 'vitest';
import type { BatchInput, GraphNode, JobOutcome } from '../../src/contract/graph.js';
import { nodeIndexOf } from '../../src/contract/ids.js';
import { failureOf, fault, latch, type Play, play, signal } from '../support/play.js';
import { waitFor } from '../support/wait-for.js';

const succeeded = ({ jobId, attempt }: { jobId: string; attempt: number }): JobOutcome => ({
  jobId,
  attempt,
  outcome: { kind: 'succeeded', tookMs: 1 },
});
const notBegun = ({ jobId, attempt }: { jobId: string; attempt: number }): JobOutcome => ({
  jobId,
  attempt,
  outcome: { kind: 'not-begun' },
});

describe.each([
  ['kept in memory', 100],
  ['replayed at every step', 0],
])('short attempts, %s', (_, cached) => {
  let played: Play | undefined;
  afterEach(async () => {
    await played?.engine.stop();
    played = undefined;
  });
  const start = async (
    options: Omit<Parameters<typeof play>[0], 'cached'>,
    script?: Parameters<typeof play>[1],
  ): Promise<Play> => {
    played = await play({ cached, ...options }, script);
    return played;
  };

  /** Nodes 1 to `count`, one after another, of the same short work. */
  const chain = (at: Play['at'], count: number): GraphNode[] =>
    Array.from({ length: count }, (_unused, i) => at(i + 1, { work: 'short', ...(i === 0 ? {} : { deps: [i] }) }));
  const nodesOf = (batch: BatchInput): number[] => batch.inputs.map(({ jobId }) => nodeIndexOf(jobId));

  it('links of a chain travel together once they are known to be short', async () => {
    const batches: number[][] = [];
    const { engine, graphId, ran, journalOf, at } = await start({
      runScripts: async (batch) => {
        batches.push(nodesOf(batch));
        return { jobs: batch.inputs.map(succeeded) };
      },
    });
    await (await engine.start({ graphId, nodes: chain(at, 40), journal: true })).result();
    expect(ran).toEqual([1]);
    expect(batches.map((batch) => batch.length)).toEqual([32, 7]);
    expect(batches.flat()).toEqual(Array.from({ length: 39 }, (_unused, i) => i + 2));
    expect(journalOf('queued')).toHaveLength(40);
  });

  it('what is ready together is spread over some batches', async () => {
    const sizes: number[] = [];
    const { engine, graphId, at } = await start({
      runScripts: async (batch) => {
        sizes.push(batch.inputs.length);
        return { jobs: batch.inputs.map(succeeded) };
      },
    });
    const nodes = [
      ...chain(at, 2),
      ...Array.from({ length: 100 }, (_unused, i) => at(i + 3, { work: 'short', deps: [2] })),
    ];
    await (await engine.start({ graphId, nodes, journal: true })).result();
    expect(sizes).toEqual([25, 25, 25, 25]);
  });

  it('many of an unknown kind are taken for short, and travel alone once one takes long', async () => {
    const sizes: number[] = [];
    const { engine, graphId, ran, at } = await start({
      runScripts: async ({ inputs }) => {
        sizes.push(inputs.length);
        const [first, ...rest] = inputs as [(typeof inputs)[0]];
        await engine.client.workflow
          .getHandle(Context.current().info.workflowExecution?.workflowId ?? '')
          .signal('handBack', { jobs: rest.map(notBegun) });
        return { jobs: [{ ...succeeded(first), outcome: { kind: 'succeeded', tookMs: 400 } }, ...rest.map(notBegun)] };
      },
    });
    const nodes = Array.from({ length: 40 }, (_unused, i) => at(i + 1, { work: 'long' }));
    await (await engine.start({ graphId, nodes, journal: true })).result();
    expect(sizes).toEqual([10, 10, 10, 10]);
    expect(new Set(ran).size).toBe(36);
    expect(ran).toHaveLength(36);
  });

  it('the first that fails ends the batch: what it holds up is skipped, and nothing ran twice', async () => {
    const { engine, graphId, ran, journalOf, at } = await start({}, (index) => {
      if (index === 5) throw fault('exception');
      return undefined;
    });
    const handle = await engine.start({ graphId, nodes: chain(at, 8), journal: true });
    expect((await failureOf(handle))?.message).toBe('node 5: it was exception');
    expect(ran).toEqual([1, 2, 3, 4, 5]);
    expect(journalOf('skipped')).toEqual(['skipped 6', 'skipped 7', 'skipped 8']);
  });

  it('what a worker hands back runs elsewhere while the long one goes on', async () => {
    const long = latch();
    const begun: number[] = [];
    const { engine, graphId, ran, at } = await start({
      runScripts: async ({ inputs }) => {
        const [first, second, ...rest] = inputs as [(typeof inputs)[0], (typeof inputs)[0]];
        begun.push(nodeIndexOf(first.jobId), nodeIndexOf(second.jobId));
        const { client } = engineOf();
        await client.workflow
          .getHandle(Context.current().info.workflowExecution?.workflowId ?? '')
          .signal('handBack', { jobs: [succeeded(first), ...rest.map(notBegun)] });
        await long.opened;
        // The result says it all again.
        return { jobs: [succeeded(first), succeeded(second), ...rest.map(notBegun)] };
      },
    });
    const engineOf = (): typeof engine => engine;
    // Those that teach, then three at once, each too few to share; but one has a chain behind it.
    const nodes = [...chain(at, 2), ...[3, 4, 5].map((index) => at(index, { work: 'short', deps: [2] }))];
    nodes.push(
      at(6, { work: 'short', deps: [3] }),
      at(7, { work: 'short', deps: [6] }),
      at(8, { work: 'short', deps: [7] }),
    );
    const handle = await engine.start({ graphId, nodes, journal: true });
    // The chain 3, 6, 7, 8 is one batch: 3 is done, 6 is long, 7 and 8 come back and wait for 6.
    await waitFor(() => expect(begun).toEqual([3, 6]));
    await waitFor(() => expect(engine.journal).toContainEqual(expect.objectContaining({ type: 'succeeded', node: 3 })));
    expect(ran).toEqual(expect.arrayContaining([1, 2, 4, 5]));
    long.open();
    await handle.result();
    // Each began once: 7 and 8 were sent twice.
    expect([...ran, ...begun].toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('of a lost batch, what had ended counts, what had begun is lost, and the rest runs under a new number', async () => {
    const attempts: string[] = [];
    let lost = false;
    const { engine, graphId, at } = await start(
      {
        runScripts: async (batch) => {
          if (!lost) {
            lost = true;
            throw ApplicationFailure.nonRetryable('the share is gone', 'UNAVAILABLE');
          }
          for (const { jobId, attempt } of batch.inputs) attempts.push(`${nodeIndexOf(jobId)}:${attempt}`);
          return { jobs: batch.inputs.map(succeeded) };
        },
        records: {
          settleBatch: async (jobs) =>
            jobs.map((job) => {
              const index = nodeIndexOf(job.jobId);
              if (index <= 3) return succeeded(job);
              return index === 4 ? { ...job, outcome: { kind: 'begun' } } : notBegun(job);
            }),
        },
      },
      async (_index, { jobId, attempt }) => attempts.push(`${nodeIndexOf(jobId)}:${attempt}`),
    );
    await (await engine.start({ graphId, nodes: chain(at, 6), journal: true })).result();
    // 4 has lost a worker, so it travels alone.
    expect(attempts).toEqual(['1:1', '4:2', '5:2', '6:2']);
    expect(engine.changes).toMatchObject([{ change: { kind: 'lost', attempt: 1 } }]);
  });

  it('a batch that a full worker gave back runs again under the same numbers', async () => {
    const attempts: string[] = [];
    const { engine, graphId, at } = await start({
      runScripts: async (batch) => {
        attempts.push(batch.inputs.map(({ jobId, attempt }) => `${nodeIndexOf(jobId)}:${attempt}`).join(' '));
        if (attempts.length === 1) throw ApplicationFailure.nonRetryable('taken', 'NO_SLOT');
        return { jobs: batch.inputs.map(succeeded) };
      },
    });
    await (await engine.start({ graphId, nodes: chain(at, 5), journal: true })).result();
    expect(attempts).toEqual(['2:1 3:1 4:1 5:1', '2:1 3:1 4:1 5:1']);
  });

  it('a node that is cancelled while others of its batch go on is stopped as soon as it is the last', async () => {
    let batch: BatchInput | undefined;
    let cancelled = false;
    const goOn = latch();
    const { engine, graphId, journalOf, at } = await start({
      runScripts: async (input) => {
        batch = input;
        const context = Context.current();
        const beat = setInterval(() => context.heartbeat(), 50);
        try {
          await Promise.race([
            goOn.opened,
            context.cancelled.catch((error: unknown) => {
              cancelled = true;
              throw error;
            }),
          ]);
        } finally {
          clearInterval(beat);
        }
        return { jobs: input.inputs.map(succeeded) };
      },
    });
    const handle = await engine.start({ graphId, nodes: chain(at, 6), journal: true });
    await waitFor(() => expect(batch?.inputs).toHaveLength(5));
    await signal(handle, 'cancelNode', 4, 'not this one');
    const [zeroth, first, second, third, fourth] = batch?.inputs ?? [];
    await signal(handle, 'handBack', {
      jobs: [
        ...[zeroth, first].map((input) => succeeded(input as never)),
        ...[third, fourth].map((input) => notBegun(input as never)),
      ],
    });
    // Now 4 is the batch's last, and is stopped at once.
    await waitFor(() => expect(cancelled).toBe(true));
    expect(nodeIndexOf(second?.jobId ?? '')).toBe(4);
    expect(await failureOf(handle)).not.toBeInstanceOf(CancelledFailure);
    expect(journalOf('succeeded', 'revoked', 'skipped')).toEqual([
      'succeeded 1',
      'succeeded 2',
      'succeeded 3',
      'revoked 4',
      'skipped 5',
      'skipped 6',
    ]);
  });
});
