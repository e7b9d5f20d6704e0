import { knownQueues } from '../contract/queues.js';
import type { WorkerReport } from '../contract/worker-report.js';

/** Custom queues shown beside the known ones: only those a live worker serves, and not more than this. */
const maxCustomQueues = 50;

/** The queues that metrics and lists show: a bounded number, since custom names are free text. */
export function shownQueues(workers: readonly WorkerReport[]): string[] {
  const custom = [...new Set(workers.flatMap((report) => report.queues))].filter(
    (queue) => !(knownQueues as readonly string[]).includes(queue),
  );
  return [...knownQueues, ...custom.sort().slice(0, maxCustomQueues)];
}
