import {
  Client,
  ScheduleNotFoundError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import {
  defineSearchAttributeKey,
  type Priority,
  type SearchAttributePair,
  SearchAttributeType,
  TypedSearchAttributes,
} from '@temporalio/common';
import { NativeConnection } from '@temporalio/worker';
import type { GraphInput, RunLabels } from '../contract/graph.js';
import { graphIdOf, jobIdOf, nodeIndexOf } from '../contract/ids.js';
import { engineQueue } from '../contract/queues.js';
import { shortText } from '../contract/short-text.js';
import type { CancelNodeArgs } from '../workflows/pixyz-graph.js';
import type { CancelOutcome, Engine, ListQuery, QueueStats, RunPage, RunSummary } from './engine.js';
import type { GraphEngine } from './graph-engine.js';
import { listFilter } from './list-filter.js';
import type { SearchAttributeName } from './search-attributes.js';
import { TemporalGraphEngine } from './temporal-graph-engine.js';

/** The engine on a Temporal server. Workers of the same process share its connection. */
export interface TemporalEngine extends Engine {
  readonly connection: NativeConnection;
  readonly namespace: string;
  /** Runs the retention sweep so often; null: never again. */
  scheduleRetention(everySeconds: number | null): Promise<void>;
}

export interface ConnectOptions {
  /** host:port */
  readonly address: string;
  readonly namespace: string;
  /** How long to wait for a server that does not answer yet. */
  readonly waitMs?: number;
}

/** @throws when no server answers in time. */
export async function connectEngine(options: ConnectOptions): Promise<TemporalEngine> {
  const connection = await connectPatiently(options.address, options.waitMs ?? 0);
  const client = new Client({ connection, namespace: options.namespace });
  return new Implementation(client, connection, options.namespace);
}

async function connectPatiently(address: string, waitMs: number): Promise<NativeConnection> {
  const deadline = Date.now() + waitMs;
  for (;;) {
    try {
      return await NativeConnection.connect({ address });
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
  readonly #client: Client;

  constructor(client: Client, connection: NativeConnection, namespace: string) {
    this.#client = client;
    this.connection = connection;
    this.namespace = namespace;
    this.ofGraphs = new TemporalGraphEngine(client, connection, namespace);
  }

  async startGraph(input: GraphInput, labels: RunLabels): Promise<void> {
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
        ...(priority === undefined ? {} : { priority }),
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }

  async cancelJob(jobId: string, reason: string): Promise<CancelOutcome> {
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
    try {
      const { status } = await this.#client.workflow.getHandle(graphIdOf(jobId)).describe();
      return status.name === 'RUNNING';
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return null;
      throw error;
    }
  }

  async list(query: ListQuery): Promise<RunPage> {
    const answer = await this.connection.workflowService.listWorkflowExecutions({
      namespace: this.namespace,
      pageSize: query.limit,
      query: listFilter(query),
      ...(query.cursor === undefined ? {} : { nextPageToken: Buffer.from(query.cursor, 'base64url') }),
    });
    const runs = (answer.executions ?? []).map((execution): RunSummary => {
      const graphId = execution.execution?.workflowId ?? '';
      const fields = execution.searchAttributes?.indexedFields ?? {};
      const text = (name: SearchAttributeName): string | null => firstText(fields[name]?.data);
      const nodes = Number(jsonOf(execution.memo?.fields?.['nodes']?.data) ?? 1);
      return {
        graphId,
        jobIds: Array.from({ length: nodes }, (_, index) => jobIdOf(graphId, index + 1)),
        name: text('PixyzName'),
        queue: text('PixyzQueue') ?? '',
        process: text('PixyzProcess') ?? '',
        startedAt: dateOf(execution.startTime) ?? new Date(0),
        closedAt: dateOf(execution.closeTime),
      };
    });
    const token = answer.nextPageToken;
    return { runs, next: token == null || token.length === 0 ? null : Buffer.from(token).toString('base64url') };
  }

  async countByState(): Promise<{ open: number; success: number; failure: number; revoked: number }> {
    const answer = await this.connection.workflowService.countWorkflowExecutions({
      namespace: this.namespace,
      query: `WorkflowType = 'pixyzGraph' GROUP BY ExecutionStatus`,
    });
    // Expired jobs end as "failed" in Temporal's words, with a label that says more.
    const expired = await this.connection.workflowService.countWorkflowExecutions({
      namespace: this.namespace,
      query: `WorkflowType = 'pixyzGraph' AND ExecutionStatus = 'Failed' AND PixyzState = 'REVOKED'`,
    });
    const counts = { open: 0, success: 0, failure: 0, revoked: 0 };
    for (const group of answer.groups ?? []) {
      const count = Number(group.count ?? 0);
      switch (jsonOf(group.groupValues?.[0]?.data)) {
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
    });
    return {
      queue,
      backlog: Number(answer.stats?.approximateBacklogCount ?? 0),
      oldestAgeSeconds: Number(answer.stats?.approximateBacklogAge?.seconds ?? 0),
      pollers: answer.pollers?.length ?? 0,
    };
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

function attributes(values: Partial<Record<SearchAttributeName, string | null>>): TypedSearchAttributes {
  const pairs: SearchAttributePair[] = [];
  for (const [name, value] of Object.entries(values)) {
    if (value !== null) pairs.push({ key: defineSearchAttributeKey(name, SearchAttributeType.KEYWORD), value });
  }
  return new TypedSearchAttributes(pairs);
}

function jsonOf(data: Uint8Array | null | undefined): unknown {
  return data == null || data.length === 0 ? undefined : JSON.parse(Buffer.from(data).toString('utf8'));
}

function firstText(data: Uint8Array | null | undefined): string | null {
  const value = jsonOf(data);
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === 'string' ? first : null;
}

function dateOf(time: { seconds?: unknown; nanos?: number | null } | null | undefined): Date | null {
  return time == null ? null : new Date(Number(time.seconds ?? 0) * 1000 + (time.nanos ?? 0) / 1e6);
}
