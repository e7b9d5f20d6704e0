import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { GraphShare } from '../../store/graph-share.js';
import type { ApiDeps, App } from '../deps.js';
import type { HttpMetrics } from '../plugins/http-metrics.js';
import type { QueueWatch } from '../queue-watch.js';
import { SchedulerMetrics } from '../scheduler-metrics.js';

const compress = promisify(gzip);
const example = 'pixyz_queue_backlog{queue="gpu"} 3\npixyz_queue_oldest_age_seconds{queue="gpu"} 12\n';

/** Prometheus text of the API, the scheduler and all live workers. */
export function metricsRoutes(
  app: App,
  deps: ApiDeps,
  queues: QueueWatch,
  graphs: GraphShare,
  http: HttpMetrics,
): void {
  const scheduler = new SchedulerMetrics(deps, queues, graphs);
  app.get(
    '/metrics',
    {
      config: { docs: { answers: { 200: { type: 'text/plain', description: 'Prometheus text.', example } } } },
      schema: { tags: ['dev'], summary: 'Metrics' },
    },
    async (request, reply) => {
      const text = `${await http.registry.metrics()}\n${await scheduler.text()}`;
      reply.type(http.registry.contentType).header('vary', 'Origin, Accept-Encoding');
      if (!/\bgzip\b/.test(request.headers['accept-encoding'] ?? '')) return reply.send(text);
      return reply.header('content-encoding', 'gzip').send(await compress(text));
    },
  );
}
