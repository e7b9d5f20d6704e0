import { z } from 'zod';
import { commandSchema } from './command.js';
import { jsonSchema } from './json.js';

/**
 * What is known of one job, in the two files of its folder on the share:
 *
 * - `spec.json` ({@link JobSpec}): what was asked for. Written once, before the job's graph starts; never changed.
 * - `job.json` ({@link JobRecord}): what came of it so far. Not there before anything has; then replaced as a whole by an
 *   atomic rename. At any moment it has one writer: the attempt that owns the job, and between attempts the interpreter.
 */

/** States that a record can hold. `SENT` and `UNKNOWN` exist only in answers of the API. */
export const recordStatuses = ['PENDING', 'RUNNING', 'RETRY', 'SUCCESS', 'FAILURE', 'REVOKED'] as const;
export type RecordStatus = (typeof recordStatuses)[number];
export const jobStatusSchema = z.enum([
  'SENT',
  'PENDING',
  'STARTED',
  'RUNNING',
  'SUCCESS',
  'FAILURE',
  'RETRY',
  'REVOKED',
  'UNKNOWN',
]);
export type JobStatus = z.infer<typeof jobStatusSchema>;

export function isTerminal(status: JobStatus): boolean {
  return status === 'SUCCESS' || status === 'FAILURE' || status === 'REVOKED';
}

/** Why an attempt did not succeed. The resubmission rules (`src/graph/resubmission.ts`) decide by this word alone. */
export const faultKinds = [
  'exception', // the script raised an ordinary exception
  'invalid', // the job cannot be run as asked: input missing, archive broken, no entrypoint, result not serialisable
  'exit', // the script's process ended with a code other than 0
  'signal', // … was ended by a signal that we did not send
  'time-limit',
  'memory', // MemoryError, or more resident memory than the limit
  'cancelled',
  'lost', // the worker is gone: no heartbeat, or it was shut down before the script ended
] as const;
export const faultKindSchema = z.enum(faultKinds);
export type FaultKind = z.infer<typeof faultKindSchema>;

/** Where a file of a job lies: on the share (relative to its root), in the process folder, or at an absolute path. */
export const fileRefSchema = z.union([
  z.strictObject({ share: z.string() }),
  z.strictObject({ process: z.string() }),
  z.strictObject({ path: z.string() }),
]);
export type FileRef = z.infer<typeof fileRefSchema>;

/** Where a signed notice goes when the job has ended. */
export const callbackSchema = z.strictObject({
  url: z.url({ protocol: /^https?$/ }),
  /** Key of the HMAC-SHA256 signature; where absent, the installation's `CALLBACK_SECRET`. */
  secret: z.string().min(1).optional(),
});
export type Callback = z.infer<typeof callbackSchema>;

/** How the job is scheduled: kept with the job, so that it can be started again after a crash, and repeated later. */
export const dispatchSchema = z.object({
  /** Seconds to wait before the job may start. */
  countdown: z.number().min(0),
  /** Seconds after which a job that has not started is revoked; null means never. */
  expires: z.number().nullable(),
  /** 1 (first) … 5 (last). */
  priority: z.number().int().min(1).max(5),
  /** Retries allowed for the script's own faults. */
  maxRetries: z.number().int().min(0),
});
export type Dispatch = z.infer<typeof dispatchSchema>;

/**
 * What a job hands on to others of its graph (`python-sdk.md` §6.3): its return value; the record form with times, steps and
 * `result`; or `{"result": value}`.
 */
export const handedOn = ['value', 'record', 'wrapped'] as const;

export const jobSpecSchema = z.object({
  version: z.literal(1),
  jobId: z.string(),
  graphId: z.string(),
  /** Display name, or null. */
  name: z.string().nullable(),
  /** `custom`, or the name of a shipped process. */
  process: z.string(),
  /** Of a command: the program that runs commands. */
  script: fileRefSchema,
  /** Absent: a script. */
  command: commandSchema.optional(),
  /** Nodes of graphs only; absent: `value`. */
  handsOn: z.enum(handedOn).optional(),
  entrypoint: z.string(),
  /** The uploaded input, or null. */
  data: fileRefSchema.nullable(),
  /** The parameters as JSON text, just as they were sent: JavaScript would round large integers and turn 1.0 into 1. */
  paramsText: z.string(),
  queue: z.string(),
  /** Seconds; null means none. */
  timeLimit: z.number().nullable(),
  rootFile: z.string().nullable(),
  computeOnly: z.boolean(),
  raw: z.boolean(),
  /** Every other key of the job's configuration and decorator: readable as `pc[key]` in the script. */
  context: z.record(z.string(), jsonSchema),
  /** When the job was asked for: UTC, ISO 8601 without offset, microseconds. */
  timeRequest: z.string(),
  callback: callbackSchema.nullable(),
  /** The job that this one repeats, or null. */
  retryOf: z.string().nullable(),
  /** The job whose script has sent this one alone; those of a graph are told by its document. */
  parent: z.string().optional(),
  /** Absent for jobs that were not sent through `POST /jobs`: their graph has the schedule. */
  dispatch: dispatchSchema.optional(),
  /** SHA-256 of the request, to tell a repeated request from another one under the same idempotency key. */
  digest: z.string().nullable(),
  /** Where the request stands in a trace (`traceparent`); absent: nothing is traced. */
  trace: z.string().optional(),
});
export type JobSpec = z.infer<typeof jobSpecSchema>;

export const stepSchema = z.object({
  duration: z.number().describe('Seconds; -1 while the step runs.'),
  info: z.string().describe('What the script has announced.'),
});
export type Step = z.infer<typeof stepSchema>;

export const timeInfoSchema = z.object({
  request: z.string().nullable().describe('When it was asked for: UTC, without offset.'),
  started: z.string().nullable().describe('When its last attempt began: UTC, with `+00:00`.'),
  stopped: z.string().nullable().describe('When it ended.'),
});

/** A result that is too large for the record lies in a file of the job's folder. */
export const resultFileSchema = z.strictObject({ file: z.string(), sizeBytes: z.number() });
export type ResultFile = z.infer<typeof resultFileSchema>;

/** What happened, for people (`traceback`) and for programs (`kind`, `type`). */
export const jobErrorSchema = z.object({
  kind: faultKindSchema,
  /** Class of the exception, such as `ValueError` or `PixyzTimeout`. */
  type: z.string(),
  /** Python module of that class. */
  module: z.string(),
  message: z.string(),
  /** The whole Python traceback; its last line is `<Type>: <message>`. */
  traceback: z.string(),
  /** The arguments of the exception, as JSON text with type tags, for scripts that make it again; absent: none that can be told. */
  args: z.string().optional(),
});
export type JobError = z.infer<typeof jobErrorSchema>;

export const attemptSchema = z.object({
  attempt: z.number().int().describe('Its number, from 1.'),
  queue: z.string().describe('The queue that it was taken from.'),
  worker: z.string().describe('The worker that ran it.'),
  pid: z.number().int().nullable().describe('Process id of the script on its host.'),
  startedAt: z.string().describe('When a worker took it.'),
  endedAt: z.string().nullable().describe('When it ended; null while it runs.'),
  outcome: z
    .union([z.literal('succeeded'), faultKindSchema])
    .nullable()
    .describe('What came of it; null while it runs.'),
  message: z.string().nullable().describe('What went wrong, in a sentence.'),
});
export type Attempt = z.infer<typeof attemptSchema>;

export const jobRecordSchema = z.object({
  version: z.literal(1),
  jobId: z.string(),
  graphId: z.string(),
  name: z.string().nullable(),
  process: z.string(),
  /** The queue it waits in, or was last taken from. */
  queue: z.string(),
  raw: z.boolean(),
  status: z.enum(recordStatuses),
  progress: z.number().int().nullable(),
  steps: z.array(stepSchema),
  timeInfo: timeInfoSchema,
  /** Retries already done because of the script's own faults. */
  retry: z.number().int(),
  error: jobErrorSchema.nullable(),
  result: jsonSchema,
  resultFile: resultFileSchema.nullable(),
  /** Extra keys that the script stored through its progress object; seen in `/backend/get_task_meta`. */
  meta: z.record(z.string(), jsonSchema),
  attempts: z.array(attemptSchema),
  /** The attempt that may write this record and the outputs; any other attempt must stop itself. 0: none yet. */
  owner: z.number().int(),
  /** Run id of the standalone activity that carries the job; absent: a run of the interpreter does. */
  activityRun: z.string().optional(),
  /** The job that this one repeats, or null. */
  retryOf: z.string().nullable(),
  /** When the job's files were deleted by retention, else null. */
  cleanedAt: z.string().nullable(),
  /** The job whose outputs and result this one took, as it would have done the same; absent: it did its own work. */
  reusedFrom: z.string().optional(),
});
export type JobRecord = z.infer<typeof jobRecordSchema>;

/** The record of a job that has just been accepted. */
export function newRecord(spec: JobSpec): JobRecord {
  return {
    version: 1,
    jobId: spec.jobId,
    graphId: spec.graphId,
    name: spec.name,
    process: spec.process,
    queue: spec.queue,
    raw: spec.raw,
    status: 'PENDING',
    progress: null,
    steps: [],
    timeInfo: { request: spec.timeRequest, started: null, stopped: null },
    retry: 0,
    error: null,
    result: null,
    resultFile: null,
    meta: {},
    attempts: [],
    owner: 0,
    retryOf: spec.retryOf,
    cleanedAt: null,
  };
}
