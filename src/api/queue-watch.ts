import type { Engine, QueueStats } from '../engine/engine.js';

const keepMs = 5000;
/** Custom queues are free text of users: what is remembered of them is bounded. */
const maxQueues = 1000;

/** Backlog and pollers of queues, remembered for five seconds: many clients watch the same few queues. */
export class QueueWatch {
  readonly #engine: Engine;
  readonly #known = new Map<string, { readonly at: number; readonly stats: Promise<QueueStats> }>();

  constructor(engine: Engine) {
    this.#engine = engine;
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

  /** A sentence when nobody serves the queue; null when somebody does, or when it cannot be told. */
  async whyWaiting(queue: string): Promise<string | null> {
    try {
      const { pollers } = await this.stats(queue);
      return pollers > 0 ? null : `queue "${queue}" has no worker: start one that has it in QUEUE_NAME`;
    } catch {
      return null;
    }
  }
}
