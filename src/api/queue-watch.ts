import { isServiceQueue } from '../contract/queues.js';
import type { WorkerReport } from '../contract/worker-report.js';
import type { Engine, QueueStats } from '../engine/engine.js';

const keepMs = 5000;
/** Workers write their reports every two seconds. */
const keepReportsMs = 1000;
/** Custom queues are free text of users: what is remembered of them is bounded. */
const maxQueues = 1000;

/** Why a job waits in its queue. */
export interface Waiting {
  readonly code: 'no-worker' | 'busy' | 'queue-paused';
  /** A sentence for people. */
  readonly message: string;
}

/** Who serves queues, and what waits in them; remembered for moments, since many clients watch the same few queues. */
export class QueueWatch {
  readonly #engine: Engine;
  readonly #readReports: () => Promise<readonly WorkerReport[]>;
  #reports: { readonly at: number; readonly workers: Promise<readonly WorkerReport[]> } | null = null;
  readonly #known = new Map<string, { readonly at: number; readonly stats: Promise<QueueStats> }>();

  /** @param readReports what the live workers say of themselves */
  constructor(engine: Engine, readReports: () => Promise<readonly WorkerReport[]>) {
    this.#engine = engine;
    this.#readReports = readReports;
  }

  stats(queue: string): Promise<QueueStats> {
    const now = Date.now();
    const known = this.#known.get(queue);
    if (known !== undefined && now - known.at < keepMs) return known.stats;
    const stats = this.#engine.queueStats(queue);
    if (this.#known.size >= maxQueues) this.#known.clear();
    this.#known.set(queue, { at: now, stats });
    stats.catch(() => this.#known.delete(queue));
    return stats;
  }

  /** What is known of a queue is not so any more. */
  forget(queue: string): void {
    this.#known.delete(queue);
  }

  /**
   * null when somebody who serves the queue has a free slot, or when it cannot be told. What workers say of themselves counts
   * first: one with all slots taken does not ask Temporal for more, and after some minutes Temporal has forgotten it.
   */
  async whyWaiting(queue: string): Promise<Waiting | null> {
    const paused = await this.stats(queue).then(
      (stats) => stats.paused,
      () => null,
    );
    if (paused !== null) {
      const reason = paused.reason === null ? '' : ` (${paused.reason})`;
      return { code: 'queue-paused', message: `queue "${queue}" is paused${reason}: it goes on when it is resumed` };
    }
    const serving = (await this.#workers()).filter(({ queues }) => queues.includes(queue));
    const taking = serving.filter(({ draining }) => !draining);
    if (taking.length > 0) return isServiceQueue(queue) ? null : allBusy(queue, taking);
    if (serving.length > 0) {
      return { code: 'no-worker', message: `the workers of queue "${queue}" are stopping: it waits for the next one` };
    }
    try {
      const { pollers } = await this.stats(queue);
      if (pollers > 0) return null;
      return { code: 'no-worker', message: `queue "${queue}" has no worker: start one that has it in QUEUE_NAME` };
    } catch {
      return null;
    }
  }

  #workers(): Promise<readonly WorkerReport[]> {
    const now = Date.now();
    if (this.#reports === null || now - this.#reports.at >= keepReportsMs) {
      this.#reports = { at: now, workers: this.#readReports().catch(() => []) };
    }
    return this.#reports.workers;
  }
}

function allBusy(queue: string, workers: readonly WorkerReport[]): Waiting | null {
  // A script that waits for others lends its slot, which counts as one more.
  if (workers.some(({ slots: { limit, used, lent } }) => used < limit + lent)) return null;
  const slots = workers.reduce((sum, worker) => sum + worker.slots.limit, 0);
  const whose = workers.length === 1 ? 'its worker' : `its ${workers.length} workers`;
  const which = slots === 1 ? 'the only slot' : `all ${slots} slots`;
  return { code: 'busy', message: `queue "${queue}": ${which} of ${whose} ${slots === 1 ? 'is' : 'are'} taken` };
}
