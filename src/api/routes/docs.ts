import swaggerUi from '@fastify/swagger-ui';
import type { App } from '../deps.js';
import { renderReference } from '../docs/reference-page.js';

/** The documentation pages. Everything they need comes from here: installations without internet have them too. */
export async function docsRoutes(app: App): Promise<void> {
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    uiConfig: { deepLinking: true, persistAuthorization: true, tryItOutEnabled: true, validatorUrl: null },
    theme: { title: 'PiXYZ API' },
  });
  let page: string | undefined;
  const hidden = { hide: true };

  app.get('/openapi.json', { schema: hidden }, (_request, reply) =>
    reply.type('application/json; charset=utf-8').send(JSON.stringify(app.swagger())),
  );
  app.get('/redoc', { schema: hidden }, (_request, reply) => {
    page ??= renderReference(app.swagger() as never);
    return reply.type('text/html; charset=utf-8').send(page);
  });
  // Monitors ask for these three with HEAD; no other path takes it.
  for (const url of ['/docs', '/redoc', '/openapi.json']) {
    app.head(url, { schema: hidden }, (_request, reply) =>
      reply.type(url === '/openapi.json' ? 'application/json' : 'text/html; charset=utf-8').send(''),
    );
  }
}
