import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import { projectRoot } from '../config/project-root.js';
import { loadSettings, type Settings, SettingsError } from '../config/settings.js';
import { claimNamespace } from '../engine/claim-namespace.js';
import { installSdkRuntime } from '../engine/sdk-runtime.js';
import { connectEngine } from '../engine/temporal-engine.js';
import { scriptEnvironment } from '../runner/environment.js';
import { type RunnerOptions, RunnerStartError } from '../runner/options.js';
import { createScriptRunner } from '../runner/script-runner.js';
import { JobStore } from '../store/job-store.js';
import { startTracing } from '../telemetry/tracing.js';
import { serveHealth } from './health.js';
import { createScriptWorker } from './script-worker.js';

/** A worker process: serves the queues of `QUEUE_NAME` until it is told to stop or has run its last task. */

const exitConfig = 1;
const exitNoLicence = 100;

async function main(): Promise<void> {
  const settings = settingsOrExit();
  const logger = pino({ level: settings.LOGLEVEL, base: { part: 'worker', pid: process.pid } });
  for (const notice of settings.notices) logger.info(notice);
  const sdk = await installSdkRuntime(logger);

  const store = new JobStore(settings.SHARE_PATH, { sync: settings.TEMPORAL_SYNC === 'full' });
  await store.open();
  const runner = createScriptRunner(runnerOptions(settings, logger));
  try {
    await runner.start();
  } catch (error) {
    if (!(error instanceof RunnerStartError)) throw error;
    logger.fatal({ code: error.code }, error.message);
    process.exit(error.code === 'LICENCE' ? exitNoLicence : exitConfig);
  }
  const address = settings.TEMPORAL_ADDRESS ?? `127.0.0.1:${settings.TEMPORAL_PORT}`;
  const engine = await connectEngine({
    address,
    namespace: settings.TEMPORAL_NAMESPACE,
    waitMs: 60_000,
    apiUrl: settings.API_URL,
  });
  await claimNamespace({
    connection: engine.connection,
    namespace: engine.namespace,
    share: store.root,
    take: settings.TAKE_NAMESPACE,
    warn: (message) => logger.warn(message),
  });
  const tracing = await startTracing(settings, 'worker');
  const worker = await createScriptWorker({ settings, engine, store, runner, logger, tracing });
  const health = await serveHealth(worker, {
    host: settings.WORKER_HOST,
    port: settings.WORKER_PORT,
    sdkMetrics: sdk.metrics,
  });

  let signals = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    signals += 1;
    logger.info(
      { signal, running: runner.stats().running, graceSeconds: settings.DRAIN_SECONDS },
      signals === 1 ? 'draining' : 'stopping at once',
    );
    if (signals === 1) worker.drain();
    else void runner.stop().finally(() => process.exit(1));
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);

  logger.info(
    {
      worker: worker.name,
      queues: settings.QUEUE_NAME,
      slots: settings.CONCURRENT_TASKS,
      health: `http://${settings.WORKER_HOST}:${health.port}/healthz`,
      temporal: address,
    },
    'worker is ready',
  );
  try {
    await worker.run();
  } finally {
    health.close();
    await runner.stop();
    await engine.close();
    await tracing?.stop().catch(() => undefined);
  }
  logger.info('worker has ended');
}

function runnerOptions(settings: Settings, logger: Logger): RunnerOptions {
  return {
    python: settings.PYTHON ?? 'python3',
    pythonPath: [join(projectRoot, 'python')],
    environment: {
      ...scriptEnvironment(process.env),
      SHARE_PATH: settings.SHARE_PATH,
      PROCESS_PATH: settings.PROCESS_PATH,
      PIXYZ_TIME_LIMIT: String(settings.PIXYZ_TIME_LIMIT),
      LOGLEVEL: settings.LOGLEVEL.toUpperCase(),
    },
    warm: settings.CONCURRENT_TASKS + 1,
    mode: 'auto',
    pixyz: {
      disabled: settings.DISABLE_PIXYZ,
      pythonPath: settings.PIXYZ_PYTHON_PATH ?? null,
      licence: {
        flexlm: settings.LICENSE_FLEXLM,
        host: settings.LICENSE_HOST ?? null,
        port: settings.LICENSE_PORT,
        acquireAtStart: settings.LICENSE_ACQUIRE_AT_START,
      },
    },
    maxProcesses: settings.MAX_PROCESSES === 0 ? null : settings.MAX_PROCESSES,
    maxLogBytes: settings.MAX_LOG_SIZE,
    logger,
  };
}

function settingsOrExit(): Settings {
  try {
    return loadSettings(process.env, process.cwd());
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(exitConfig);
  }
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`the worker cannot go on: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
