import type { Logger } from 'pino';
import { jobIdOf } from '../contract/ids.js';
import { isTerminal } from '../contract/job.js';
import type { JournalEntry } from '../contract/journal.js';
import type { Engine } from '../engine/engine.js';
import type { GraphFold } from '../store/graph-fold.js';
import type { GraphReader } from '../store/graph-reader.js';
import type { JobStore } from '../store/job-store.js';
import { JournalWriter } from '../store/journal-file.js';
import { claim } from '../store/ownership.js';
import { cancelSent } from '../store/sent-canvases.js';
import { changeRecord } from './record-activities.js';

/** The end of runs that were closed without their interpreter: nobody else is left who could write it. */

export interface LostRunDeps {
  readonly store: JobStore;
  readonly engine: Engine;
  readonly reader: GraphReader;
  readonly journal: JournalWriter;
  readonly logger?: Pick<Logger, 'warn' | 'error'>;
}

export function lostRunDeps(deps: Omit<LostRunDeps, 'journal'>): LostRunDeps {
  const { store, engine, reader, logger } = deps;
  const journal = new JournalWriter(store.root, (graphId, error) =>
    logger?.error({ err: error, graphId }, 'the end of a lost run could not be written'),
  );
  return { store, engine, reader, journal, ...(logger === undefined ? {} : { logger }) };
}

/** Jobs whose records are read at the same time. */
const atOnce = 16;
/** Apart from the interpreter's own entries: a run that is reset in Temporal may still write those. */
const ofNobody = 1_000_000;

const endedByHand =
  'its run was ended in Temporal itself (terminated, or timed out), so nothing of it goes on: ' +
  'POST /graphs/{graph}/retry runs what is left as a new graph';

/**
 * Asks Temporal whether a run is closed, and writes its end where the journal has none.
 * @param declared number of nodes in the document
 * @param why it is told, where somebody of ours has ended it
 * @returns whether the journal has an end now
 */
export async function endLostRun(deps: LostRunDeps, graphId: string, declared: number, why?: string): Promise<boolean> {
  const { engine, reader, journal, logger } = deps;
  // null: Temporal does not know it. It may not have been started yet.
  if ((await engine.isOpen(graphId)) !== false) return false;
  // A run writes its end before it closes: read after the answer, the journal has it.
  const fold = await reader.fold(graphId);
  if (fold.endedAt !== null) return true;
  const failure = await engine.ofGraphs.failureOf(graphId);
  const message = failure ?? why ?? endedByHand;
  const numbers = unended(fold, declared);
  for (let at = 0; at < numbers.length; at += atOnce) {
    const begun = numbers.slice(at, at + atOnce).filter((number) => fold.node(number).attempt > 0);
    await Promise.all(begun.map((number) => endJob(deps, jobIdOf(graphId, number), message)));
  }
  const at = new Date().toISOString();
  const entries = numbers.map((node): JournalEntry => ({ at, type: 'revoked', node, message, n: ofNobody }));
  const state = failure === null ? 'revoked' : 'failed';
  await journal.append(graphId, [...entries, { at, type: 'ended', state, message, n: ofNobody }]);
  logger?.warn({ graphId, nodes: numbers.length, message }, 'the run of a graph was ended without its interpreter');
  return true;
}

/** Writes the end of a job that nothing stands behind any more. @returns whether there was none yet */
export async function endJob(
  { store, engine }: Pick<LostRunDeps, 'store' | 'engine'>,
  jobId: string,
  why: string,
): Promise<boolean> {
  const record = await store.readRecord(jobId);
  if (record === null || isTerminal(record.status)) return false;
  // Nothing that is still alive somewhere may write after this.
  await claim(store, jobId, Number.MAX_SAFE_INTEGER);
  await changeRecord(store, jobId, { kind: 'revoked', message: why });
  await cancelSent(store, jobId, {
    cancelGraph: (graphId) => engine.ofGraphs.cancel(graphId),
    cancelJob: (sentId, reason) => engine.cancelJob(sentId, reason),
  });
  return true;
}

/** Numbers of all nodes that have not ended, items of maps and nodes of workflow files included. */
function unended(fold: GraphFold, declared: number): number[] {
  const numbers = new Set<number>(fold.touched.keys());
  for (let number = 1; number <= declared; number++) numbers.add(number);
  for (const { first, count } of fold.maps) for (let at = 0; at < count; at++) numbers.add(first + at);
  return [...numbers].filter((number) => ['waiting', 'queued'].includes(fold.node(number).state)).sort((a, b) => a - b);
}
