import { availableParallelism, freemem, hostname, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import { createScriptActivities, createServiceActivities } from '../activities/index.js';
import { productVersion } from '../config/product-version.js';
import { projectRoot } from '../config/project-root.js';
import type { Settings } from '../config/settings.js';
import { isServiceQueue } from '../contract/queues.js';
import type { Runner } from '../contract/runner.js';
import type { WorkerReport } from '../contract/worker-report.js';
import { engineDataConverter } from '../engine/payload-codec.js';
import type { TemporalEngine } from '../engine/temporal-engine.js';
import { isUnreachable } from '../engine/unreachable.js';
import { createScriptInspector } from '../runner/script-inspector.js';
import type { JobStore } from '../store/job-store.js';
import type { Tracing } from '../telemetry/tracing.js';
import { WorkflowFiles } from '../workflow-files/workflow-files.js';
import { createEngineWorker } from './engine-worker.js';
import { GpuWatch } from './gpus.js';
import { publishReports } from './report.js';
import { RunningAttempts } from './running-attempts.js';
import { SlotPool } from './slot-pool.js';
import { WorkerMetrics } from './worker-metrics.js';

/** How long a task that has arrived waits for a slot before it goes back to its queue. */
const holdMs = 1000;
/** Running attempts in a report: it is written every two seconds. */
const maxShown = 200;

export interface ScriptWorkerDeps {
  readonly settings: Settings;
  readonly engine: TemporalEngine;
  readonly store: JobStore;
  readonly runner: Runner;
  readonly logger: Logger;
  readonly tracing?: Tracing | undefined;
}

/** A process that serves the queues of `QUEUE_NAME`: one Temporal worker a queue, one pool of slots for all scripts. */
export interface ScriptWorker {
  readonly name: string;
  readonly metrics: WorkerMetrics;
  readonly state: () => 'RUNNING' | 'DRAINING' | 'STOPPED';
  /** Resolves when it has ended: told to drain, or after its last task. Rejects when a Temporal worker fails for good. */
  run(): Promise<void>;
  /** Takes nothing new; scripts that run get the time that is left of `DRAIN_SECONDS`, then they run again elsewhere. */
  drain(): void;
}

export async function createScriptWorker(deps: ScriptWorkerDeps): Promise<ScriptWorker> {
  const { settings, engine, store, runner, logger, tracing } = deps;
  const name = `${hostname()}-${process.pid}`;
  const workers: Worker[] = [];
  let draining = false;

  const drain = (): void => {
    if (draining) return;
    draining = true;
    slots.close();
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  const slots = new SlotPool({
    limit: settings.CONCURRENT_TASKS,
    holdMs,
    tasks: settings.MAX_TASKS_BEFORE_SHUTDOWN,
    onExhausted: () => {
      logger.info(
        { tasks: settings.MAX_TASKS_BEFORE_SHUTDOWN },
        'MAX_TASKS_BEFORE_SHUTDOWN is reached: this worker ends after its last script',
      );
      setImmediate(drain);
    },
  });
  const gpus = new GpuWatch();
  const running = new RunningAttempts();
  const metrics = new WorkerMetrics(slots, () => runner.stats(), gpus);

  const scripts = createScriptActivities({
    store,
    runner,
    slots,
    continueAsGraph: (input, labels) => engine.continueAsGraph(input, labels),
    canvases: {
      startGraph: (input, labels) => engine.startGraph(input, labels),
      cancelGraph: (graphId) => engine.ofGraphs.cancel(graphId),
      cancelJob: (jobId, reason) => engine.cancelJob(jobId, reason),
      isUnreachable,
      retry: { retryTimeLimit: settings.PIXYZ_RETRY_TIME_LIMIT, rescueWait: settings.PIXYZ_RESCUE_WAIT },
    },
    handBack: async (workflowId, report) => {
      await engine.ofGraphs.signal(workflowId, 'handBack', report);
    },
    processPath: settings.PROCESS_PATH,
    commandScript: join(projectRoot, 'python', 'pixyz_worker', '_command.py'),
    // Results of another version are not taken for those of this one.
    engineVersion: `${productVersion} ${settings.PIXYZ_PYTHON_PATH ?? 'open'}`,
    worker: name,
    logger,
    tracing,
    memoryLimit: (queue) => {
      const kib =
        queue === 'gpuhigh'
          ? (settings.MAX_MEMORY_USAGE_GPUHIGH ?? settings.MAX_MEMORY_USAGE)
          : settings.MAX_MEMORY_USAGE;
      return kib === 0 ? null : kib * 1024;
    },
    running,
    onAttempt: (queue, outcome, seconds) => {
      running.ended(outcome);
      metrics.attempt(queue, outcome, seconds);
    },
  });
  const services = createServiceActivities({
    store,
    cleanupDelay: settings.CLEANUP_DELAY,
    recordRetention: Math.max(settings.RECORD_RETENTION, settings.CLEANUP_DELAY),
    isOpen: (jobId) => engine.isOpen(jobId),
    logger,
  });

  const common = {
    connection: engine.connection,
    namespace: engine.namespace,
    dataConverter: engineDataConverter,
    identity: name,
    shutdownGraceTime: settings.DRAIN_SECONDS * 1000,
  };
  for (const queue of settings.QUEUE_NAME) {
    workers.push(
      await Worker.create(
        isServiceQueue(queue)
          ? {
              ...common,
              taskQueue: queue,
              // A link of a chain may be sent there, too.
              activities: { ...scripts, ...services },
              maxConcurrentActivityTaskExecutions: 2,
              shutdownGraceTime: '10 seconds',
            }
          : {
              ...common,
              taskQueue: queue,
              activities: scripts,
              tuner: {
                activityTaskSlotSupplier: slots.supplier(),
                workflowTaskSlotSupplier: { type: 'fixed-size', numSlots: 1 },
                localActivityTaskSlotSupplier: { type: 'fixed-size', numSlots: 1 },
                nexusTaskSlotSupplier: { type: 'fixed-size', numSlots: 1 },
              },
              activityTaskPollerBehavior: {
                type: 'simple-maximum',
                maximum: Math.min(Math.max(2, settings.CONCURRENT_TASKS), 10),
              },
              maxHeartbeatThrottleInterval: '500 milliseconds',
              defaultHeartbeatThrottleInterval: '500 milliseconds',
            },
      ),
    );
  }
  const interprets = settings.QUEUE_NAME.includes('control');
  if (interprets)
    workers.push(await createEngineWorker(engine, store, { callbackSecret: settings.CALLBACK_SECRET, tracing }));
  const inspector = interprets ? createScriptInspector(pythonOf(settings)) : null;
  const workflowFiles =
    inspector === null
      ? null
      : new WorkflowFiles({
          engine,
          store,
          inspector,
          settings: {
            processPath: settings.PROCESS_PATH,
            retryTimeLimit: settings.PIXYZ_RETRY_TIME_LIMIT,
            rescueWait: settings.PIXYZ_RESCUE_WAIT,
          },
          callbackSecret: settings.CALLBACK_SECRET,
          tracing,
          // The API bundles them; here what it has made is served.
          folder: null,
          logger,
        });

  const startedAt = new Date().toISOString();
  const report = async (): Promise<WorkerReport> => ({
    name,
    host: hostname(),
    pid: process.pid,
    startedAt,
    at: new Date().toISOString(),
    queues: settings.QUEUE_NAME,
    draining,
    slots: slots.stats,
    runner: runner.stats(),
    version: productVersion,
    node: process.version,
    engine: settings.DISABLE_PIXYZ ? 'none' : settings.PIXYZ_PYTHON_PATH === undefined ? 'open' : 'pixyz',
    machine: { cpus: availableParallelism(), load: loadavg()[0] ?? 0, memoryTotal: totalmem(), memoryFree: freemem() },
    gpus: [...gpus.list],
    running: running.list.slice(0, maxShown),
    tasks: running.tasks,
    metrics: await metrics.registry.getMetricsAsJSON(),
  });

  let state: 'RUNNING' | 'DRAINING' | 'STOPPED' = 'RUNNING';
  return {
    name,
    metrics,
    state: () => (state === 'RUNNING' && draining ? 'DRAINING' : state),
    drain,
    async run() {
      if (settings.QUEUE_NAME.includes('clean')) await scheduleClean(engine, settings);
      const reports = publishReports(join(store.root, '.workers'), name, {
        read: report,
        onDrain: () => {
          logger.info('told through the API to drain');
          drain();
        },
        onError: (error) => logger.warn({ err: error }, 'the report of this worker could not be written'),
      });
      await workflowFiles?.start();
      try {
        await Promise.all(workers.map((worker) => worker.run().finally(drain)));
      } finally {
        state = 'STOPPED';
        await workflowFiles?.stop();
        await inspector?.close();
        await reports.stop();
      }
    },
  };
}

/** The interpreter that looks at scripts without running them. */
function pythonOf(settings: Settings): { python: string; pythonPath: string[] } {
  return { python: settings.PYTHON ?? 'python3', pythonPath: [join(projectRoot, 'python')] };
}

/** Often enough that files live at most a tenth longer than asked for. */
async function scheduleClean(engine: TemporalEngine, settings: Settings): Promise<void> {
  const every = Math.min(3600, Math.max(10, Math.round(settings.CLEANUP_DELAY / 10)));
  await engine.scheduleRetention(settings.CLEANUP_ENABLED ? every : null);
}
