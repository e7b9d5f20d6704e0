import { endLostRun, type LostRunDeps, lostRunDeps } from '../../activities/end-lost-run.js';
import type { GraphHeader } from '../../contract/graph-document.js';
import type { GraphSummary } from '../../store/graph-fold.js';
import type { GraphReader } from '../../store/graph-reader.js';
import type { ApiDeps } from '../deps.js';
import { pause } from '../pause.js';

/** A journal that has been silent for so long is worth a question to Temporal; the next one comes after the same time. */
const silentMs = 30_000;
/** How long a reader waits for the answer: what it tells comes from the share, whether Temporal is there or not. */
const patienceMs = 1000;
/** Graphs whose last question is remembered. */
const mostAsked = 1000;

/**
 * Runs that were ended behind the interpreter's back: it could write no end, so the journal would speak of a running graph
 * for ever. Whoever reads a silent journal has Temporal asked, and the end written where all readers find it.
 */
export class LostRuns {
  readonly #deps: ApiDeps;
  readonly #lost: LostRunDeps;
  /** When Temporal was last asked about a graph; the first is the next to go. */
  readonly #asked = new Map<string, number>();

  constructor(deps: ApiDeps, reader: GraphReader) {
    this.#deps = deps;
    this.#lost = lostRunDeps({ ...deps, reader });
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
    const looked = endLostRun(this.#lost, graphId, declared)
      .catch((error: unknown) =>
        this.#deps.logger?.warn({ err: error, graphId }, 'whether a silent graph still runs could not be found out'),
      )
      .finally(() => enough.abort());
    await Promise.race([looked, pause(patienceMs, enough.signal)]);
    return true;
  }
}
