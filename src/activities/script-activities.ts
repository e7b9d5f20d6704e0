import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { Logger } from 'pino';
import type { AttemptInput, AttemptResult, BatchInput, BatchResult } from '../contract/graph.js';
import type { FaultKind, JobRecord, JobSpec } from '../contract/job.js';
import { jobFields } from '../contract/log-fields.js';
import type { Runner, ScriptOutcome, ScriptTask } from '../contract/runner.js';
import type { RunningAttempt } from '../contract/worker-report.js';
import { type GraphShare, openGraphs } from '../store/graph-share.js';
import type { JobStore } from '../store/job-store.js';
import { logFileOf, resolveFileRef } from '../store/layout.js';
import { claim, claimedBy, fenceCheckMs, fenceMs } from '../store/ownership.js';
import { cancelSent } from '../store/sent-canvases.js';
import { AttemptSpan } from '../telemetry/attempt-span.js';
import type { Tracing } from '../telemetry/tracing.js';
import type { RunningAttempts } from '../worker/running-attempts.js';
import type { Slot, SlotPool } from '../worker/slot-pool.js';
import { type AloneDeps, runAlone } from './alone.js';
import { AttemptRecord } from './attempt-record.js';
import { type BatchDeps, runBatch } from './batch.js';
import { type CanvasDeps, CanvasDesk } from './canvas.js';
import { commandTask } from './command-task.js';
import { readyJob } from './materialise.js';
import { contentKey, findReusable, keepForReuse, type ReuseDeps, sameDoneBefore, takeOutputs } from './result-reuse.js';
import { fault } from './script-fault.js';

/** The one activity path of every script, whatever graph it belongs to. */
export interface ScriptActivities {
  runScript(input: AttemptInput): Promise<AttemptResult>;
  /** Several short ones in one slot; see {@link BatchInput}. */
  runScripts(batch: BatchInput): Promise<BatchResult>;
}

export interface ScriptDeps extends AloneDeps, BatchDeps, ReuseDeps {
  readonly runner: Runner;
  readonly slots: SlotPool;
  readonly canvases: CanvasDeps;
  /** The script that runs commands: `python/pixyz_worker/_command.py`. */
  readonly commandScript: string;
  /** Name of this worker, as records and metrics show it. */
  readonly worker: string;
  /** Memory limit of a script taken from a queue, in bytes; null: none. */
  readonly memoryLimit: (queue: string) => number | null;
  readonly logger: Logger;
  /** Knows what runs here now. */
  readonly running: RunningAttempts;
  /** Absent: nothing is traced. */
  readonly tracing?: Tracing | undefined;
  /** Told of every attempt that has ended. */
  readonly onAttempt: (queue: string, outcome: 'succeeded' | FaultKind, seconds: number) => void;
}

/** Heartbeats carry nothing: they show that the host lives, and their answers bring the cancel. */
const heartbeatMs = 400;

export function createScriptActivities(deps: ScriptDeps): ScriptActivities {
  const all: AttemptDeps = { ...deps, graphs: openGraphs(deps.store) };
  return {
    runScript(input) {
      return inSlot(deps, input.alone !== undefined, (context, slot) =>
        input.alone === undefined
          ? runAttempt(all, input, context, slot)
          : runAlone(deps, input, input.alone, context, (attempt) => runAttempt(all, attempt, context, slot)),
      );
    },

    runScripts(batch) {
      return inSlot(deps, false, (context, slot) =>
        runBatch(deps, batch, context, (input) => runAttempt(all, input, context, slot)),
      );
    },
  };
}

/** One slot of the worker for as long as the work takes; alive all the while, also when it waits for the slot for a moment. */
async function inSlot<T>(
  deps: ScriptDeps,
  alone: boolean,
  work: (context: Context, slot: Slot) => Promise<T>,
): Promise<T> {
  const context = Context.current();
  const beat = setInterval(() => context.heartbeat(), heartbeatMs);
  try {
    const slot = await deps.slots.acquire();
    if (slot === null) throw noSlot(alone);
    try {
      return await work(context, slot);
    } finally {
      slot.release();
    }
  } finally {
    clearInterval(beat);
  }
}

/** Back to its queue: by the interpreter where there is one, else by Temporal itself, at once. */
function noSlot(alone: boolean): ApplicationFailure {
  return ApplicationFailure.create({
    message: 'the slots of this worker were taken meanwhile',
    type: 'NO_SLOT',
    nonRetryable: !alone,
    ...(alone ? { nextRetryDelay: '1 millisecond' } : {}),
  });
}

/** A job whose outputs and result are taken instead of running this one. */
async function earlierOf(
  deps: AttemptDeps,
  key: string,
  reuse: boolean,
  doneBefore: string | null,
): Promise<JobRecord | null> {
  const before = doneBefore === null ? null : await sameDoneBefore(deps, doneBefore, key);
  return before ?? (reuse ? findReusable(deps.store, key) : null);
}

interface AttemptDeps extends ScriptDeps {
  readonly graphs: GraphShare;
}

async function runAttempt(
  deps: AttemptDeps,
  input: AttemptInput,
  context: Context,
  slot: Slot,
): Promise<AttemptResult> {
  const { store } = deps;
  const { jobId, attempt } = input;
  const startedAt = performance.now();
  const { spec, record, fresh, problem, reuse, before: doneBefore } = await readyJob(store, deps.graphs, input);
  const before = record.attempts.at(-1);
  // It was done, and its worker died before it could say so: what was done once is not done again.
  if (record.status === 'SUCCESS' && before !== undefined && before.attempt < attempt)
    return resultOf(input, record, 0);
  if (!(fresh && attempt === 1) && !(await claim(store, jobId, attempt)))
    throw fault('lost', `attempt ${attempt} of job ${jobId} has been taken over by a later one`);
  // The attempt before has not said that it ended: it may be alive somewhere, and hears in this time that it is not wanted.
  const unheard = before === undefined || before.outcome === null || before.outcome === 'lost';
  if (attempt > 1 && !fresh && unheard) await new Promise((resolve) => setTimeout(resolve, fenceMs));

  const owned = new AttemptRecord(store, record, input, deps.worker);
  const prepared = await prepareFolders(store, input, spec);
  await owned.start();

  const key = (reuse || doneBefore !== null) && problem === null ? await contentKey(deps, spec) : null;
  const earlier = key === null ? null : await earlierOf(deps, key, reuse, doneBefore);
  if (earlier !== null && (await takeOutputs(store, earlier, jobId))) {
    if (!(await owned.reuse(earlier))) throw takenOver(input);
    const tookMs = performance.now() - startedAt;
    deps.onAttempt(input.queue, 'succeeded', tookMs / 1000);
    return resultOf(input, earlier, tookMs);
  }

  const stop = stopSignal(context, store, input);
  const span = deps.tracing === undefined ? undefined : new AttemptSpan(deps.tracing, input, spec, deps.worker);
  const canvases = new CanvasDesk(store, deps.graphs, deps.canvases, jobId, span?.trace);
  const shown: RunningAttempt = {
    jobId,
    inGraph: input.graph === true,
    name: spec.name,
    queue: input.queue,
    attempt,
    since: new Date().toISOString(),
    pid: null,
  };
  const ended = deps.running.begin(shown);
  const ids = { ...jobFields(jobId), attempt, queue: input.queue };
  deps.logger.debug({ ...ids, ...(span === undefined ? {} : { trace: span.trace }) }, 'an attempt begins');
  let outcome: ScriptOutcome;
  try {
    outcome =
      problem !== null
        ? notRunnable(problem)
        : await deps.runner.run(scriptTask(deps, input, spec, prepared, span?.trace), {
            signal: stop.signal,
            onStarted: (pid) => {
              shown.pid = pid;
              owned.started(pid);
            },
            onProgress: (snapshot) => {
              span?.progress(snapshot);
              owned.progress(snapshot);
            },
            onRequest: (request) => canvases.answer(request),
            onWaiting: (waiting) => (waiting ? slot.lend() : slot.resume()),
          });
  } finally {
    ended();
    slot.resume(); // it may have ended in the middle of a wait
    canvases.close();
    stop.release();
  }

  const kind = outcome.ok ? 'succeeded' : faultOf(outcome);
  span?.end(kind, outcome.ok ? undefined : `${outcome.error.type}: ${outcome.error.message}`);
  const tookMs = performance.now() - startedAt;
  deps.onAttempt(input.queue, kind, tookMs / 1000);
  if (outcome.ok) {
    const resultFile =
      outcome.resultFileBytes === null ? null : { file: 'result.json', sizeBytes: outcome.resultFileBytes };
    if (!(await owned.succeed(outcome, resultFile))) throw takenOver(input);
    deps.logger.debug({ ...ids, pid: outcome.pid, tookMs: Math.round(tookMs) }, 'an attempt succeeded');
    if (reuse && key !== null) {
      await keepForReuse(store, key, jobId).catch((error: unknown) =>
        deps.logger.warn({ ...ids, err: error }, 'a result could not be kept for reuse'),
      );
    }
    return resultOf(input, { result: outcome.result, resultFile }, tookMs);
  }
  const message = `${outcome.error.type}: ${outcome.error.message}`;
  deps.logger.info({ ...ids, fault: kind, pid: outcome.pid, err: message }, 'an attempt ended with a fault');
  await owned.fail(outcome, kind);
  if (kind === 'cancelled') {
    await cancelSent(store, jobId, deps.canvases).catch((error: unknown) =>
      deps.logger.warn({ ...ids, err: error }, 'what a job has sent is cancelled a little later'),
    );
    throw new CancelledFailure(message);
  }
  throw fault(kind as FaultKind, message, outcome.error.traceback);
}

/** Results of nodes stay on the share: other nodes read them there, and a history of 10,000 would be full of them. */
function resultOf(
  input: AttemptInput,
  { result, resultFile }: Pick<JobRecord, 'result' | 'resultFile'>,
  tookMs: number,
): AttemptResult {
  const told = input.graph === true ? { result: null, resultFile: null } : { result, resultFile };
  return { ...told, tookMs };
}

function takenOver({ jobId, attempt }: AttemptInput): ApplicationFailure {
  return fault('lost', `attempt ${attempt} of job ${jobId} was taken over by a later one before it could report`);
}

/** The end of a job that cannot be run as it is asked for. */
function notRunnable(problem: string): Extract<ScriptOutcome, { ok: false }> {
  const type = 'PixyzExecutionFault';
  return {
    ok: false,
    reason: { kind: 'not-started', cause: problem },
    error: {
      kind: 'invalid',
      type,
      module: 'pixyz_worker.exception',
      message: problem,
      traceback: `${type}: ${problem}`,
    },
    progress: { progress: null, steps: [], meta: {} },
    pid: null,
  };
}

/** Fresh places for this attempt: what a dead attempt left must not be taken for this one's work. */
async function prepareFolders(
  store: JobStore,
  input: AttemptInput,
  spec: JobSpec,
): Promise<{ readonly outputs: string; readonly log: string; readonly result: string }> {
  const paths = store.paths(input.jobId);
  // What its sub-tasks have written there is not done again: the script gets them back as they are.
  if (input.attempt > 1 && (await store.files.read(paths.canvases)) === null) {
    const aside = join(paths.folder, `outputs.dead-${input.attempt - 1}`);
    await rename(paths.outputs, aside).catch(() => undefined);
    await Promise.all([
      rm(aside, { recursive: true, force: true }),
      rm(paths.result, { force: true }),
      rm(paths.exact, { force: true }),
    ]);
  }
  if (!spec.computeOnly) await store.files.makeFolder(paths.outputs);
  return { outputs: paths.outputs, log: logFileOf(paths, input.attempt), result: paths.result };
}

function scriptTask(
  deps: ScriptDeps,
  input: AttemptInput,
  spec: JobSpec,
  places: { readonly outputs: string; readonly log: string; readonly result: string },
  trace: string | undefined,
): ScriptTask {
  const roots = { share: deps.store.root, processes: deps.processPath };
  return {
    attemptId: `${input.jobId}:${input.attempt}`,
    jobId: input.jobId,
    ...(spec.command === undefined
      ? { script: resolveFileRef(spec.script, roots), entrypoint: spec.entrypoint, paramsText: spec.paramsText }
      : commandTask(spec.command, deps.commandScript)),
    context: {
      ...spec.context,
      queue: input.queue,
      retry: input.retriesUsed,
      task_id: input.jobId,
      time_limit: input.timeLimit,
      time_request: spec.timeRequest,
      shadow: spec.name,
      ...(trace === undefined ? {} : { traceparent: trace }),
    },
    data: spec.data === null ? null : resolveFileRef(spec.data, roots),
    rootFile: spec.rootFile,
    outputDir: places.outputs,
    computeOnly: spec.computeOnly,
    raw: spec.raw,
    timeLimitMs: input.timeLimit === null ? null : input.timeLimit * 1000,
    memoryLimitBytes: deps.memoryLimit(input.queue),
    logFile: places.log,
    resultFile: places.result,
  };
}

/** Aborts when the job is cancelled, when this worker must stop, or when a later attempt has claimed the job. */
function stopSignal(
  context: Context,
  store: JobStore,
  input: AttemptInput,
): { readonly signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const onCancel = (): void => {
    const details = context.cancellationDetails;
    controller.abort(details?.cancelRequested ? 'cancel' : details?.workerShutdown ? 'shutdown' : 'fenced');
  };
  context.cancellationSignal.addEventListener('abort', onCancel, { once: true });
  if (context.cancellationSignal.aborted) onCancel();
  const watch = setInterval(() => {
    claimedBy(store, input.jobId).then(
      (owner) => {
        if (owner > input.attempt) controller.abort('fenced');
      },
      () => undefined, // the share is away for a moment: the next look will tell
    );
  }, fenceCheckMs);
  return {
    signal: controller.signal,
    release: () => {
      clearInterval(watch);
      context.cancellationSignal.removeEventListener('abort', onCancel);
    },
  };
}

function faultOf(outcome: Extract<ScriptOutcome, { ok: false }>): FaultKind {
  const { reason } = outcome;
  if (reason.kind === 'cancelled') return reason.reason === 'cancel' ? 'cancelled' : 'lost';
  return outcome.error.kind;
}
