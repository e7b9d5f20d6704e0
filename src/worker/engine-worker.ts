import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type InjectedSinks, Runtime, Worker } from '@temporalio/worker';
import { createRecordActivities, type RecordActivities } from '../activities/index.js';
import { projectRoot } from '../config/project-root.js';
import type { JournalSinks } from '../contract/journal.js';
import { engineQueue } from '../contract/queues.js';
import { engineDataConverter } from '../engine/payload-codec.js';
import type { TemporalEngine } from '../engine/temporal-engine.js';
import { GraphStore } from '../store/graph-store.js';
import type { JobStore } from '../store/job-store.js';
import { JournalWriter } from '../store/journal-file.js';
import { tellGraphSpan } from '../telemetry/graph-span.js';
import type { Tracing } from '../telemetry/tracing.js';

/**
 * The worker that interprets graphs. It runs no scripts, so it lives wherever there is a connection: in every API, where
 * a job's first step then needs no trip through the queue (eager start), and in every worker that serves `control`.
 */
export async function createEngineWorker(
  engine: TemporalEngine,
  store: JobStore,
  options: { readonly callbackSecret: string | undefined; readonly tracing?: Tracing | undefined },
): Promise<Worker> {
  return Worker.create({
    connection: engine.connection,
    namespace: engine.namespace,
    dataConverter: engineDataConverter,
    taskQueue: engineQueue,
    ...workflowSource(),
    activities: engineActivities(engine, store, options),
    sinks: journalSinks(store.root, options.tracing),
    // One run is one small job: many of them, short tasks, kept warm for their next event.
    maxConcurrentWorkflowTaskExecutions: 100,
    maxConcurrentWorkflowTaskPolls: 10,
    maxConcurrentActivityTaskExecutions: 20,
    maxCachedWorkflows: 1000,
    reuseV8Context: true,
    shutdownGraceTime: '5 seconds',
  });
}

/** What interpreters ask of their own worker. */
export function engineActivities(
  engine: TemporalEngine,
  store: JobStore,
  options: { readonly callbackSecret: string | undefined },
): RecordActivities {
  return createRecordActivities({
    store,
    callbackSecret: options.callbackSecret,
    alone: {
      cancel: (jobId, reason) => engine.alone.cancel(jobId, reason),
      state: (jobId) => engine.alone.state(jobId),
      cancelRun: (jobId, reason) => engine.cancelRun(jobId, reason),
    },
    sent: {
      cancelGraph: (graphId) => engine.ofGraphs.cancel(graphId),
      cancelJob: (jobId, reason) => engine.cancelJob(jobId, reason),
    },
    pollers: async (queue) => (await engine.queueStats(queue)).pollers,
  });
}

/**
 * Journals go out beside the workflow task, not in its way: should the process die before the lines are written, the next
 * replay writes them. After the last entry there is no replay, so that one is waited for.
 */
export function journalSinks(root: string, tracing?: Tracing): InjectedSinks<JournalSinks> {
  const documents = new GraphStore(root);
  const journal = new JournalWriter(root, (graphId, error) =>
    Runtime.instance().logger.error('a journal could not be written', { graph: graphId, error: String(error) }),
  );
  return {
    journal: {
      append: {
        fn(info, graphId, entries) {
          const written = journal.append(graphId, entries);
          const ended = entries.find(({ type }) => type === 'ended');
          if (ended === undefined) return undefined;
          if (tracing === undefined || info.unsafe.isReplaying) return written;
          return Promise.all([written, tellGraphSpan(tracing, documents, graphId, ended).catch(() => undefined)]).then(
            () => undefined,
          );
        },
        callDuringReplay: true,
      },
    },
  };
}

/** The bundle that the build made, or the sources where there is none (tests). */
function workflowSource(): { workflowBundle: { codePath: string } } | { workflowsPath: string } {
  const bundle = join(projectRoot, 'dist', 'workflow-bundle.js');
  if (import.meta.url.includes('/dist/') && existsSync(bundle)) return { workflowBundle: { codePath: bundle } };
  return { workflowsPath: join(projectRoot, 'src', 'workflows', 'index.ts') };
}
