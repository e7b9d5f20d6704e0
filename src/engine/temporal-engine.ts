import {
  Client,
  ScheduleNotFoundError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import type { Priority } from '@temporalio/common';
import { NativeConnection, type NativeConnectionOptions } from '@temporalio/worker';
import type { GraphInput, RunLabels } from '../contract/graph.js';
import { graphIdOf, jobIdOf, nodeIndexOf } from '../contract/ids.js';
import { engineQueue } from '../contract/queues.js';
import { shortText } from '../contract/short-text.js';
import { EngineError } from '../errors/engine-error.js';
import type { CancelNodeArgs } from '../workflows/pixyz-graph.js';
import { AloneJobs, isAlone } from './alone.js';
import type { CancelOutcome, Engine, ListQuery, QueuePause, QueueStats, RunPage, RunSummary } from './engine.js';
import type { GraphEngine } from './graph-engine.js';
import { listFilter } from './list-filter.js';
import { mergePages, type SourcePage } from './merge-pages.js';
import { PageLinks } from './page-links.js';
import { engineDataConverter } from './payload-codec.js';
import type { SearchAttributeName } from './search-attributes.js';
import { TemporalGraphEngine } from './temporal-graph-engine.js';
import { TemporalWorkflowFiles } from './temporal-workflow-files.js';
import { attributes, firstText, jsonOf, placeOf, type Timestamp } from './visibility.js';
import type { WorkflowFileEngine } from './workflow-file-engine.js';

/** The engine on a Temporal server. Workers of the same process share its connection. */
export interface TemporalEngine extends Engine {
  readonly connection: NativeConnection;
  readonly namespace: string;
  /** Single jobs that no interpreter stands behind. */
  /** Stops a job as a node of a run of the interpreter; `unknown` where there is none. */
  cancelRun(jobId: string, reason: string): Promise<CancelOutcome>;
  readonly alone: AloneJobs;
  /** Calls about workflow files. */
  readonly ofFiles: WorkflowFileEngine;
  /** Runs the retention sweep so often; null: never again. */
  scheduleRetention(everySeconds: number | null): Promise<void>;
}

export interface ConnectOptions {
  /** host:port */
  readonly address: string;
  readonly namespace: string;
  /** How long to wait for a server that does not answer yet. */
  readonly waitMs?: number;
  /** Address of the API as people reach it, for links to the page. */
  readonly apiUrl?: string | undefined;
}

/** @throws when no server answers in time. */
export async function connectEngine(options: ConnectOptions): Promise<TemporalEngine> {
  const connection = await connectPatiently(options.address, options.waitMs ?? 0);
  const client = new Client({ connection, namespace: options.namespace, dataConverter: engineDataConverter });
  const { namespaceInfo } = await connection.workflowService.describeNamespace({ namespace: options.namespace });
  const hasAlone = namespaceInfo?.capabilities?.standaloneActivities === true;
  return new Implementation(client, connection, options.namespace, hasAlone, new PageLinks(options.apiUrl));
}

/** On one machine there is no network to relieve: compressing costs both sides about 2 % of their CPU time, for nothing. */
function compressionTo(address: string): NativeConnectionOptions {
  return /^(localhost|127(\.\d+){3}|\[::1\])(:|$)/.test(address) ? { grpcCompression: { codec: 'none' } } : {};
}

async function connectPatiently(address: string, waitMs: number): Promise<NativeConnection> {
  const deadline = Date.now() + waitMs;
  for (;;) {
    try {
      return await NativeConnection.connect({ address, ...compressionTo(address) });
    } catch (error) {
      if (Date.now() >= deadline)
        throw new Error(`no Temporal server answers at ${address}: start one, or set TEMPORAL_ADDRESS`, {
          cause: error,
        });
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

const activityTaskQueue = 2; // temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
const retentionSchedule = 'pixyz-retention';
const scheduledWorkflow = 'retention';

class Implementation implements TemporalEngine {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly ofGraphs: GraphEngine;
  readonly alone: AloneJobs;
  readonly ofFiles: WorkflowFileEngine;
  readonly #client: Client;
  /** Whether this server has standalone activities (1.32 and later). */
  readonly #hasAlone: boolean;
  readonly #page: PageLinks;

  constructor(client: Client, connection: NativeConnection, namespace: string, hasAlone: boolean, page: PageLinks) {
    this.#page = page;
    this.#client = client;
    this.connection = connection;
    this.namespace = namespace;
    this.ofGraphs = new TemporalGraphEngine(client, connection, namespace);
    this.alone = new AloneJobs(client, connection, namespace);
    this.ofFiles = new TemporalWorkflowFiles(client, connection, namespace, page);
    this.#hasAlone = hasAlone;
  }

  async startGraph(input: GraphInput, labels: RunLabels): Promise<void> {
    const node = this.#hasAlone && isAlone(input) ? input.nodes[0] : undefined;
    if (node === undefined) await this.#startRun(input, labels);
    else await this.alone.start(input.graphId, node, labels);
  }

  async continueAsGraph(input: GraphInput, labels: RunLabels): Promise<void> {
    await this.#startRun(input, labels);
    for (const node of input.nodes) await this.alone.leave(jobIdOf(input.graphId, node.index));
  }

  async #startRun(input: GraphInput, labels: RunLabels): Promise<void> {
    const first = input.nodes[0];
    const priority: Priority | undefined =
      input.nodes.length === 1 && first !== undefined ? { priorityKey: first.priority } : undefined;
    try {
      await this.#client.workflow.start('pixyzGraph', {
        workflowId: input.graphId,
        taskQueue: engineQueue,
        args: [input],
        // A graph id names one request for ever: a repeated start must not run the scripts again.
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        requestEagerStart: true,
        memo: { nodes: input.stored ?? input.nodes.length, ...(labels.front === undefined ? {} : { graph: true }) },
        typedSearchAttributes: attributes({
          PixyzName: shortText(labels.name),
          PixyzQueue: labels.queue === '' ? null : labels.queue,
          PixyzProcess: shortText(labels.process),
          PixyzGraph: labels.front ?? null,
        }),
        staticSummary: shortText(labels.name ?? first?.label ?? input.graphId),
        ...this.#page.of(input.graphId, labels.front !== undefined),
        ...(priority === undefined ? {} : { priority }),
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }

  async cancelJob(jobId: string, reason: string): Promise<CancelOutcome> {
    switch (this.#hasAlone ? await this.alone.state(jobId) : 'unknown') {
      case 'running':
        await this.#startCancel(jobId, reason);
        return 'cancelling';
      case 'succeeded':
      case 'failed':
      case 'cancelled':
        return 'already-ended';
      case 'continued':
      case 'unknown':
        return this.cancelRun(jobId, reason);
    }
  }

  /** A run of its own sees to it that the record tells the end, whoever is alive to write it. */
  async #startCancel(jobId: string, reason: string): Promise<void> {
    try {
      await this.#client.workflow.start('cancelAlone', {
        workflowId: `cancel-${jobId}`,
        taskQueue: engineQueue,
        args: [jobId, reason],
        workflowIdConflictPolicy: 'USE_EXISTING',
        staticSummary: `cancel ${jobId}`,
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }

  async cancelRun(jobId: string, reason: string): Promise<CancelOutcome> {
    const handle = this.#client.workflow.getHandle(graphIdOf(jobId));
    try {
      const { status, memo } = await handle.describe();
      if (status.name !== 'RUNNING') return 'already-ended';
      if (memo?.['nodes'] === 1 && memo['graph'] !== true) await handle.cancel();
      else await handle.signal<CancelNodeArgs>('cancelNode', nodeIndexOf(jobId), reason);
      return 'cancelling';
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return 'unknown';
      throw error;
    }
  }

  async isOpen(jobId: string): Promise<boolean | null> {
    const alone = this.#hasAlone ? await this.alone.state(jobId) : 'unknown';
    if (alone !== 'continued' && alone !== 'unknown') return alone === 'running';
    try {
      const { status } = await this.#client.workflow.getHandle(graphIdOf(jobId)).describe();
      return status.name === 'RUNNING';
    } catch (error) {
      // Whoever lets a run go on with a job starts it first: an activity that was terminated without one was so by hand.
      if (error instanceof WorkflowNotFoundError) return alone === 'continued' ? false : null;
      throw error;
    }
  }

  async list(query: ListQuery): Promise<RunPage> {
    const { items, next } = await mergePages(
      [
        (token) => this.#runs(query, token),
        ...(this.#hasAlone && query.graphs !== true ? [(token: Uint8Array) => this.alone.list(query, token)] : []),
      ],
      {
        limit: query.limit,
        placeOf: (run) => run.place,
        ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
      },
    );
    return { runs: items, next };
  }

  async #runs(query: ListQuery, token: Uint8Array): Promise<SourcePage<RunSummary>> {
    const answer = await this.connection.workflowService.listWorkflowExecutions({
      namespace: this.namespace,
      pageSize: query.limit,
      query: listFilter(query),
      nextPageToken: token,
    });
    const items = (answer.executions ?? []).map((execution): RunSummary => {
      const graphId = execution.execution?.workflowId ?? '';
      const fields = execution.searchAttributes?.indexedFields ?? {};
      const text = (name: SearchAttributeName): string | null => firstText(fields[name]?.data);
      const isGraph = text('PixyzGraph') !== null;
      const nodes = isGraph ? 0 : Number(jsonOf(execution.memo?.fields?.['nodes']?.data) ?? 1);
      return {
        graphId,
        jobIds: Array.from({ length: nodes }, (_, index) => jobIdOf(graphId, index + 1)),
        isGraph,
        name: text('PixyzName'),
        queue: text('PixyzQueue') ?? '',
        process: text('PixyzProcess') ?? '',
        place: placeOf(execution.startTime, execution.closeTime, execution.execution?.runId ?? ''),
      };
    });
    return { items, token: answer.nextPageToken ?? new Uint8Array() };
  }

  async countByState(): Promise<{ open: number; success: number; failure: number; revoked: number }> {
    const answer = await this.connection.workflowService.countWorkflowExecutions({
      namespace: this.namespace,
      query: `WorkflowType = 'pixyzGraph' AND PixyzGraph IS NULL GROUP BY ExecutionStatus`,
    });
    // Expired jobs end as "failed" in Temporal's words, with a label that says more.
    const expired = await this.connection.workflowService.countWorkflowExecutions({
      namespace: this.namespace,
      query: `WorkflowType = 'pixyzGraph' AND PixyzGraph IS NULL AND ExecutionStatus = 'Failed' AND PixyzState = 'REVOKED'`,
    });
    const counts = { open: 0, success: 0, failure: 0, revoked: 0 };
    const groups = (answer.groups ?? []).map((group) => ({
      status: jsonOf(group.groupValues?.[0]?.data),
      count: Number(group.count ?? 0),
    }));
    for (const { status, count } of [...groups, ...(this.#hasAlone ? await this.alone.countByStatus() : [])]) {
      switch (status) {
        case 'Running':
          counts.open += count;
          break;
        case 'Completed':
          counts.success += count;
          break;
        case 'Canceled':
        case 'Terminated':
          counts.revoked += count;
          break;
        default:
          counts.failure += count;
      }
    }
    const revoked = Number(expired.count ?? 0);
    return { ...counts, failure: Math.max(0, counts.failure - revoked), revoked: counts.revoked + revoked };
  }

  async startArchive(jobId: string, fingerprint: string): Promise<string> {
    const workflowId = `zip-${jobId}-${fingerprint.slice(0, 16)}`;
    await this.#client.workflow.start('zipOutputs', {
      workflowId,
      taskQueue: engineQueue,
      args: [jobId],
      workflowIdConflictPolicy: 'USE_EXISTING',
      staticSummary: `archive of ${jobId}`,
    });
    return workflowId;
  }

  async queueStats(queue: string): Promise<QueueStats> {
    const answer = await this.connection.workflowService.describeTaskQueue({
      namespace: this.namespace,
      taskQueue: { name: queue },
      taskQueueType: activityTaskQueue,
      reportStats: true,
      reportConfig: true,
    });
    return {
      queue,
      paused: pauseOf(answer.config?.queueRateLimit),
      backlog: Number(answer.stats?.approximateBacklogCount ?? 0),
      oldestAgeSeconds: Number(answer.stats?.approximateBacklogAge?.seconds ?? 0),
      pollers: answer.pollers?.length ?? 0,
    };
  }

  async pauseQueue(queue: string, by: string, reason: string): Promise<void> {
    await this.#limitQueue(queue, by, { rateLimit: { requestsPerSecond: 0 }, reason });
  }

  async resumeQueue(queue: string, by: string): Promise<void> {
    await this.#limitQueue(queue, by, { reason: 'resumed' });
  }

  /** A limit of no task a second is a pause that the server itself keeps: at once, and for workers of any version. */
  async #limitQueue(
    taskQueue: string,
    identity: string,
    updateQueueRateLimit: { readonly rateLimit?: { readonly requestsPerSecond: number }; readonly reason: string },
  ): Promise<void> {
    try {
      await this.connection.workflowService.updateTaskQueueConfig({
        namespace: this.namespace,
        identity,
        taskQueue,
        taskQueueType: activityTaskQueue,
        updateQueueRateLimit,
      });
    } catch (error) {
      if (!isUnimplemented(error)) throw error;
      throw new EngineError('CONFLICT', 'this Temporal server cannot pause queues: it has to be 1.29 or newer');
    }
  }

  async ping(timeoutMs: number): Promise<boolean> {
    try {
      await this.connection.withDeadline(Date.now() + timeoutMs, () =>
        this.connection.workflowService.describeNamespace({ namespace: this.namespace }),
      );
      return true;
    } catch {
      return false;
    }
  }

  async scheduleRetention(everySeconds: number | null): Promise<void> {
    const handle = this.#client.schedule.getHandle(retentionSchedule);
    try {
      await handle.delete();
    } catch (error) {
      if (!(error instanceof ScheduleNotFoundError)) throw error;
    }
    if (everySeconds === null) return;
    await this.#client.schedule.create({
      scheduleId: retentionSchedule,
      spec: { intervals: [{ every: everySeconds * 1000 }] },
      action: { type: 'startWorkflow', workflowType: scheduledWorkflow, taskQueue: engineQueue, args: [] },
      policies: { overlap: 'SKIP', catchupWindow: '1 minute' },
    });
  }

  async close(): Promise<void> {
    await this.#client.connection.close();
  }
}

interface RateLimit {
  readonly rateLimit?: { readonly requestsPerSecond?: number | null } | null;
  readonly metadata?: {
    readonly reason?: string | null;
    readonly updateIdentity?: string | null;
    readonly updateTime?: Timestamp | null;
  } | null;
}

function pauseOf(limit: RateLimit | null | undefined): QueuePause | null {
  // A zero is left out on the wire; another limit is somebody's own business.
  if (limit?.rateLimit == null || (limit.rateLimit.requestsPerSecond ?? 0) > 0) return null;
  const { reason, updateIdentity, updateTime } = limit.metadata ?? {};
  return {
    since: updateTime == null ? null : new Date(Number(updateTime.seconds ?? 0) * 1000).toISOString(),
    by: updateIdentity || null,
    reason: reason || null,
  };
}

function isUnimplemented(error: unknown): boolean {
  return (error as { code?: unknown }).code === 12;
}
