import { randomUUID } from 'node:crypto';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import {
  bundleWorkflowCode,
  DefaultLogger,
  type InjectedSinks,
  NativeConnection,
  Runtime,
  Worker,
  type WorkflowBundleOption,
} from '@temporalio/worker';
import { inject } from 'vitest';
import type { RecordActivities, ScriptActivities } from '../../src/activities/index.js';
import type {
  AttemptFault,
  AttemptInput,
  GraphInput,
  GraphNode,
  JobOutcome,
  PlanPart,
} from '../../src/contract/graph.js';
import { entryKey, type JournalEntry, type JournalSinks } from '../../src/contract/journal.js';
import type { RecordChange } from '../../src/graph/record-change.js';
import { workflowBundleFile, workflowBundleIsFresh } from '../../src/setup/workflow-bundle.js';

/**
 * The interpreter on a real server with scripts that a test plays: activities typed from the real ones, on queues of the
 * test's own. `cached: 0` makes every workflow task replay the whole history, so that a run which is not deterministic fails.
 */
export interface EngineUnderTest {
  readonly client: Client;
  /** Queue names of this test: the same letters are another queue in the next one. */
  readonly queue: (name: string) => string;
  readonly changes: { readonly jobId: string; readonly change: RecordChange }[];
  /** What the journals of its graphs hold, each entry once. */
  readonly journal: JournalEntry[];
  start(input: GraphInput): Promise<WorkflowHandle>;
  stop(): Promise<void>;
}

/**
 * Replays a run's history against the workflows as they are now, or those of a bundle.
 * @throws DeterminismViolationError when they would decide otherwise
 */
export async function replay(
  history: unknown,
  workflowId: string,
  bundle?: WorkflowBundleOption,
): Promise<JournalEntry[]> {
  quietRuntime();
  const { journal, sinks } = journalInMemory();
  await Worker.runReplayHistory({ workflowBundle: bundle ?? (await workflowBundle()), sinks }, history, workflowId);
  return journal;
}

let bundle: Promise<WorkflowBundleOption> | undefined;

/** That of the build where it is of these sources, which `npm test` sees to; else it is made here. */
export function workflowBundle(): Promise<WorkflowBundleOption> {
  bundle ??= workflowBundleIsFresh()
    ? Promise.resolve({ codePath: workflowBundleFile })
    : bundleWorkflowCode({
        workflowsPath: new URL('../../src/workflows/index.ts', import.meta.url).pathname,
        logger: new DefaultLogger('ERROR'),
      });
  return bundle;
}

export async function startEngine(options: {
  readonly runScript: ScriptActivities['runScript'];
  readonly queues: readonly string[];
  readonly cached: number;
  readonly hasWorkers?: (queue: string) => boolean;
  /** Answers to the questions that the interpreter asks the engine's own worker. */
  readonly records?: Partial<RecordActivities>;
  /** Plays the worker's side of batches; else they are run one after another by `runScript`. */
  readonly runScripts?: ScriptActivities['runScripts'];
  /** Other workflows than the engine's own, and what they ask of their worker. */
  readonly bundle?: WorkflowBundleOption;
  readonly activities?: object;
  /** The document of every graph of this test. */
  readonly stored?: readonly GraphNode[];
}): Promise<EngineUnderTest> {
  quietRuntime();
  const id = randomUUID().slice(0, 8);
  const queue = (name: string): string => `${name}-${id}`;
  const address = inject('temporalAddress');
  const namespace = inject('temporalNamespace');
  const [connection, clientConnection] = await Promise.all([
    NativeConnection.connect({ address }),
    Connection.connect({ address }),
  ]);
  const client = new Client({ connection: clientConnection, namespace });
  const changes: { jobId: string; change: RecordChange }[] = [];
  const records: RecordActivities = {
    recordChange: async (jobId, change) => {
      changes.push({ jobId, change });
    },
    hasWorkers: async (name) => options.hasWorkers?.(name) ?? true,
    endAlone: async () => undefined,
    sendCallback: async () => undefined,
    loadPlan: async (_, first, count) => planOf((options.stored ?? []).slice(first - 1, first - 1 + count), first),
    evaluateWhen: async () => true,
    expandMap: async () => 0,
    settleBatch: async (jobs) => jobs.map((job) => ({ ...job, outcome: { kind: 'not-begun' } })),
    ...options.records,
  };
  const { journal, sinks } = journalInMemory();
  const engineQueue = queue('engine');
  const workers = [
    await Worker.create({
      connection,
      namespace,
      taskQueue: engineQueue,
      workflowBundle: options.bundle ?? (await workflowBundle()),
      activities: { ...records, ...options.activities },
      sinks,
      maxCachedWorkflows: options.cached,
    }),
  ];
  for (const name of options.queues) {
    workers.push(
      await Worker.create({
        connection,
        namespace,
        taskQueue: queue(name),
        activities: { runScript: options.runScript, runScripts: options.runScripts ?? oneByOne(options.runScript) },
        maxHeartbeatThrottleInterval: '100 milliseconds',
        shutdownGraceTime: '100 milliseconds',
      }),
    );
  }
  const runs = workers.map((worker) => worker.run());
  return {
    client,
    queue,
    changes,
    journal,
    start: (input) =>
      client.workflow.start('pixyzGraph', { workflowId: input.graphId, taskQueue: engineQueue, args: [input] }),
    async stop() {
      for (const worker of workers) worker.shutdown();
      await Promise.all(runs);
      await Promise.all([connection.close(), clientConnection.close()]);
    },
  };
}

function journalInMemory(): { readonly journal: JournalEntry[]; readonly sinks: InjectedSinks<JournalSinks> } {
  const journal: JournalEntry[] = [];
  const known = new Set<string>();
  const sinks: InjectedSinks<JournalSinks> = {
    journal: {
      append: {
        fn(_, graphId, entries) {
          for (const entry of entries) {
            const key = `${graphId} ${entryKey(entry)}`;
            if (!known.has(key)) journal.push(entry);
            known.add(key);
          }
        },
        callDuringReplay: true,
      },
    },
  };
  return { journal, sinks };
}

function planOf(nodes: readonly GraphNode[], first: number): PlanPart {
  return {
    first,
    templates: nodes.map(({ index: _index, label: _label, deps: _deps, ...template }) => template),
    rows: nodes.map(({ label, deps }, at) => [at, label, deps]),
  };
}

/** A worker that never hands back: it ends a batch at the first that does not succeed, as the real one does. */
function oneByOne(runScript: ScriptActivities['runScript']): ScriptActivities['runScripts'] {
  return async ({ inputs }) => {
    const jobs: JobOutcome[] = [];
    let failed = false;
    for (const input of inputs) {
      const outcome: JobOutcome['outcome'] = failed ? { kind: 'not-begun' } : await outcomeOf(runScript, input);
      failed ||= outcome.kind !== 'succeeded';
      jobs.push({ jobId: input.jobId, attempt: input.attempt, outcome });
    }
    return { jobs };
  };
}

async function outcomeOf(
  runScript: ScriptActivities['runScript'],
  input: AttemptInput,
): Promise<JobOutcome['outcome']> {
  try {
    const { tookMs = 1 } = await runScript(input);
    return { kind: 'succeeded', tookMs };
  } catch (error) {
    if (!(error instanceof ApplicationFailure)) throw error;
    return { kind: 'fault', fault: error.details?.[0] as AttemptFault };
  }
}

let quiet = false;
/** The SDK's own log would go to the console, and a stray console line fails a test. */
function quietRuntime(): void {
  if (quiet) return;
  quiet = true;
  Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) });
}
