import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import { projectRoot } from '../../config/project-root.js';
import type { App, Reply } from '../deps.js';
import { PlainError } from '../plugins/error-facts.js';

/** Where `npm run build` puts the page. */
export const builtPage = join(projectRoot, 'dist', 'web');

/**
 * Everything comes from here, nothing inline, nothing elsewhere: what a script of a user puts into a name, a log or a
 * result cannot become code of the page. `blob:` is for pictures and models that the page has fetched itself.
 */
const securityPolicy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "font-src 'self'",
  "connect-src 'self' blob:",
  "worker-src 'self' blob:",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const pageHeaders = {
  'content-security-policy': securityPolicy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
};

/** The page for people: its files, and for every other address below `/ui` the page itself, which reads the address. */
export async function pageRoutes(app: App, folder = builtPage): Promise<void> {
  const isBuilt = existsSync(join(folder, 'index.html'));
  if (isBuilt) {
    await app.register(fastifyStatic, {
      root: folder,
      // Files are sent by the routes below: what is no file is an address of the page.
      serve: false,
      preCompressed: true,
      cacheControl: false,
      setHeaders: (reply, path) => {
        // The names of assets change with their content; everything else is asked for anew, which costs an answer 304.
        const isAsset = path.startsWith(join(folder, 'assets'));
        reply.headers({
          ...pageHeaders,
          'cache-control': isAsset ? 'public, max-age=31536000, immutable' : 'no-cache',
        });
      },
    });
  }
  const send = (reply: Reply, file: string): Reply => {
    if (!isBuilt) throw new PlainError(503, 'the page is not built: run `npm run build`');
    return reply.sendFile(file);
  };
  app.get('/ui', { schema: { hide: true } }, (_request, reply) => send(reply, 'index.html'));
  app.get<{ Params: { '*': string } }>(
    '/ui/*',
    { config: { alias: true }, schema: { hide: true } },
    (request, reply) => {
      const path = request.params['*'];
      return send(reply, /\.\w+$/.test(path) ? path : 'index.html');
    },
  );
}
