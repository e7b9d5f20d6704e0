import { nodeIndexOf } from '../../contract/ids.js';
import type { JobError, JobRecord, JobStatus } from '../../contract/job.js';
import { isTerminal } from '../../contract/job.js';
import type { Json } from '../../contract/json.js';
import type { JsonText } from '../http/json-text.js';
import type { JobDetails, JobRow, JobState } from '../schemas/jobs.js';

/**
 * From a record to what clients see. The matrix of the contract: which field shows what in which state. Fields that the
 * original loses on failure (name, times, steps, retry) are kept, and absent values are null, never the text "None".
 */

/** The state of an id that has no record: queued elsewhere, deleted, or never created; there is no 404. */
export function unknownState(jobId: string): JobState {
  return { uuid: jobId, name: null, status: 'PENDING', progress: null, error: null };
}

/** What is told when the record cannot be read. */
export function unreadableState(jobId: string): JobState {
  return { uuid: jobId, name: null, status: 'UNKNOWN', progress: null, error: 'the state of the job cannot be read' };
}

export function presentState(record: JobRecord): JobState {
  return { ...common(record), error: errorLabel(record) };
}

/** A line of a table. */
export function presentRow(record: JobRecord, isInGraph: boolean, links: JobRow['links']): JobRow {
  const { request, started, stopped } = record.timeInfo;
  return {
    ...presentState(record),
    queue: record.queue,
    process: record.process,
    graph: isInGraph ? record.graphId : null,
    node: isInGraph ? nodeIndexOf(record.jobId) : null,
    // The one time that records have without its zone.
    requested: request === null ? null : `${request}+00:00`,
    started,
    stopped,
    attempts: record.attempts.length,
    worker: record.attempts.at(-1)?.worker ?? null,
    retry_of: record.retryOf,
    links,
  };
}

export interface DetailsExtras {
  /** The return value, read from its file where it is too large for the record. */
  readonly result: Json | JsonText;
  readonly waiting: string | null;
  readonly links: Readonly<Record<string, string>>;
}

export function presentDetails(record: JobRecord, extras: DetailsExtras): JobDetails {
  return {
    ...common(record),
    error: showsError(record.status) ? (record.error?.traceback ?? null) : null,
    time_info: record.timeInfo,
    steps: record.status === 'PENDING' ? null : record.steps,
    retry: record.retry,
    result: shownResult(record, extras.result),
    queue: record.queue,
    process: record.process,
    attempts: record.attempts,
    retry_of: record.retryOf,
    reused_from: record.reusedFrom ?? null,
    waiting: extras.waiting,
    links: extras.links,
  };
}

/** Details of an id that has no record, or none that can be read. */
export function detailsWithoutRecord(state: JobState): JobDetails {
  return {
    ...state,
    time_info: { request: null, started: null, stopped: null },
    steps: null,
    retry: 0,
    result: null,
    queue: null,
    process: null,
    attempts: [],
    retry_of: null,
    reused_from: null,
    waiting: null,
    links: {},
  };
}

function common(record: JobRecord) {
  return { uuid: record.jobId, name: record.name, status: record.status, progress: progressOf(record) };
}

/** 100 means success and nothing else; a failed job has no progress. */
function progressOf(record: JobRecord): number | null {
  if (record.status === 'SUCCESS') return 100;
  if (record.status !== 'RUNNING' || record.progress === null) return null;
  return Math.min(99, Math.max(0, Math.trunc(record.progress)));
}

function showsError(status: JobStatus): boolean {
  return status === 'FAILURE' || status === 'RETRY';
}

function errorLabel(record: JobRecord): string | null {
  if (!showsError(record.status)) return null;
  const { error } = record;
  // A fault of the process that ended its last retry is an internal error by name; the traceback has the story.
  if (error === null || record.status === 'RETRY' || (record.retry > 0 && isProcessFault(error))) {
    return 'Internal error';
  }
  if (error.type === 'PixyzTimeout') return 'Task process timeout';
  if (error.type === 'PixyzExitFault') return 'Task process exited with error';
  return error.module.startsWith('pixyz_worker') ? 'Pixyz Internal error' : 'Internal error';
}

function isProcessFault(error: JobError): boolean {
  return error.kind === 'exit' || error.kind === 'signal' || error.kind === 'time-limit' || error.kind === 'memory';
}

function shownResult(record: JobRecord, result: Json | JsonText): Json | JsonText {
  switch (record.status) {
    case 'SUCCESS':
      return result;
    case 'RUNNING':
      return {};
    case 'FAILURE':
      return result ?? (record.error === null ? null : exceptionText(record.error));
    case 'REVOKED':
      return result ?? record.error?.message ?? 'cancelled';
    case 'PENDING':
    case 'RETRY':
      return null;
  }
}

/** As Python shows an exception: `ValueError('boom')`. */
export function exceptionText(error: Pick<JobError, 'type' | 'message'>): string {
  return `${error.type}(${error.message === '' ? '' : pythonQuoted(error.message)})`;
}

function pythonQuoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t')
    .replaceAll(quote, `\\${quote}`);
  return `${quote}${escaped}${quote}`;
}

/** Changes when an event is due: state, progress or steps. Readable, since it is the id of the event. */
export function stateMark(record: JobRecord): string {
  const running = record.steps.at(-1)?.duration === -1 ? 'r' : 'd';
  return [record.attempts.length, record.retry, record.steps.length + running, progressOf(record) ?? '-', record.status]
    .join('.')
    .concat(isTerminal(record.status) ? '.end' : '');
}
