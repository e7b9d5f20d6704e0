import type { App, Request } from '../deps.js';

/** One line per request, when it has been answered; ids as fields, no header and no body, so no secret. */
export function useRequestLog(app: App): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    const jobId = jobIdOf(request);
    if (jobId !== undefined) {
      request.log = request.log.child({ jobId });
      reply.log = request.log;
    }
  });
  app.addHook('onResponse', async (request, reply) => {
    const line = {
      method: request.method,
      path: request.url.split('?', 1)[0],
      status: reply.statusCode,
      durationMs: Math.round(reply.elapsedTime * 10) / 10,
    };
    // Clients poll once a second: what reads and succeeds would drown the rest.
    if (request.method === 'GET' && reply.statusCode < 400) request.log.debug(line, 'request answered');
    else request.log.info(line, 'request answered');
  });
}

function jobIdOf(request: Request): string | undefined {
  const { params } = request;
  if (typeof params !== 'object' || params === null || !('job_uuid' in params)) return undefined;
  return String(params.job_uuid);
}
