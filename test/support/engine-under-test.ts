import { randomUUID } from 'node:crypto';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import {
  bundleWorkflowCode,
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
  type WorkflowBundle,
} from '@temporalio/worker';
import { inject } from 'vitest';
import type { RecordActivities, ScriptActivities } from '../../src/activities/index.js';
import type { GraphInput } from '../../src/contract/graph.js';
import type { RecordChange } from '../../src/graph/record-change.js';

/**
 * The interpreter on a real server with scripts that a test plays: activities typed from the real ones, on queues of the
 * test's own. `cached: 0` makes every workflow task replay the whole history, so that a run which is not deterministic fails.
 */
export interface EngineUnderTest {
  readonly client: Client;
  /** Queue names of this test: the same letters are another queue in the next one. */
  readonly queue: (name: string) => string;
  readonly changes: { readonly jobId: string; readonly change: RecordChange }[];
  start(input: GraphInput): Promise<WorkflowHandle>;
  stop(): Promise<void>;
}

let bundle: Promise<WorkflowBundle> | undefined;

export function workflowBundle(): Promise<WorkflowBundle> {
  bundle ??= bundleWorkflowCode({
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
    loadPlan: async (_, first) => ({ first, templates: [], rows: [] }),
    evaluateWhen: async () => true,
    expandMap: async () => 0,
    settleBatch: async (jobs) => jobs.map((job) => ({ ...job, outcome: { kind: 'not-begun' } })),
  };
  const engineQueue = queue('engine');
  const workers = [
    await Worker.create({
      connection,
      namespace,
      taskQueue: engineQueue,
      workflowBundle: await workflowBundle(),
      activities: records,
      maxCachedWorkflows: options.cached,
    }),
  ];
  for (const name of options.queues) {
    workers.push(
      await Worker.create({
        connection,
        namespace,
        taskQueue: queue(name),
        activities: { runScript: options.runScript },
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
    start: (input) =>
      client.workflow.start('pixyzGraph', { workflowId: input.graphId, taskQueue: engineQueue, args: [input] }),
    async stop() {
      for (const worker of workers) worker.shutdown();
      await Promise.all(runs);
      await Promise.all([connection.close(), clientConnection.close()]);
    },
  };
}

let quiet = false;
/** The SDK's own log would go to the console, and a stray console line fails a test. */
function quietRuntime(): void {
  if (quiet) return;
  quiet = true;
  Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) });
}
