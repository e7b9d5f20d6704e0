import { endJob } from '../activities/end-lost-run.js';
import { isTerminal, type JobRecord } from '../contract/job.js';
import type { ApiDeps } from './deps.js';
import type { GraphsReader } from './graphs/graphs-reader.js';
import { pause } from './pause.js';

/** A job whose record has said nothing for so long is worth a question; the next one comes after the same time. */
const silentMs = 30_000;
/** How long a reader waits for the answer: what it tells comes from the share, whether Temporal is there or not. */
const patienceMs = 1000;
/** Jobs whose last question is remembered. */
const mostAsked = 1000;

const message =
  'it was ended in Temporal itself (terminated, or timed out), so nothing of it goes on: POST /jobs/{id}/retry runs it again';

/**
 * Jobs that were ended behind everybody's back: nobody is left who could write so, and the record would speak of a running
 * job for ever. Whoever reads the state of one that has been silent has Temporal asked, and the end written.
 */
export class LostJobs {
  readonly #deps: ApiDeps;
  readonly #graphs: GraphsReader;
  /** When each was last asked about; the first is the next to go. */
  readonly #asked = new Map<string, number>();

  constructor(deps: ApiDeps, graphs: GraphsReader) {
    this.#deps = deps;
    this.#graphs = graphs;
  }

  /** @returns whether Temporal was asked: then the record may have changed */
  async look(record: JobRecord): Promise<boolean> {
    if (isTerminal(record.status)) return false;
    const { jobId } = record;
    const now = Date.now();
    if (now - Math.max(lastSign(record), this.#asked.get(jobId) ?? 0) < silentMs) return false;
    this.#asked.delete(jobId);
    this.#asked.set(jobId, now);
    if (this.#asked.size > mostAsked) this.#asked.delete(this.#asked.keys().next().value as string);
    const enough = new AbortController();
    const looked = this.#askAndEnd(record)
      .catch((error: unknown) =>
        this.#deps.logger?.warn({ err: error, jobId }, 'whether a silent job still runs could not be found out'),
      )
      .finally(() => enough.abort());
    await Promise.race([looked, pause(patienceMs, enough.signal)]);
    return true;
  }

  async #askAndEnd({ jobId, graphId }: JobRecord): Promise<void> {
    // Of a graph the journal has to be ended, too; reading it sees to that.
    if ((await this.#graphs.viewIfThere(graphId)) !== null) return;
    // null: Temporal does not know it. It may not have been started yet.
    if ((await this.#deps.engine.isOpen(jobId)) !== false) return;
    // A run, or an attempt, writes the end before it closes: read after the answer, the record has it.
    if (await endJob(this.#deps, jobId, message)) {
      this.#deps.logger?.warn({ jobId }, 'a job was ended in Temporal itself');
    }
  }
}

/** When the record last changed, as far as it tells. */
function lastSign({ timeInfo, attempts }: JobRecord): number {
  const last = attempts.at(-1);
  const times = [timeInfo.request === null ? null : `${timeInfo.request}Z`, last?.startedAt, last?.endedAt];
  return Math.max(0, ...times.map((time) => (time == null ? 0 : Date.parse(time))));
}
