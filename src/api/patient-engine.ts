import type { GraphInput, RunLabels } from '../contract/graph.js';
import type { Engine, ListQuery } from '../engine/engine.js';
import { isUnreachable } from '../engine/unreachable.js';
import { EngineError } from '../errors/engine-error.js';

/**
 * The engine, but no request waits for a server that is away: after ten seconds, or when the connection says so, the
 * answer is UNAVAILABLE. Other faults stay what they are: a client must not come again for a fault of ours.
 */
export function patientEngine(engine: Engine, patienceMs = 10_000): Engine {
  const ask = <T>(call: () => Promise<T>): Promise<T> => patiently(call, patienceMs);
  const { ofGraphs } = engine;
  return {
    ofGraphs: {
      signal: (graphId, name, ...args) => ask(() => ofGraphs.signal(graphId, name, ...args)),
      cancel: (graphId) => ask(() => ofGraphs.cancel(graphId)),
      failureOf: (graphId) => ask(() => ofGraphs.failureOf(graphId)),
      list: (query) => ask(() => ofGraphs.list(query)),
      count: () => ask(() => ofGraphs.count()),
    },
    startGraph: (input: GraphInput, labels: RunLabels) => ask(() => engine.startGraph(input, labels)),
    continueAsGraph: (input: GraphInput, labels: RunLabels) => ask(() => engine.continueAsGraph(input, labels)),
    cancelJob: (jobId: string, reason: string) => ask(() => engine.cancelJob(jobId, reason)),
    isOpen: (jobId: string) => ask(() => engine.isOpen(jobId)),
    list: (query: ListQuery) => ask(() => engine.list(query)),
    countByState: () => ask(() => engine.countByState()),
    startArchive: (jobId: string, fingerprint: string) => ask(() => engine.startArchive(jobId, fingerprint)),
    queueStats: (queue: string) => ask(() => engine.queueStats(queue)),
    pauseQueue: (queue: string, by: string, reason: string) => ask(() => engine.pauseQueue(queue, by, reason)),
    resumeQueue: (queue: string, by: string) => ask(() => engine.resumeQueue(queue, by)),
    ping: (timeoutMs: number) => engine.ping(timeoutMs),
    close: () => engine.close(),
  };
}

/** One call of an engine, not waited for longer than that. */
export async function patiently<T>(call: () => Promise<T>, patienceMs = 10_000): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(unavailable(undefined)), patienceMs);
  });
  try {
    return await Promise.race([call(), timeout]);
  } catch (error) {
    throw isUnreachable(error) ? unavailable(error) : error;
  } finally {
    clearTimeout(timer);
  }
}

function unavailable(cause: unknown): EngineError {
  return new EngineError(
    'UNAVAILABLE',
    'the Temporal server cannot be reached: check that it runs, and TEMPORAL_ADDRESS',
    {},
    { cause },
  );
}
