import type { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { AttemptFault, AttemptInput, AttemptResult, GraphInput, RunLabels } from '../contract/graph.js';
import { graphIdOf } from '../contract/ids.js';
import { type FaultKind, isTerminal, type JobRecord } from '../contract/job.js';
import { afterFault, type NextStep } from '../graph/resubmission.js';
import type { JobStore } from '../store/job-store.js';
import { changeRecord } from './record-activities.js';
import { fault } from './script-fault.js';

/**
 * A job that no interpreter stands behind (`src/engine/alone.ts`). Temporal alone repeats the attempt, so each one finds out
 * from the record where the job stands:
 *
 * 1. The record tells an end: an attempt wrote it, and died before Temporal heard of it. The same end is told again.
 * 2. It tells a fault that allows another attempt: the interpreter takes over (again, if that was cut short).
 * 3. It names an attempt with no end: its worker is lost. Counted, up to the bound of the job.
 */
export interface AloneDeps {
  readonly store: JobStore;
  /** Makes the job a run of the interpreter and ends the activity. */
  readonly continueAsGraph: (input: GraphInput, labels: RunLabels) => Promise<void>;
}

type Alone = NonNullable<AttemptInput['alone']>;

export async function runAlone(
  deps: AloneDeps,
  sent: AttemptInput,
  alone: Alone,
  context: Context,
  run: (input: AttemptInput) => Promise<AttemptResult>,
): Promise<AttemptResult> {
  const { attempt, activityRunId: runId } = context.info;
  let record = await deps.store.readRecord(sent.jobId);
  if (record !== null && isTerminal(record.status)) return toldBefore(record);
  if (record !== null && record.attempts.some((entry) => entry.outcome === null)) {
    record = await loseAttempts(deps.store, sent, record);
  }
  const position: AttemptInput = {
    ...sent,
    attempt,
    ...used(record),
    alone: { ...alone, ...(runId === undefined ? {} : { runId }) },
  };
  const last = record?.attempts.at(-1)?.outcome ?? null;
  if (record?.status === 'RETRY' && last !== null && last !== 'succeeded' && last !== 'lost') {
    return continueFrom(deps, position, alone, afterFault(position, last), last);
  }
  try {
    return await run(position);
  } catch (error) {
    const kind = kindOf(error);
    if (kind === null) throw error;
    const next = afterFault(position, kind);
    if (next.kind !== 'again') throw error;
    // The worker is told to end, or was cut off: another one goes on at once.
    if (kind === 'lost') throw ApplicationFailure.retryable((error as Error).message, 'WORKER_LOST');
    return continueFrom(deps, position, alone, next, kind);
  }
}

function used(record: JobRecord | null): Pick<AttemptInput, 'retriesUsed' | 'lossesUsed'> {
  return {
    retriesUsed: record?.retry ?? 0,
    lossesUsed: record?.attempts.filter((entry) => entry.outcome === 'lost').length ?? 0,
  };
}

function toldBefore(record: JobRecord): AttemptResult {
  switch (record.status) {
    case 'SUCCESS':
      return { result: record.result, resultFile: record.resultFile };
    case 'REVOKED':
      throw new CancelledFailure(typeof record.result === 'string' ? record.result : 'cancelled');
    default:
      throw fault(record.error?.kind ?? 'lost', `${record.error?.type}: ${record.error?.message}`);
  }
}

/** @returns the record as it is now. @throws when the job has been lost too often. */
async function loseAttempts(store: JobStore, sent: AttemptInput, before: JobRecord): Promise<JobRecord | null> {
  const dead = before.attempts.at(-1)?.attempt ?? 1;
  const message = `the worker of attempt ${dead} is gone, or could not write to the share: it did not say how the attempt ended`;
  const next = afterFault({ ...sent, ...used(before) }, 'lost');
  if (next.kind === 'again') {
    await changeRecord(store, sent.jobId, { kind: 'lost', attempt: dead, message, nextQueue: next.queue });
    return store.readRecord(sent.jobId);
  }
  await changeRecord(store, sent.jobId, { kind: 'failed', attempt: dead, message });
  throw fault('lost', message);
}

async function continueFrom(
  deps: AloneDeps,
  position: AttemptInput,
  alone: Alone,
  next: NextStep,
  kind: FaultKind,
): Promise<never> {
  if (next.kind !== 'again') throw fault(kind, `the job has ended (${next.kind}), but its record does not say so`);
  const { queue, timeLimit, retriesUsed, lossesUsed, rescue } = next;
  const resume = { attempt: position.attempt + 1, queue, timeLimit, retriesUsed, lossesUsed, rescued: rescue };
  await deps.continueAsGraph({ graphId: graphIdOf(position.jobId), nodes: [{ ...alone.node, resume }] }, alone.labels);
  throw ApplicationFailure.nonRetryable('continues as a graph, under the id of the graph', 'CONTINUED');
}

function kindOf(error: unknown): FaultKind | null {
  if (!(error instanceof ApplicationFailure)) return null;
  const told = error.details?.[0] as AttemptFault | undefined;
  return told?.kind ?? null;
}
