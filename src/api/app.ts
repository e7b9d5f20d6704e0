import { randomBytes, randomUUID } from 'node:crypto';
import Fastify, { LogController } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { CachedInspector } from '../compile/cached-inspector.js';
import { useValidationWords } from '../errors/validation-words.js';
import { openGraphs } from '../store/graph-share.js';
import type { ApiDeps, App } from './deps.js';
import { EndedSessions } from './ended-sessions.js';
import { graphParts } from './graphs/graph-parts.js';
import { GraphsList } from './graphs/graphs-list.js';
import { answerClientError } from './http/client-error.js';
import { JobCalls } from './job-calls.js';
import { JobsList } from './jobs-list.js';
import { JobsReader } from './jobs-reader.js';
import { LostJobs } from './lost-jobs.js';
import { patientEngine } from './patient-engine.js';
import { useAuth } from './plugins/auth.js';
import { useCors } from './plugins/cors.js';
import { answerError, useErrors } from './plugins/errors.js';
import { useExpectContinue } from './plugins/expect-continue.js';
import { HttpMetrics, useHttpMetrics } from './plugins/http-metrics.js';
import { useNotFound } from './plugins/not-found.js';
import { useOpenApi } from './plugins/openapi.js';
import { useRequestLog } from './plugins/request-log.js';
import { useTracing } from './plugins/tracing.js';
import { QueueWatch } from './queue-watch.js';
import { archiveRoutes } from './routes/archive.js';
import { bulkRoutes } from './routes/bulk.js';
import { codecRoutes } from './routes/codec.js';
import { docsRoutes } from './routes/docs.js';
import { eventsRoutes } from './routes/events.js';
import { graphsControlRoutes } from './routes/graphs-control.js';
import { graphsCreateRoutes } from './routes/graphs-create.js';
import { graphsReadRoutes } from './routes/graphs-read.js';
import { healthRoutes } from './routes/health.js';
import { jobsControlRoutes } from './routes/jobs-control.js';
import { jobsCreateRoutes } from './routes/jobs-create.js';
import { jobsListRoutes } from './routes/jobs-list.js';
import { jobsStateRoutes } from './routes/jobs-state.js';
import { logsRoutes } from './routes/logs.js';
import { metricsRoutes } from './routes/metrics.js';
import { operationsRoutes } from './routes/operations.js';
import { outputsRoutes } from './routes/outputs.js';
import { pageRoutes } from './routes/page.js';
import { processesRoutes } from './routes/processes.js';
import { rootRoutes } from './routes/root.js';
import { scriptsRoutes } from './routes/scripts.js';
import { sessionRoutes } from './routes/session.js';
import { summaryRoutes } from './routes/summary.js';
import { workflowRoutes } from './routes/workflows.js';
import { Sessions, sessionSeconds } from './sessions.js';
import { Submitter } from './submission/submitter.js';
import { TaskFamily } from './task-family.js';
import { TokenCheck } from './token-check.js';
import { liveWorkers } from './worker-reports.js';

/** A connection on which nothing moves for so long is closed; an upload may take as long as it likes while it moves. */
const silenceMs = 120_000;

/** The API as an application that never listens: `main.ts` and tests do. */
export async function buildApp(given: ApiDeps): Promise<App> {
  useValidationWords();
  const deps: ApiDeps = { ...given, engine: patientEngine(given.engine) };
  const app: App = Fastify({
    ...(deps.logger === undefined ? { logger: false } : { loggerInstance: deps.logger }),
    // Requests are logged once, when they have been answered, by useRequestLog.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request' }),
    genReqId: (request) => {
      const sent = request.headers['x-request-id'];
      return typeof sent === 'string' && /^[\w-]{1,64}$/.test(sent) ? sent : randomUUID();
    },
    // No limit on the whole request: two gigabytes over a slow line take long.
    requestTimeout: 0,
    connectionTimeout: silenceMs,
    exposeHeadRoutes: false,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 4096 },
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) => {
      answerError(error, request, reply as never);
    },
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);

  const queues = new QueueWatch(deps.engine, () => liveWorkers(deps.store.root));
  const share = openGraphs(deps.store);
  const inspector = new CachedInspector(deps.inspector, (path) => deps.store.filesOf(path));
  const submitter = new Submitter(deps, inspector);
  const graphs = graphParts(deps, share, inspector, queues);
  const reader = new JobsReader(deps, queues, share, new LostJobs(deps, graphs.reader));

  // Open event streams would keep the application from closing.
  const closing = new AbortController();
  app.addHook('preClose', async () => closing.abort());
  // A connection that was busy when the closing began would else stay open until its keep-alive is over.
  app.addHook('onSend', async (_request, reply) => {
    if (closing.signal.aborted) reply.header('connection', 'close');
  });
  const streams = { keepAliveMs: deps.options.keepAliveMs ?? 15_000, closing: closing.signal };
  const metrics = new HttpMetrics();
  const tokens = new TokenCheck(deps.options);
  const sessions = new Sessions({
    secret: deps.options.sessionSecret ?? randomBytes(32).toString('base64url'),
    tokenSha256: deps.options.tokenSha256,
    ended: new EndedSessions(deps.store.root, sessionSeconds * 1000),
  });

  useRequestLog(app);
  if (deps.tracing !== undefined) useTracing(app, deps.tracing);
  useHttpMetrics(app, metrics);
  useErrors(app);
  useCors(app);
  useNotFound(app);
  useAuth(app, tokens, sessions);
  useExpectContinue(app);
  await useOpenApi(app);

  await app.register(jobsCreateRoutes(submitter, deps.options.maxUploadBytes));
  rootRoutes(app);
  sessionRoutes(app, deps.options, tokens, sessions);
  processesRoutes(app, deps.options.processPath, inspector);
  await app.register(scriptsRoutes(inspector));
  jobsListRoutes(app, new JobsList(deps, reader, graphs.reader));
  jobsStateRoutes(app, reader, new TaskFamily(deps.store));
  const calls = new JobCalls(deps, reader, submitter);
  await app.register(jobsControlRoutes(deps, reader, calls));
  bulkRoutes(app, calls, graphs);
  outputsRoutes(app, deps);
  archiveRoutes(app, deps, reader, queues);
  logsRoutes(app, deps, reader, streams, graphs.reader);
  eventsRoutes(app, deps, reader, streams);
  await app.register(graphsCreateRoutes(graphs));
  await app.register(graphsControlRoutes(graphs));
  const watching = { ...streams, watchIntervalMs: deps.options.watchIntervalMs };
  graphsReadRoutes(app, graphs.reader, new GraphsList(deps, graphs.reader), queues, watching);
  await app.register(
    workflowRoutes({
      files: deps.workflowFiles,
      documents: share.documents,
      reader: graphs.reader,
      maxUploadBytes: deps.options.maxUploadBytes,
    }),
  );
  codecRoutes(app);
  summaryRoutes(app, deps);
  await app.register(operationsRoutes(deps, queues));
  metricsRoutes(app, deps, queues, share, metrics);
  healthRoutes(app, deps);
  await docsRoutes(app);
  await pageRoutes(app);
  return app;
}
