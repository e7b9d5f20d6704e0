import { TimeoutType } from '@temporalio/common';
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  defineSignal,
  isCancellation,
  log,
  ParentClosePolicy,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  sleep,
  startChild,
  TimeoutFailure,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { RecordActivities, ScriptActivities } from '../activities/index.js';
import type { AttemptFault, AttemptInput, GraphInput, GraphNode } from '../contract/graph.js';
import { jobIdOf } from '../contract/ids.js';
import type { FaultKind } from '../contract/job.js';
import type { EndState, GraphCommand, GraphEvent } from '../graph/events.js';
import { GraphRun } from '../graph/graph-run.js';
import { deliverCallback } from './deliver-callback.js';

/**
 * The interpreter of every graph: turns the core's commands into activity calls and what comes of them into events.
 * All decisions are in `src/graph`; this file owns timing, cancellation and Temporal's failures.
 */

/** Node (null: all) and reason. */
export type CancelNodeArgs = [number | null, string];
const cancelNodeSignal = defineSignal<CancelNodeArgs>('cancelNode');

/** Attempts in flight per run: above some hundreds, one workflow task can no longer schedule them in time. */
const window = 200;

/** A dead worker is noticed in this time; cancel travels with the heartbeats' answers. */
const heartbeatTimeout = '10 seconds';

/** Unpacking, waiting for a slot and writing results come on top of the script's own limit, which the runner keeps. */
const overheadSeconds = 3600;
const unlimitedSeconds = 365 * 24 * 3600;

const records = proxyLocalActivities<RecordActivities>({
  startToCloseTimeout: '30 seconds',
  localRetryThreshold: '5 minutes',
});

export async function pixyzGraph(input: GraphInput): Promise<void> {
  const nodes = new Map(input.nodes.map((node) => [node.index, node]));
  const core = new GraphRun(input.nodes, { window });
  const scopes = new Map<number, CancellationScope>();
  /** Writes to one job's record happen in the order they were decided in. */
  const writes = new Map<number, Promise<void>>();
  const notices: Promise<unknown>[] = [];

  let finish: (outcome: Extract<GraphCommand, { type: 'finish' }>) => void = () => undefined;
  const finished = new Promise<Extract<GraphCommand, { type: 'finish' }>>((resolve) => {
    finish = resolve;
  });

  function dispatch(event: GraphEvent): void {
    for (const command of core.handle(event)) carryOut(command);
  }

  function carryOut(command: GraphCommand): void {
    switch (command.type) {
      case 'wait':
        void sleep(command.seconds * 1000).then(
          () => dispatch({ type: 'due', node: command.node }),
          () => undefined,
        );
        break;
      case 'run':
        void runAttempt(command).then(dispatch);
        break;
      case 'stop':
        scopes.get(command.node)?.cancel();
        break;
      case 'record': {
        const before = writes.get(command.node) ?? Promise.resolve();
        writes.set(
          command.node,
          before.then(() =>
            CancellationScope.nonCancellable(() =>
              records.recordChange(jobIdOf(input.graphId, command.node), command.change),
            ),
          ),
        );
        break;
      }
      case 'ended':
        notices.push(notify(command.node, command.state));
        break;
      case 'finish':
        finish(command);
        break;
    }
  }

  async function runAttempt(command: Extract<GraphCommand, { type: 'run' }>): Promise<GraphEvent> {
    const node = nodes.get(command.node) as GraphNode;
    // The record must say "lost" before the next attempt reads it.
    await writes.get(command.node);
    const scope = new CancellationScope({ cancellable: true, parent: CancellationScope.current() });
    scopes.set(command.node, scope);
    const attempt: AttemptInput = {
      jobId: jobIdOf(input.graphId, command.node),
      attempt: command.attempt,
      queue: command.queue,
      timeLimit: command.timeLimit,
      retry: node.retry,
      retriesUsed: command.retriesUsed,
      lossesUsed: command.lossesUsed,
    };
    const scripts = proxyActivities<ScriptActivities>({
      taskQueue: command.queue,
      startToCloseTimeout: (command.timeLimit === null ? unlimitedSeconds : command.timeLimit + overheadSeconds) * 1000,
      heartbeatTimeout,
      ...(command.startWithin === null ? {} : { scheduleToStartTimeout: Math.max(1, command.startWithin * 1000) }),
      cancellationType: 'WAIT_CANCELLATION_COMPLETED',
      retry: { maximumAttempts: 1 },
      priority: { priorityKey: command.priority },
      summary: command.attempt === 1 ? node.label : `${node.label} (attempt ${command.attempt})`,
    });
    try {
      await scope.run(() => scripts.runScript(attempt));
      return { type: 'succeeded', node: command.node };
    } catch (error) {
      return await eventOf(error, command);
    } finally {
      scopes.delete(command.node);
    }
  }

  async function eventOf(error: unknown, command: Extract<GraphCommand, { type: 'run' }>): Promise<GraphEvent> {
    const { node, queue } = command;
    if (isCancellation(error)) return { type: 'faulted', node, fault: 'cancelled', message: 'cancelled' };
    const cause = error instanceof ActivityFailure ? error.cause : error;
    if (cause instanceof TimeoutFailure) {
      if (cause.timeoutType === TimeoutType.SCHEDULE_TO_START) {
        const served = await CancellationScope.nonCancellable(() => records.hasWorkers(queue));
        return { type: 'not-started', node, served };
      }
      const message = `the worker of attempt ${command.attempt} is gone: no sign of life for ${heartbeatTimeout}`;
      return { type: 'faulted', node, fault: 'lost', message };
    }
    if (cause instanceof ApplicationFailure) {
      if (cause.type === 'NO_SLOT') return { type: 'returned', node };
      const fault = cause.details?.[0] as AttemptFault | undefined;
      if (fault !== undefined && fault !== null && typeof fault.kind === 'string') {
        return { type: 'faulted', node, fault: fault.kind as FaultKind, message: fault.message };
      }
    }
    // Not an outcome of the script: the worker itself failed (share gone, disk full). Another try may meet a better one.
    const message = cause instanceof Error ? cause.message : String(cause);
    log.warn('an attempt failed outside the script', { node, message });
    return { type: 'faulted', node, fault: 'lost', message };
  }

  async function notify(index: number, state: EndState): Promise<void> {
    const node = nodes.get(index) as GraphNode;
    if (!node.hasCallback) return;
    await writes.get(index);
    // A child that outlives the run: a receiver that is down for a day must not keep the job open.
    const jobId = jobIdOf(input.graphId, index);
    await CancellationScope.nonCancellable(() =>
      startChild(deliverCallback, {
        workflowId: `callback-${jobId}`,
        args: [jobId],
        parentClosePolicy: ParentClosePolicy.ABANDON,
        staticSummary: `callback of ${node.label}`,
      }),
    ).catch((error: unknown) => log.error('the callback could not be started', { jobId, state, error: String(error) }));
  }

  setHandler(cancelNodeSignal, (node, reason) => dispatch({ type: 'cancel', node, reason }));
  const root = CancellationScope.current();
  void root.cancelRequested.catch(() => dispatch({ type: 'cancel', node: null, reason: 'cancelled' }));

  // Everything of the run lives in this scope: a cancel request is an event for the core, not an exception in the middle.
  const outcome = await CancellationScope.nonCancellable(async () => {
    dispatch({ type: 'start' });
    const last = await finished;
    await Promise.all([...writes.values(), ...notices]);
    return last;
  });

  switch (outcome.state) {
    case 'succeeded':
      return;
    case 'failed':
      throw ApplicationFailure.nonRetryable(outcome.message, 'GRAPH_FAILED');
    case 'revoked':
      if (root.consideredCancelled) throw new CancelledFailure(outcome.message);
      // Expired, or all nodes were cancelled one by one: Temporal has no word for it but "failed", so a label tells.
      upsertSearchAttributes({ PixyzState: ['REVOKED'] });
      throw ApplicationFailure.nonRetryable(outcome.message, 'REVOKED');
  }
}
