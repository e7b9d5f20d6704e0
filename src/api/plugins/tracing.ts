import { withTrace } from '../../telemetry/current-trace.js';
import type { Span, Tracing } from '../../telemetry/tracing.js';
import type { App, Request } from '../deps.js';

/**
 * A span for each request that changes something: what it starts belongs below it. What only reads is asked for once a second
 * by every client, and would drown the rest. The client's own `traceparent` is gone on with.
 */
export function useTracing(app: App, tracing: Tracing): void {
  const spans = new WeakMap<Request, Span>();
  app.addHook('onRequest', (request, _reply, done) => {
    const { method } = request;
    const route = request.routeOptions.url;
    if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || route === undefined) return done();
    const { traceparent } = request.headers;
    const span = tracing.begin(`${method} ${route}`, {
      parent: typeof traceparent === 'string' ? traceparent : undefined,
      kind: 'server',
      attributes: {
        'http.request.method': method,
        'http.route': route,
        'url.path': request.url.split('?', 1)[0] ?? '',
        'pixyz.request.id': request.id,
      },
    });
    spans.set(request, span);
    withTrace(span.trace, done);
  });
  app.addHook('onResponse', async (request, reply) => {
    const span = spans.get(request);
    span?.set({ 'http.response.status_code': reply.statusCode });
    span?.end(reply.statusCode >= 500 ? { error: `answered ${reply.statusCode}` } : {});
  });
}
