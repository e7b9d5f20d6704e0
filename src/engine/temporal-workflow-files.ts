import {
  type Client,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import type { RunLabels } from '../contract/graph.js';
import { graphIdFromKey } from '../contract/new-graph-id.js';
import { engineQueue } from '../contract/queues.js';
import { shortText } from '../contract/short-text.js';
import { type PreparedRun, type ScheduledLaunch } from '../contract/workflow-files.js';
import { versionOfQueue, versionQueue } from '../contract/workflow-queues.js';
import { EngineError } from '../errors/engine-error.js';
import type { PageLinks } from './page-links.js';
import { attributes } from './visibility.js';
import type { NewSchedule, ScheduleState, WorkflowFileEngine } from './workflow-file-engine.js';

/** Schedules of a workflow: their ids in Temporal begin so. */
const scheduleId = (workflow: string, id: string): string => `pixyz-workflow:${workflow}:${id}`;

/** The graph that the launch of a schedule makes: known from the id that Temporal gave the launch. */
export function scheduledGraphId(launchId: string): string {
  return graphIdFromKey(`schedule\n${launchId}`);
}

export class TemporalWorkflowFiles implements WorkflowFileEngine {
  readonly #client: Client;
  readonly #connection: NativeConnection;
  readonly #namespace: string;
  readonly #page: PageLinks;

  constructor(client: Client, connection: NativeConnection, namespace: string, page: PageLinks) {
    this.#page = page;
    this.#client = client;
    this.#connection = connection;
    this.#namespace = namespace;
  }

  async start({ workflow, input }: PreparedRun, labels: RunLabels): Promise<void> {
    try {
      await this.#client.workflow.start(workflow, {
        workflowId: input.graphId,
        taskQueue: versionQueue(workflow, input.version),
        args: [input],
        // A graph id names one request for ever: a repeated start must not run the scripts again.
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        memo: { nodes: 0, graph: true },
        typedSearchAttributes: attributes({
          PixyzName: shortText(labels.name),
          PixyzProcess: shortText(labels.process),
          PixyzGraph: 'workflow',
        }),
        staticSummary: shortText(labels.name ?? workflow),
        ...this.#page.of(input.graphId, true),
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }

  async openVersions(): Promise<{ name: string; version: string }[]> {
    const found = new Map<string, { name: string; version: string }>();
    let nextPageToken: Uint8Array = new Uint8Array();
    do {
      const answer = await this.#connection.workflowService.listWorkflowExecutions({
        namespace: this.#namespace,
        pageSize: 1000,
        query: `PixyzGraph = 'workflow' AND ExecutionStatus = 'Running'`,
        nextPageToken,
      });
      for (const { taskQueue } of answer.executions ?? []) {
        const version = versionOfQueue(taskQueue ?? '');
        if (version !== null) found.set(taskQueue ?? '', version);
      }
      nextPageToken = answer.nextPageToken ?? new Uint8Array();
    } while (nextPageToken.length > 0);
    return [...found.values()];
  }

  async signal(graphId: string, name: string, args: readonly unknown[]): Promise<'sent' | 'already-ended' | 'unknown'> {
    const handle = this.#client.workflow.getHandle(graphId);
    let isKnown = false;
    try {
      const { status } = await handle.describe();
      isKnown = true;
      if (status.name !== 'RUNNING') return 'already-ended';
      await handle.signal(name, ...args);
      return 'sent';
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return isKnown ? 'already-ended' : 'unknown';
      throw error;
    }
  }

  async step(graphId: string): Promise<{ attempts: number; isCancelled: boolean }> {
    const { pendingWorkflowTask, workflowExtendedInfo } =
      await this.#connection.workflowService.describeWorkflowExecution({
        namespace: this.#namespace,
        execution: { workflowId: graphId },
      });
    return {
      attempts: pendingWorkflowTask?.attempt ?? 0,
      isCancelled: workflowExtendedInfo?.cancelRequested === true,
    };
  }

  async createSchedule({ id, when, launch }: NewSchedule): Promise<void> {
    try {
      await this.#client.schedule.create({
        scheduleId: scheduleId(launch.workflow, id),
        spec:
          'cron' in when
            ? { cronExpressions: [when.cron], timezone: when.timezone }
            : { intervals: [{ every: when.everySeconds * 1000 }] },
        action: {
          type: 'startWorkflow',
          workflowType: 'launchScheduled',
          // Temporal puts the time behind it.
          workflowId: `launch-${launch.workflow}-${id}`,
          taskQueue: engineQueue,
          args: [launch],
          staticSummary: `scheduled run of ${launch.workflow}`,
        },
        // A run that takes longer than the pause is not joined by a second one.
        policies: { overlap: 'SKIP', catchupWindow: '1 hour' },
        memo: { launch, when },
      });
    } catch (error) {
      if (error instanceof ScheduleAlreadyRunning)
        throw new EngineError(
          'CONFLICT',
          `workflow ${launch.workflow} has a schedule "${id}" already: delete it first`,
        );
      if (isInvalidArgument(error)) throw new EngineError('BAD_REQUEST', `no such schedule: ${detailOf(error)}`);
      throw error;
    }
  }

  async schedules(workflow: string): Promise<ScheduleState[]> {
    const prefix = scheduleId(workflow, '');
    const found: ScheduleState[] = [];
    for await (const summary of this.#client.schedule.list({ pageSize: 200 })) {
      if (!summary.scheduleId.startsWith(prefix)) continue;
      const { when } = (summary.memo ?? {}) as { launch?: ScheduledLaunch; when?: NewSchedule['when'] };
      found.push({
        id: summary.scheduleId.slice(prefix.length),
        cron: when !== undefined && 'cron' in when ? [when.cron] : [],
        everySeconds: when !== undefined && 'everySeconds' in when ? when.everySeconds : null,
        timezone: when !== undefined && 'cron' in when ? when.timezone : null,
        paused: summary.state.paused,
        next: summary.info.nextActionTimes.slice(0, 3),
        runs: [...summary.info.recentActions]
          .reverse()
          .map(({ action, takenAt }) => ({ graphId: scheduledGraphId(action.workflow.workflowId), at: takenAt })),
      });
    }
    return found.sort((a, b) => a.id.localeCompare(b.id));
  }

  async deleteSchedule(workflow: string, id: string): Promise<boolean> {
    try {
      await this.#client.schedule.getHandle(scheduleId(workflow, id)).delete();
      return true;
    } catch (error) {
      if (error instanceof ScheduleNotFoundError) return false;
      throw error;
    }
  }
}

/** gRPC INVALID_ARGUMENT */
function isInvalidArgument(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if ('code' in cause && cause.code === 3) return true;
  return false;
}

function detailOf(error: unknown): string {
  let text = String(error);
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { details } = cause as { details?: unknown };
    text = typeof details === 'string' && details !== '' ? details : cause.message;
  }
  return text;
}
