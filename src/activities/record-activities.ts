import { createHmac } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { JobOutcome } from '../contract/graph.js';
import { firstItemNumber, graphIdOf, nodeIndexOf } from '../contract/ids.js';
import { type Callback, isTerminal, type JobRecord } from '../contract/job.js';
import { preciseNow, utcWithOffset } from '../contract/time.js';
import type { RecordChange } from '../graph/record-change.js';
import { type GraphShare, openGraphs } from '../store/graph-share.js';
import type { JobStore } from '../store/job-store.js';
import { NodeRecords } from '../store/node-record.js';
import { claim } from '../store/ownership.js';
import { cancelSent, type SentCanceller } from '../store/sent-canvases.js';
import { createGraphActivities, type GraphActivities } from './graph-activities.js';

/** What the interpreter asks of the engine's own worker: quick things that need the share or the server. */
export interface RecordActivities extends GraphActivities {
  /** Writes what only the interpreter knows into a job's record. */
  recordChange(jobId: string, change: RecordChange): Promise<void>;
  /** Stops a standalone job and writes its end where no attempt can. Throws while it still runs. */
  endAlone(jobId: string, reason: string): Promise<void>;
  /** Whether any worker polls a queue now. */
  hasWorkers(queue: string): Promise<boolean>;
  /** Sends the signed notice of a job's end to its callback; throws while the receiver does not take it. */
  sendCallback(jobId: string): Promise<void>;
  /**
   * What the records tell of the inputs of a batch that did not report (worker lost, or cancelled). The interpreter gives
   * every job that has not ended a new attempt number, so nothing that a lost worker still does can count.
   */
  settleBatch(jobs: readonly { readonly jobId: string; readonly attempt: number }[]): Promise<readonly JobOutcome[]>;
}

export interface RecordDeps {
  readonly store: JobStore;
  readonly pollers: (queue: string) => Promise<number>;
  readonly alone: {
    cancel(jobId: string, reason: string): Promise<void>;
    state(jobId: string): Promise<'running' | 'continued' | (string & {})>;
    /** Cancels the run of the interpreter that the job may have become. */
    cancelRun(jobId: string, reason: string): Promise<'cancelling' | (string & {})>;
  };
  readonly sent: SentCanceller;
  /** Signs notices of jobs that name no secret. */
  readonly callbackSecret: string | undefined;
}

export function createRecordActivities(deps: RecordDeps): RecordActivities {
  const { store } = deps;
  const graphs = openGraphs(store);
  const nodes = new NodeRecords(store, graphs);
  return {
    async recordChange(jobId, change) {
      await changeRecord(store, jobId, change);
      // Its last attempt may have ended before the cancel, or with its worker: then nobody else does it.
      if (change.kind === 'revoked') await cancelSent(store, jobId, deps.sent);
    },

    async endAlone(jobId, reason) {
      const { alone } = deps;
      await alone.cancel(jobId, reason);
      let state = await alone.state(jobId);
      for (const end = Date.now() + endWaitMs; state === 'running'; state = await alone.state(jobId)) {
        if (Date.now() > end) throw ApplicationFailure.retryable(`job ${jobId} has not stopped yet`, 'STILL_RUNNING');
        Context.current().heartbeat();
        await setTimeout(endLookMs);
      }
      // A worker may have died between starting the run and ending the activity, so the activity's state does not tell.
      if ((await alone.cancelRun(jobId, reason)) === 'cancelling' || state === 'continued') return;
      const record = await store.readRecord(jobId);
      // Nothing that is still alive somewhere may write after this.
      if (record !== null && !isTerminal(record.status)) await claim(store, jobId, Number.MAX_SAFE_INTEGER);
      await changeRecord(store, jobId, { kind: 'revoked', message: reason });
      if (state === 'cancelled') await cancelSent(store, jobId, deps.sent);
    },

    async hasWorkers(queue) {
      return (await deps.pollers(queue)) > 0;
    },

    async sendCallback(jobId) {
      const callback = await callbackOf(store, graphs, jobId);
      if (callback === null) return;
      const record = (await store.readRecord(jobId)) ?? (await nodes.record(jobId));
      if (record === null) return;
      // The journal, which tells the end of a node that never began, may be a moment behind.
      if (!isTerminal(record.status)) throw ApplicationFailure.retryable(`job ${jobId} has not ended`, 'NOT_ENDED');
      await post(callback, record, callback.secret ?? deps.callbackSecret);
    },

    ...createGraphActivities(graphs),

    async settleBatch(jobs) {
      return Promise.all(
        jobs.map(async ({ jobId, attempt }): Promise<JobOutcome> => {
          const record = await store.readRecord(jobId);
          const found = record?.attempts.find((entry) => entry.attempt === attempt);
          if (found === undefined) return { jobId, attempt, outcome: { kind: 'not-begun' } };
          if (found.outcome === null) return { jobId, attempt, outcome: { kind: 'begun' } };
          if (found.outcome === 'succeeded') return { jobId, attempt, outcome: { kind: 'succeeded', tookMs: 0 } };
          const fault = { kind: found.outcome, message: found.message ?? '' };
          return { jobId, attempt, outcome: { kind: 'fault', fault } };
        }),
      );
    },
  };
}

/** Of a node that never began only the document knows. */
async function callbackOf(store: JobStore, graphs: GraphShare, jobId: string): Promise<Callback | null> {
  const spec = await store.readSpec(jobId);
  if (spec !== null) return spec.callback;
  const graphId = graphIdOf(jobId);
  const index = nodeIndexOf(jobId);
  const map = index < firstItemNumber ? null : (await graphs.reader.fold(graphId)).itemOf(index)?.map;
  return (await graphs.documents.node(graphId, map ?? index))?.callback ?? null;
}

/** How long one attempt at ending a job waits, and how often it looks. */
const endWaitMs = 50_000;
const endLookMs = 100;

/** Writes a decision into a job's record; one that has an end already stays as it is, unless it is revived. */
export async function changeRecord(store: JobStore, jobId: string, change: RecordChange): Promise<void> {
  const record = await store.readRecord(jobId);
  if (record === null || isTerminal(record.status) !== (change.kind === 'revived')) return;
  const next =
    change.kind === 'lost' || change.kind === 'failed'
      ? change.attempt + 1
      : change.kind === 'revived'
        ? change.attempt
        : null;
  // Shuts the lost attempt out before its record is touched.
  if (next !== null && !(await claim(store, jobId, next))) return;
  await store.writeRecord(changed(record, change, utcWithOffset(preciseNow())));
}

function changed(record: JobRecord, change: RecordChange, now: string): JobRecord {
  switch (change.kind) {
    case 'moved':
      return { ...record, queue: change.queue };
    case 'lost':
      return {
        ...withLostAttempt(record, change.attempt, change.message, now),
        status: 'RETRY',
        queue: change.nextQueue,
        owner: change.attempt + 1,
        error: lostError(change.message),
      };
    case 'failed':
      return {
        ...withLostAttempt(record, change.attempt, change.message, now),
        status: 'FAILURE',
        owner: change.attempt + 1,
        error: lostError(change.message),
        timeInfo: { ...record.timeInfo, stopped: now },
      };
    case 'revived':
      return {
        ...record,
        status: 'PENDING',
        queue: change.queue,
        owner: change.attempt,
        retry: 0,
        error: null,
        result: null,
        resultFile: null,
        timeInfo: { ...record.timeInfo, stopped: null },
      };
    case 'revoked':
      return {
        ...withEndedAttempts(record, now),
        status: 'REVOKED',
        result: change.message,
        timeInfo: { ...record.timeInfo, stopped: now },
      };
  }
}

/** An attempt that could tell its end would have done so. */
function withEndedAttempts(record: JobRecord, now: string): JobRecord {
  const open = record.attempts.find((entry) => entry.outcome === null);
  if (open === undefined) return record;
  return withLostAttempt(
    record,
    open.attempt,
    `the job was stopped when the worker of attempt ${open.attempt} was gone, or could not write to the share`,
    now,
  );
}

function withLostAttempt(record: JobRecord, attempt: number, message: string, now: string): JobRecord {
  return {
    ...record,
    attempts: record.attempts.map((entry) =>
      entry.attempt === attempt && entry.outcome === null
        ? { ...entry, outcome: 'lost', endedAt: now, message }
        : entry,
    ),
  };
}

function lostError(message: string): JobRecord['error'] {
  return {
    kind: 'lost',
    type: 'WorkerLost',
    module: 'pixyz_worker.exception',
    message,
    traceback: `WorkerLost: ${message}`,
  };
}

/** The notice is the job's state, as `GET /jobs/{id}` tells it, plus times; signed over its exact bytes. */
async function post(callback: Callback, record: JobRecord, secret: string | undefined): Promise<void> {
  const body = JSON.stringify({
    event: 'job.ended',
    uuid: record.jobId,
    name: record.name,
    status: record.status,
    progress: record.progress,
    error: record.error === null ? null : `${record.error.type}: ${record.error.message}`,
    time_info: record.timeInfo,
    retry: record.retry,
  });
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'user-agent': 'pixyz-scheduler',
    'x-pixyz-delivery': record.jobId,
  };
  if (secret !== undefined) {
    const stamp = String(Math.floor(Date.now() / 1000));
    headers['x-pixyz-timestamp'] = stamp;
    headers['x-pixyz-signature'] = `sha256=${createHmac('sha256', secret).update(`${stamp}.${body}`).digest('hex')}`;
  }
  const answer = await fetch(callback.url, {
    method: 'POST',
    headers,
    body,
    redirect: 'error',
    signal: AbortSignal.timeout(20_000),
  });
  await answer.body?.cancel();
  if (answer.ok) return;
  // 410 is the receiver's way to say "never again"; everything else may pass.
  throw answer.status === 410
    ? ApplicationFailure.nonRetryable(`the receiver answered 410 Gone`, 'CALLBACK_GONE')
    : ApplicationFailure.retryable(`the receiver answered ${answer.status}`, 'CALLBACK_REFUSED');
}
