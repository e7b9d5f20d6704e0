import { changeRecord } from '../../activities/record-activities.js';
import type { GraphHeader } from '../../contract/graph-document.js';
import { jobIdOf } from '../../contract/ids.js';
import { isTerminal } from '../../contract/job.js';
import type { JournalEntry } from '../../contract/journal.js';
import type { GraphFold, GraphSummary } from '../../store/graph-fold.js';
import type { GraphReader } from '../../store/graph-reader.js';
import { JournalWriter } from '../../store/journal-file.js';
import { claim } from '../../store/ownership.js';
import { cancelSent } from '../../store/sent-canvases.js';
import type { ApiDeps } from '../deps.js';
import { pause } from '../pause.js';

/** A journal that has been silent for so long is worth a question to Temporal; the next one comes after the same time. */
const silentMs = 30_000;
/** How long a reader waits for the answer: what it tells comes from the share, whether Temporal is there or not. */
const patienceMs = 1000;
/** Graphs whose last question is remembered. */
const mostAsked = 1000;
/** Jobs whose records are read at the same time. */
const atOnce = 16;
/** Apart from the interpreter's own entries: a run that is reset in Temporal may still write those. */
const ofNobody = 1_000_000;

const message =
  'its run was ended in Temporal itself (terminated, or timed out), so nothing of it goes on: ' +
  'POST /graphs/{graph}/retry runs what is left as a new graph';

/**
 * Runs that were ended behind the interpreter's back: it could write no end, so the journal would speak of a running graph
 * for ever. Whoever reads a silent journal has Temporal asked, and the end written where all readers find it.
 */
export class LostRuns {
  readonly #deps: ApiDeps;
  readonly #reader: GraphReader;
  readonly #journal: JournalWriter;
  /** When Temporal was last asked about a graph; the first is the next to go. */
  readonly #asked = new Map<string, number>();

  constructor(deps: ApiDeps, reader: GraphReader) {
    this.#deps = deps;
    this.#reader = reader;
    this.#journal = new JournalWriter(deps.store.root, (graphId, error) =>
      deps.logger?.error({ err: error, graphId }, 'the end of a lost run could not be written'),
    );
  }

  /**
   * @param declared number of nodes in the document
   * @returns whether Temporal was asked: then the journal may have changed
   */
  async look(
    header: GraphHeader,
    fold: Pick<GraphSummary, 'endedAt' | 'changedAt'>,
    declared: number,
  ): Promise<boolean> {
    const { graphId, timeRequest } = header;
    if (fold.endedAt !== null) return false;
    const now = Date.now();
    const lastSign = Date.parse(fold.changedAt ?? `${timeRequest}Z`);
    if (now - Math.max(lastSign, this.#asked.get(graphId) ?? 0) < silentMs) return false;
    this.#asked.delete(graphId);
    this.#asked.set(graphId, now);
    if (this.#asked.size > mostAsked) this.#asked.delete(this.#asked.keys().next().value as string);
    const enough = new AbortController();
    const looked = this.#askAndEnd(graphId, declared)
      .catch((error: unknown) =>
        this.#deps.logger?.warn({ err: error, graphId }, 'whether a silent graph still runs could not be found out'),
      )
      .finally(() => enough.abort());
    await Promise.race([looked, pause(patienceMs, enough.signal)]);
    return true;
  }

  async #askAndEnd(graphId: string, declared: number): Promise<void> {
    // null: Temporal does not know it. It may not have been started yet.
    if ((await this.#deps.engine.isOpen(graphId)) !== false) return;
    // A run writes its end before it closes: read after the answer, the journal has it.
    const fold = await this.#reader.fold(graphId);
    if (fold.endedAt !== null) return;
    const numbers = unended(fold, declared);
    for (let at = 0; at < numbers.length; at += atOnce) {
      const begun = numbers.slice(at, at + atOnce).filter((number) => fold.node(number).attempt > 0);
      await Promise.all(begun.map((number) => endJob(this.#deps, jobIdOf(graphId, number), message)));
    }
    const at = new Date().toISOString();
    const entries = numbers.map((node): JournalEntry => ({ at, type: 'revoked', node, message, n: ofNobody }));
    await this.#journal.append(graphId, [...entries, { at, type: 'ended', state: 'revoked', message, n: ofNobody }]);
    this.#deps.logger?.warn({ graphId, nodes: numbers.length }, 'the run of a graph was ended in Temporal itself');
  }
}

/** Writes the end of a job that nothing stands behind any more. @returns whether there was none yet */
export async function endJob({ store, engine }: ApiDeps, jobId: string, why: string): Promise<boolean> {
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
