import { randomUUID } from 'node:crypto';
import Fastify, { LogController } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { CachedInspector } from './cached-inspector.js';
import type { ApiDeps, App } from './deps.js';
import { JobsList } from './jobs-list.js';
import { JobsReader } from './jobs-reader.js';
import { useAuth } from './plugins/auth.js';
import { useCors } from './plugins/cors.js';
import { answerError, useErrors } from './plugins/errors.js';
import { useExpectContinue } from './plugins/expect-continue.js';
import { useNotFound } from './plugins/not-found.js';
import { useOpenApi } from './plugins/openapi.js';
import { useRequestLog } from './plugins/request-log.js';
import { QueueWatch } from './queue-watch.js';
import { archiveRoutes } from './routes/archive.js';
import { jobsCreateRoutes } from './routes/jobs-create.js';
import { jobsListRoutes } from './routes/jobs-list.js';
import { jobsStateRoutes } from './routes/jobs-state.js';
import { outputsRoutes } from './routes/outputs.js';
import { processesRoutes } from './routes/processes.js';
import { rootRoutes } from './routes/root.js';
import { Submitter } from './submission/submitter.js';

/** A connection on which nothing moves for so long is closed; an upload may take as long as it likes while it moves. */
const silenceMs = 120_000;

/** The API as an application that never listens: `main.ts` and tests do. */
export async function buildApp(deps: ApiDeps): Promise<App> {
  const app: App = Fastify({
    ...(deps.logger === undefined ? { logger: false } : { loggerInstance: deps.logger }),
    // Requests are logged once, when they have been answered, by useRequestLog.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: (request) => {
      const sent = request.headers['x-request-id'];
      return typeof sent === 'string' && /^[\w-]{1,64}$/.test(sent) ? sent : randomUUID();
    },
    // No limit on the whole request: two gigabytes over a slow line take long.
    requestTimeout: 0,
    connectionTimeout: silenceMs,
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 4096 },
    frameworkErrors: (error, request, reply) => {
      answerError(error, request, reply as never);
    },
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);

  const queues = new QueueWatch(deps.engine);
  const reader = new JobsReader(deps, queues);
  const inspector = new CachedInspector(deps.inspector);
  const submitter = new Submitter(deps, inspector);

  useRequestLog(app);
  useErrors(app);
  useCors(app);
  useNotFound(app);
  useAuth(app, deps.options);
  useExpectContinue(app);
  await useOpenApi(app);

  await app.register(jobsCreateRoutes(submitter, deps.options.maxUploadBytes));
  rootRoutes(app);
  processesRoutes(app, deps.options.processPath, inspector);
  jobsListRoutes(app, new JobsList(deps, reader));
  jobsStateRoutes(app, reader);
  outputsRoutes(app, deps);
  archiveRoutes(app, deps, reader, queues);
  return app;
}
