import type { App, Request } from '../deps.js';
import { closeGently } from '../http/close-gently.js';
import { graphError, isGraphCall } from './graph-errors.js';

interface KnownRoute {
  readonly pattern: RegExp;
  readonly method: string;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route answers under a second address; redirects and `Allow` speak of the first. */
    alias?: boolean;
  }
}

/**
 * What happens to a request that no route takes: 405 with `Allow` where the path has other methods, 307 where it exists
 * without its trailing slash, else 404. Must be set before the routes are.
 */
export function useNotFound(app: App): void {
  const known: KnownRoute[] = [];
  app.addHook('onRoute', (route) => {
    if (route.config?.alias === true) return;
    for (const method of [route.method].flat()) known.push({ pattern: toPattern(route.url), method });
  });
  const methodsOf = (path: string) => [
    ...new Set(known.filter((route) => route.pattern.test(path)).map((route) => route.method)),
  ];

  // The router lets an empty piece of the path count as a parameter: "/jobs/" would be a job without an id.
  app.addHook('onRequest', async (request, reply) => {
    const { params } = request;
    if (typeof params !== 'object' || params === null) return;
    if (Object.entries(params).some(([name, value]) => name !== '*' && value === '')) reply.callNotFound();
  });

  app.setNotFoundHandler((request, reply) => {
    closeGently(request, reply);
    const [path, query] = splitQuery(request.url);
    const allowed = methodsOf(path);
    if (allowed.length > 0) {
      reply.code(405).header('allow', allowed.sort().join(', '));
      return reply.send(
        isGraphCall(request)
          ? graphError('METHOD_NOT_ALLOWED', `this path has other methods: ${allowed.join(', ')}`)
          : { detail: 'Method Not Allowed' },
      );
    }
    const bare = path.replace(/\/+$/, '');
    if (bare !== path && methodsOf(bare).length > 0) {
      const target = query === undefined ? bare : `${bare}?${query}`;
      return reply
        .code(307)
        .header('location', `${originOf(request)}${target}`)
        .send();
    }
    reply.code(404);
    return reply.send(
      isGraphCall(request) ? graphError('NOT_FOUND', 'there is no such call') : { detail: 'Not Found' },
    );
  });
}

function toPattern(url: string): RegExp {
  const source = url
    .split('/')
    .map((part) => {
      if (part.startsWith(':')) return '[^/]+';
      if (part === '*') return '.*';
      return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    })
    .join('/');
  return new RegExp(`^${source}$`);
}

function splitQuery(url: string): [string, string | undefined] {
  const at = url.indexOf('?');
  return at < 0 ? [url, undefined] : [url.slice(0, at), url.slice(at + 1)];
}

function originOf(request: Request): string {
  return `${request.protocol}://${request.host}`;
}
