import type { App } from '../deps.js';

/**
 * Any web page may call the API: what guards it is the token in a header that pages have to be given, never a cookie.
 * Written by hand since existing clients know the answer to a preflight as status 200 with the body `OK`.
 */
export function useCors(app: App): void {
  app.addHook('onRequest', async (request, reply) => {
    const { origin } = request.headers;
    if (origin === undefined) return;
    reply.header('access-control-allow-origin', origin);
    reply.header('access-control-allow-credentials', 'true');
    reply.header('vary', 'Origin');
    const method = request.headers['access-control-request-method'];
    if (request.method !== 'OPTIONS' || method === undefined) {
      reply.header(
        'access-control-expose-headers',
        'content-disposition, content-range, etag, retry-after, x-request-id',
      );
      return;
    }
    const asked = request.headers['access-control-request-headers'];
    reply.header('access-control-allow-methods', 'DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT');
    reply.header('access-control-max-age', '600');
    if (asked !== undefined) reply.header('access-control-allow-headers', asked);
    return reply.code(200).type('text/plain; charset=utf-8').send('OK');
  });
}
