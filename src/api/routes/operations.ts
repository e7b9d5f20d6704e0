import { isServiceQueue } from '../../contract/queues.js';
import type { WorkerReport } from '../../contract/worker-report.js';
import type { ApiDeps, App } from '../deps.js';
import type { QueueWatch } from '../queue-watch.js';
import { errorAnswers } from '../schemas/errors.js';
import { queueListSchema, workerListSchema } from '../schemas/operations.js';
import { shownQueues } from '../shown-queues.js';
import { liveWorkers } from '../worker-reports.js';

const common = { tags: ['operations'], security: [{ APIKeyHeader: [] }] };

/** Who serves what, and what waits: from the reports of workers on the share, and from Temporal. */
export function operationsRoutes(app: App, { store }: ApiDeps, watch: QueueWatch): void {
  app.get(
    '/queues',
    {
      schema: {
        ...common,
        summary: 'Queues: what waits, and who serves it',
        description: 'The queues of the product, and those that a live worker serves. At most five seconds old.',
        response: { 200: queueListSchema, ...errorAnswers(401, 500, 503) },
      },
    },
    async () => {
      const workers = await liveWorkers(store.root);
      const stats = await Promise.all(shownQueues(workers).map((queue) => watch.stats(queue)));
      return {
        queues: stats.map(({ queue, backlog, oldestAgeSeconds, pollers }) => ({
          queue,
          backlog,
          oldest_age: oldestAgeSeconds,
          pollers,
          workers: workers.filter(({ queues }) => queues.includes(queue)).map(({ name }) => name),
          service: isServiceQueue(queue),
        })),
      };
    },
  );

  app.get(
    '/workers',
    {
      schema: {
        ...common,
        summary: 'Workers that are alive',
        description:
          'As each tells of itself, every two seconds. One that has been silent for 15 seconds counts as dead.',
        response: { 200: workerListSchema, ...errorAnswers(401, 500) },
      },
    },
    async () => ({ workers: (await liveWorkers(store.root)).map(shown) }),
  );
}

function shown({ name, host, pid, startedAt, at, queues, draining, slots, runner }: WorkerReport) {
  const { warm, running, residentBytes } = runner;
  return {
    name,
    host,
    pid,
    started: startedAt,
    seen: at,
    queues,
    draining,
    slots,
    children: { warm, running, resident_bytes: residentBytes },
  };
}
