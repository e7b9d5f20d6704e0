import { jobFields } from '../../contract/log-fields.js';
import type { App, Request } from '../deps.js';

/** One line per request, when it has been answered; ids as fields, no header and no body, so no secret. */
export function useRequestLog(app: App): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    const ids = idsOf(request);
    if (ids !== undefined) {
      request.log = request.log.child(ids);
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

/** What the path names: whatever is said of the request has it, too. */
function idsOf(request: Request): object | undefined {
  const { params } = request;
  if (typeof params !== 'object' || params === null) return undefined;
  const { job_uuid: jobId, graph, node } = params as Readonly<Record<string, string | undefined>>;
  if (jobId !== undefined) return jobFields(jobId);
  return graph === undefined ? undefined : { graph, ...(node === undefined ? {} : { nodeName: node }) };
}
