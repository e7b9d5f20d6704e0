import { join } from 'node:path';
import { pino } from 'pino';
import { projectRoot } from '../config/project-root.js';
import { loadSettings, type Settings, SettingsError } from '../config/settings.js';
import { ensureToken, sessionSecret } from '../config/token.js';
import { claimNamespace, ForeignShareError } from '../engine/claim-namespace.js';
import { installSdkRuntime } from '../engine/sdk-runtime.js';
import { connectEngine } from '../engine/temporal-engine.js';
import { createScriptInspector } from '../runner/script-inspector.js';
import { JobStore } from '../store/job-store.js';
import { startTracing } from '../telemetry/tracing.js';
import { createEngineWorker } from '../worker/engine-worker.js';
import { WorkflowFiles } from '../workflow-files/workflow-files.js';
import { buildApp } from './app.js';

/** The API as a process: reads the settings, listens, and ends cleanly when it is told to. */

const serverWaitMs = 30_000;
/** How long open requests may take to finish once the process is told to stop. */
const drainMs = 20_000;

async function main(): Promise<void> {
  const settings = loadSettings(process.env, process.cwd());
  const logger = pino({ level: settings.LOGLEVEL, base: { part: 'api', pid: process.pid } });
  for (const notice of settings.notices) logger.warn(notice);
  if (settings.DEBUG) logger.info({ settings: withoutSecrets(settings) }, 'the settings');

  await installSdkRuntime(logger);
  const token = await ensureToken(settings);
  // The one time it is shown; on standard output and not in the log, which is kept and shipped elsewhere.
  if (token.isNew) process.stdout.write(`API token (shown once, kept in ${token.file}): ${token.token}\n`);

  const store = new JobStore(settings.SHARE_PATH, { sync: settings.TEMPORAL_SYNC === 'full' });
  await store.open();
  const engine = await connectEngine({
    address: settings.TEMPORAL_ADDRESS ?? `127.0.0.1:${settings.TEMPORAL_PORT}`,
    namespace: settings.TEMPORAL_NAMESPACE,
    waitMs: serverWaitMs,
    apiUrl: settings.API_URL,
  });
  await claimNamespace({
    connection: engine.connection,
    namespace: engine.namespace,
    share: store.root,
    take: settings.TAKE_NAMESPACE,
    warn: (message) => logger.warn(message),
  });
  const tracing = await startTracing(settings, 'api');
  const inspector = createScriptInspector({
    python: settings.PYTHON ?? 'python3',
    pythonPath: [join(projectRoot, 'python')],
  });
  const retry = { retryTimeLimit: settings.PIXYZ_RETRY_TIME_LIMIT, rescueWait: settings.PIXYZ_RESCUE_WAIT };
  const workflowFiles = new WorkflowFiles({
    engine,
    store,
    inspector,
    settings: { processPath: settings.PROCESS_PATH, ...retry },
    callbackSecret: settings.CALLBACK_SECRET,
    tracing,
    folder: settings.WORKFLOWS_PATH,
    logger: logger,
  });
  await workflowFiles.start();
  const app = await buildApp({
    options: {
      tokenSha256: token.sha256,
      sessionSecret: await sessionSecret(settings),
      maxUploadBytes: settings.MAX_UPLOAD_SIZE,
      processPath: settings.PROCESS_PATH,
      ...retry,
      temporalUi: temporalUi(settings),
    },
    store,
    engine,
    inspector,
    workflowFiles,
    logger,
    ...(tracing === undefined ? {} : { tracing }),
  });

  // The API interprets graphs itself: a job's first step is then taken here, without a trip through a queue.
  const interpreter = await createEngineWorker(engine, store, { callbackSecret: settings.CALLBACK_SECRET, tracing });
  const interpreting = interpreter.run().catch((error: unknown) => {
    logger.fatal({ err: error }, 'the interpreter of graphs has failed');
    process.exit(1);
  });

  let closing = false;
  const stop = async (signal: string) => {
    if (closing) return;
    closing = true;
    logger.info({ signal }, 'the API is told to stop');
    // Uploads under way may finish; a client that never does must not hold the process.
    setTimeout(() => app.server.closeAllConnections(), drainMs).unref();
    await app.close();
    if (interpreter.getState() === 'RUNNING') interpreter.shutdown();
    await Promise.all([interpreting, workflowFiles.stop()]);
    await inspector.close();
    await engine.close();
    await tracing?.stop().catch(() => undefined);
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(signal));
  await app.listen({ host: settings.API_HOST, port: settings.API_PORT });
}

/** The page where people see traces: as configured, else that of the embedded server. */
function temporalUi(settings: Settings): { url: string; namespace: string } | null {
  const embedded = settings.TEMPORAL_ADDRESS === undefined ? `http://127.0.0.1:${settings.TEMPORAL_UI_PORT}` : null;
  const url = settings.TEMPORAL_UI_URL ?? embedded;
  return url === null ? null : { url, namespace: settings.TEMPORAL_NAMESPACE };
}

function withoutSecrets(settings: Settings): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [
      name,
      /SECRET|PASSWORD|HEADERS/.test(name) && value ? '(set)' : value,
    ]),
  );
}

main().catch((error: unknown) => {
  // A problem of the configuration is told as a sentence; anything else with its stack.
  const isSentence = error instanceof SettingsError || error instanceof ForeignShareError;
  process.stderr.write(`${isSentence ? error.message : (error as Error).stack}\n`);
  process.exit(1);
});
