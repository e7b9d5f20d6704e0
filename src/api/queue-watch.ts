import { isServiceQueue, knownQueues } from '../contract/queues.js';
import type { WorkerReport } from '../contract/worker-report.js';
import type { Engine, QueueStats } from '../engine/engine.js';

const keepMs = 5000;
/** Workers write their reports every two seconds. */
const keepReportsMs = 1000;
/** Custom queues are free text of users: what is remembered of them is bounded. */
const maxQueues = 1000;
/** Queues that nobody serves are shown up to this number, and looked for among so many open jobs at once. */
const [maxUnserved, openJobs] = [50, 100];
const maxNamed = 200;

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
  /** Custom queues with the last graph that named them. */
  readonly #named = new Map<string, string | null>();
  #open: { readonly at: number; readonly queues: Promise<ReadonlySet<string>> } | null = null;
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

  /**
   * Queues that lists of open jobs may not tell of.
   * @param graph that has nodes in them; null: they are paused
   */
  remember(queues: Iterable<string>, graph: string | null): void {
    for (const queue of new Set(queues)) {
      if (isKnownQueue(queue)) continue;
      this.#named.delete(queue);
      this.#named.set(queue, graph);
    }
    for (const oldest of this.#named.keys()) {
      if (this.#named.size <= maxNamed) break;
      this.#named.delete(oldest);
    }
  }

  /**
   * Queues that no live worker serves, but in which open jobs wait, or which are paused: without a worker no report tells of
   * them. What waits is not enough: the server keeps tasks of cancelled jobs until a worker asks for them.
   * @param served those that are known already
   */
  async unserved(served: readonly string[]): Promise<QueueStats[]> {
    const now = Date.now();
    if (this.#open === null || now - this.#open.at >= keepMs) {
      const queues = this.#queuesOfOpenJobs(served);
      this.#open = { at: now, queues };
      queues.catch(() => (this.#open = null));
    }
    const open = await this.#open.queues;
    const names = [...new Set([...open, ...this.#named.keys()])].filter((queue) => !served.includes(queue));
    const stats = await Promise.all(
      names.map(async (queue) => {
        const one = await this.stats(queue);
        if (one.paused !== null) return [one];
        return one.backlog > 0 && (open.has(queue) || (await this.#isWanted(queue))) ? [one] : [];
      }),
    );
    return stats.flat().slice(0, maxUnserved);
  }

  async #isWanted(queue: string): Promise<boolean> {
    const graph = this.#named.get(queue) ?? null;
    const isWanted = graph !== null && (await this.#engine.isOpen(graph)) === true;
    if (!isWanted) this.#named.delete(queue);
    return isWanted;
  }

  /** Many jobs of one queue hide others: so they are looked for beside those that were found. */
  async #queuesOfOpenJobs(served: readonly string[]): Promise<ReadonlySet<string>> {
    const found = new Set<string>();
    for (let before = -1; found.size > before && found.size < maxUnserved; ) {
      before = found.size;
      // Graphs of several queues have none as their label.
      const queuesBeside = [...served, ...found, ''];
      const { runs } = await this.#engine.list({ states: ['OPEN'], queuesBeside, limit: openJobs });
      for (const { queue } of runs) if (queue !== '') found.add(queue);
    }
    return found;
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

function isKnownQueue(queue: string): boolean {
  return (knownQueues as readonly string[]).includes(queue);
}
