import { Counter, collectDefaultMetrics, Histogram, Registry, Summary } from 'prom-client';
import type { App, Reply, Request } from '../deps.js';

/** What every HTTP service of this family publishes, under the names that existing dashboards know. */
export class HttpMetrics {
  readonly registry = new Registry();
  readonly requests: Counter<'handler' | 'method' | 'status'>;
  readonly requestBytes: Summary<'handler'>;
  readonly responseBytes: Summary<'handler'>;
  readonly seconds: Histogram<'handler' | 'method'>;
  readonly fineSeconds: Histogram;

  constructor() {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    this.requests = new Counter({
      name: 'http_requests_total',
      help: 'Total number of requests by method, status and handler.',
      labelNames: ['handler', 'method', 'status'],
      registers,
    });
    this.requestBytes = new Summary({
      name: 'http_request_size_bytes',
      help: 'Content length of incoming requests by handler.',
      labelNames: ['handler'],
      percentiles: [],
      registers,
    });
    this.responseBytes = new Summary({
      name: 'http_response_size_bytes',
      help: 'Content length of outgoing responses by handler.',
      labelNames: ['handler'],
      percentiles: [],
      registers,
    });
    this.seconds = new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Latency with few buckets, by handler and method.',
      labelNames: ['handler', 'method'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1],
      registers,
    });
    this.fineSeconds = new Histogram({
      name: 'http_request_duration_highr_seconds',
      help: 'Latency with many buckets but no labels.',
      buckets: [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10, 30, 60,
      ],
      registers,
    });
  }
}

export function useHttpMetrics(app: App, metrics: HttpMetrics): void {
  app.addHook('onResponse', async (request, reply) => {
    const handler = handlerOf(request);
    const { method } = request;
    metrics.requests.inc({ handler, method, status: `${Math.trunc(reply.statusCode / 100)}xx` });
    metrics.requestBytes.observe({ handler }, Number(request.headers['content-length'] ?? 0) || 0);
    metrics.responseBytes.observe({ handler }, lengthOf(reply));
    // An event stream is open as long as a job runs: as a latency it would mean nothing.
    if (String(reply.getHeader('content-type')).startsWith('text/event-stream')) return;
    const seconds = reply.elapsedTime / 1000;
    metrics.seconds.observe({ handler, method }, seconds);
    metrics.fineSeconds.observe(seconds);
  });
}

/** The route and never the path: labels must stay few whatever clients ask for. */
function handlerOf(request: Request): string {
  const { url } = request.routeOptions;
  if (url === undefined || request.is404) return 'none';
  return url.replace(/:(\w+)/g, '{$1}').replace(/\*$/, '{file_path}');
}

function lengthOf(reply: Reply): number {
  return Number(reply.getHeader('content-length') ?? 0) || 0;
}
