import { z } from 'zod';
import { productVersion } from '../../config/product-version.js';
import type { ApiOptions, App, Request } from '../deps.js';
import { isSecure, refuseForeign } from '../plugins/auth.js';
import { errorAnswers } from '../schemas/errors.js';
import type { Session, Sessions } from '../sessions.js';
import { temporalUiBase } from '../temporal-links.js';
import type { TokenCheck } from '../token-check.js';

const sessionSchema = z
  .object({
    authenticated: z.boolean(),
    expires: z.string().nullable().describe('When the cookie ends; using it renews it.'),
    version: z.string().describe('Of this installation.'),
    temporal_ui: z.string().nullable().describe('The namespace of this system in the Temporal Web UI.'),
  })
  .meta({
    id: 'Session',
    examples: [
      {
        authenticated: true,
        expires: '2026-11-21T23:49:05.000Z',
        version: '0.1.0',
        temporal_ui: 'http://127.0.0.1:8233/namespaces/pixyz',
      },
    ],
  });

const common = { tags: ['page'] };

/** Logging in and out of the page: the token becomes a cookie that scripts of the page cannot read. */
export function sessionRoutes(app: App, options: ApiOptions, tokens: TokenCheck, sessions: Sessions): void {
  const temporalUi = options.temporalUi === null ? null : temporalUiBase(options.temporalUi);
  const shown = (session: Session | null) => ({
    authenticated: session !== null,
    expires: session?.expires.toISOString() ?? null,
    version: productVersion,
    temporal_ui: temporalUi,
  });

  app.get(
    '/ui/session',
    {
      schema: {
        ...common,
        summary: 'Whether the page is logged in',
        response: { 200: sessionSchema, ...errorAnswers(500) },
      },
    },
    async (request, reply) => {
      reply.header('cache-control', 'no-store');
      return shown(await sessions.read(request.headers.cookie));
    },
  );

  app.post(
    '/ui/login',
    {
      bodyLimit: 16 * 1024,
      onRequest: async (request: Request) => refuseForeign(request),
      schema: {
        ...common,
        summary: 'Log in to the page',
        description:
          'The answer sets the cookie `pixyz_session`, which is taken in place of the token for twelve hours. With it, a request ' +
          'other than GET needs the header `x-pixyz-ui: 1`, and requests of other origins are refused. So does this one.',
        body: z.strictObject({ token: z.string().min(1).max(4096) }).meta({ examples: [{ token: 'kDdB…vuH' }] }),
        response: { 200: sessionSchema, ...errorAnswers(400, 401, 403, 429, 500) },
      },
    },
    async (request, reply) => {
      tokens.check([Buffer.from(request.body.token, 'utf8')], request);
      const { session, setCookie } = sessions.open(isSecure(request));
      reply.header('set-cookie', setCookie).header('cache-control', 'no-store');
      request.log.info({ address: request.ip }, 'somebody logged in to the page');
      return shown(session);
    },
  );

  app.post(
    '/ui/logout',
    {
      onRequest: async (request: Request) => refuseForeign(request),
      schema: {
        ...common,
        summary: 'Log out of the page',
        description: 'Ends the session: no cookie of it is taken any more, by any API of this system.',
        response: { 200: sessionSchema, ...errorAnswers(403, 500) },
      },
    },
    async (request, reply) => {
      reply.header('set-cookie', sessions.close(isSecure(request)));
      await sessions.end(request.headers.cookie);
      return shown(null);
    },
  );
}
