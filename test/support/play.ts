import { Context } from '@temporalio/activity';
import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { expect } from 'vitest';
import type { AttemptInput, GraphNode, GraphSignals } from '../../src/contract/graph.js';
import { nodeIndexOf } from '../../src/contract/ids.js';
import type { FaultKind } from '../../src/contract/job.js';
import { newGraphId } from '../../src/contract/new-graph-id.js';
import { type EngineUnderTest, startEngine } from './engine-under-test.js';
import { node } from './graphs.js';

/** Graphs of one queue whose scripts a test plays: what ran is noted, what it does is told by the test. */
export interface Play {
  readonly engine: EngineUnderTest;
  readonly graphId: string;
  /** Node numbers in the order in which their scripts were started. */
  readonly ran: number[];
  /** The same, by number. */
  readonly ranSorted: () => number[];
  readonly at: (index: number, more?: Partial<GraphNode>) => GraphNode;
  /** Entries of these types, as "type node". */
  readonly journalOf: (...types: string[]) => string[];
}

type Options = Omit<Parameters<typeof startEngine>[0], 'queues' | 'runScript'>;

export async function play(
  options: Options,
  script: (index: number, input: AttemptInput) => Promise<unknown> | undefined = () => undefined,
): Promise<Play> {
  const ran: number[] = [];
  const engine = await startEngine({
    ...options,
    queues: ['cpu'],
    runScript: async (input) => {
      const index = nodeIndexOf(input.jobId);
      ran.push(index);
      // As the real one does: a script that a test holds is not lost.
      const context = Context.current();
      const beat = setInterval(() => context.heartbeat(), 1000);
      try {
        await script(index, input);
      } finally {
        clearInterval(beat);
      }
      return { result: null, resultFile: null, tookMs: 1 };
    },
  });
  return {
    engine,
    graphId: newGraphId(),
    ran,
    ranSorted: () => [...ran].sort((a, b) => a - b),
    at: (index, more = {}) => node(index, { queue: engine.queue('cpu'), ...more }),
    journalOf: (...types) =>
      engine.journal.filter(({ type }) => types.includes(type)).map(({ type, node }) => `${type} ${node ?? ''}`.trim()),
  };
}

/** What a script that fails throws, as the real activity does. */
export function fault(kind: FaultKind): ApplicationFailure {
  return ApplicationFailure.nonRetryable(kind, kind.toUpperCase(), { kind, message: `it was ${kind}` });
}

export async function signal<N extends keyof GraphSignals>(
  handle: WorkflowHandle,
  name: N,
  ...args: GraphSignals[N]
): Promise<void> {
  await handle.signal(name, ...args);
}

/** The cause of a run's failure; undefined when it succeeds. */
export async function failureOf(handle: WorkflowHandle): Promise<Error | undefined> {
  try {
    await handle.result();
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(WorkflowFailedError);
    return (error as WorkflowFailedError).cause;
  }
}

/** Something a played script waits for. */
export function latch(): { readonly opened: Promise<void>; open(): void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
