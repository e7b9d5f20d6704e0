import {
  ActivityExecutionAlreadyStartedError,
  ActivityNotFoundError,
  type Client,
  ServiceError,
} from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import type { AttemptInput, GraphInput, GraphNode, RunLabels } from '../contract/graph.js';
import { graphIdOf, jobIdOf } from '../contract/ids.js';
import { shortText } from '../contract/short-text.js';
import type { ListQuery, RunSummary } from './engine.js';
import type { SourcePage } from './merge-pages.js';
import { attributes, firstText, jsonOf, placeOf, quoted } from './visibility.js';

/**
 * Single jobs as Temporal's standalone activities: no workflow, no history, half the server's work of a run with one
 * activity. The activity's id is the job's id, the run of the interpreter (if there ever is one) has the graph's.
 *
 * 1. Only plain jobs: no delay, no expiry, no callback. Others need the interpreter from the start.
 * 2. A lost worker is Temporal's own retry, without end; the attempt itself counts losses in the record.
 * 3. A fault that allows another attempt turns the job into a run of the interpreter. The activity is then terminated,
 *    which nothing else does: lists leave terminated activities out, the run stands for the job. Only a list that began
 *    before that still has the activity, since the run has come too late for it.
 */
export type AloneState = 'running' | 'succeeded' | 'failed' | 'cancelled' | 'continued' | 'unknown';

/** Whether a graph is one plain job. */
export function isAlone(input: GraphInput): boolean {
  const [node, second] = input.nodes;
  return (
    node !== undefined &&
    second === undefined &&
    input.journal === undefined &&
    node.countdown === 0 &&
    node.expires === null &&
    !node.hasCallback &&
    node.resume === undefined
  );
}

/** A dead worker is noticed in this time; cancel travels with the heartbeats' answers. */
const heartbeatTimeout = '10 seconds';
/** Unpacking, waiting for a slot and writing results come on top of the script's own limit, which the runner keeps. */
const overheadSeconds = 3600;
const unlimitedSeconds = 365 * 24 * 3600;

export class AloneJobs {
  readonly #client: Client;
  readonly #connection: NativeConnection;
  readonly #namespace: string;

  constructor(client: Client, connection: NativeConnection, namespace: string) {
    this.#client = client;
    this.#connection = connection;
    this.#namespace = namespace;
  }

  async start(graphId: string, node: GraphNode, labels: RunLabels): Promise<void> {
    const attempt: AttemptInput = {
      jobId: jobIdOf(graphId, node.index),
      attempt: 1,
      queue: node.queue,
      timeLimit: node.timeLimit,
      retry: node.retry,
      retriesUsed: 0,
      lossesUsed: 0,
      alone: { node, labels },
    };
    try {
      await this.#client.activity.start('runScript', {
        id: attempt.jobId,
        taskQueue: node.queue,
        args: [attempt],
        heartbeatTimeout,
        startToCloseTimeout: (node.timeLimit === null ? unlimitedSeconds : node.timeLimit + overheadSeconds) * 1000,
        retry: { initialInterval: '100 milliseconds', backoffCoefficient: 2, maximumInterval: '10 seconds' },
        // A job id names one request for ever: a repeated start must not run the script again.
        idReusePolicy: 'REJECT_DUPLICATE',
        priority: { priorityKey: node.priority },
        summary: node.label,
        typedSearchAttributes: attributes({
          PixyzName: shortText(labels.name),
          PixyzQueue: labels.queue,
          PixyzProcess: shortText(labels.process),
        }),
      });
    } catch (error) {
      if (!(error instanceof ActivityExecutionAlreadyStartedError)) throw error;
    }
  }

  async state(jobId: string): Promise<AloneState> {
    try {
      const { status } = await this.#client.activity.getHandle(jobId).describe();
      switch (status) {
        case 'COMPLETED':
          return 'succeeded';
        case 'FAILED':
        case 'TIMED_OUT':
          return 'failed';
        case 'CANCELED':
          return 'cancelled';
        case 'TERMINATED':
          return 'continued';
        default:
          return 'running';
      }
    } catch (error) {
      if (error instanceof ActivityNotFoundError) return 'unknown';
      throw error;
    }
  }

  /** Asks it to stop. Asking again, or too late, is a success. */
  async cancel(jobId: string, reason: string): Promise<void> {
    try {
      await this.#client.activity.getHandle(jobId).cancel(reason);
    } catch (error) {
      if (error instanceof ActivityNotFoundError || isFailedPrecondition(error)) return;
      throw error;
    }
  }

  /** The interpreter has the job now. */
  async leave(jobId: string): Promise<void> {
    try {
      await this.#client.activity.getHandle(jobId).terminate('continues as a graph, under the id of the graph');
    } catch (error) {
      if (error instanceof ActivityNotFoundError || isFailedPrecondition(error)) return;
      throw error;
    }
  }

  async list(query: Omit<ListQuery, 'cursor'>, pageToken: Uint8Array): Promise<SourcePage<RunSummary>> {
    const answer = await this.#connection.workflowService.listActivityExecutions({
      namespace: this.#namespace,
      pageSize: query.limit,
      query: aloneFilter(query),
      nextPageToken: pageToken,
    });
    const items = (answer.executions ?? []).map((execution) => {
      const jobId = execution.activityId ?? '';
      const fields = execution.searchAttributes?.indexedFields ?? {};
      return {
        graphId: graphIdOf(jobId),
        jobIds: [jobId],
        isGraph: false,
        name: firstText(fields['PixyzName']?.data),
        queue: firstText(fields['PixyzQueue']?.data) ?? execution.taskQueue ?? '',
        process: firstText(fields['PixyzProcess']?.data) ?? '',
        place: placeOf(execution.scheduleTime, execution.closeTime, execution.runId ?? ''),
      };
    });
    return { items, token: answer.nextPageToken ?? new Uint8Array() };
  }

  /** Numbers of jobs by the words of Temporal; those that the interpreter has taken over are left out. */
  async countByStatus(): Promise<{ readonly status: unknown; readonly count: number }[]> {
    const answer = await this.#connection.workflowService.countActivityExecutions({
      namespace: this.#namespace,
      query: `ActivityType = 'runScript' AND ExecutionStatus != 'Terminated' GROUP BY ExecutionStatus`,
    });
    return (answer.groups ?? []).map((group) => ({
      status: jsonOf(group.groupValues?.[0]?.data),
      count: Number(group.count ?? 0),
    }));
  }
}

const statusFilter: Readonly<Record<ListQuery['states'][number], string>> = {
  OPEN: `ExecutionStatus = 'Running'`,
  SUCCESS: `ExecutionStatus = 'Completed'`,
  FAILURE: `ExecutionStatus = 'Failed' OR ExecutionStatus = 'TimedOut'`,
  REVOKED: `ExecutionStatus = 'Canceled'`,
};

export function aloneFilter(query: Omit<ListQuery, 'limit' | 'cursor'>): string {
  const parts = [`ActivityType = 'runScript'`];
  const wanted =
    query.states.length > 0
      ? query.states.map((state) => `(${statusFilter[state]})`)
      : [`ExecutionStatus != 'Terminated'`];
  // Taken over by a run between two pages: the run is new, so it stands before what is still to be listed.
  if (query.began !== undefined && (query.states.length === 0 || query.states.includes('OPEN'))) {
    wanted.push(`(ExecutionStatus = 'Terminated' AND CloseTime >= '${query.began.toISOString()}')`);
  }
  parts.push(`(${wanted.join(' OR ')})`);
  if (query.queue !== undefined) parts.push(`PixyzQueue = ${quoted(query.queue)}`);
  if (query.queuesBeside !== undefined) parts.push(`PixyzQueue NOT IN (${query.queuesBeside.map(quoted).join(', ')})`);
  if (query.name !== undefined) parts.push(`PixyzName = ${quoted(query.name)}`);
  if (query.process !== undefined) parts.push(`PixyzProcess = ${quoted(query.process)}`);
  if (query.since !== undefined) parts.push(`StartTime >= '${query.since.toISOString()}'`);
  if (query.until !== undefined) parts.push(`StartTime <= '${query.until.toISOString()}'`);
  return parts.join(' AND ');
}

/** gRPC FAILED_PRECONDITION: it has ended, or has been asked to. */
function isFailedPrecondition(error: unknown): boolean {
  const cause = error instanceof ServiceError ? error.cause : error;
  return cause instanceof Error && 'code' in cause && cause.code === 9;
}
