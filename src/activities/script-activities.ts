import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { Logger } from 'pino';

import type { AttemptInput, AttemptResult, BatchInput, BatchResult, JobOutcome } from '../contract/graph.js';

import type { FaultKind, JobSpec } from '../contract/job.js';
import type { Runner, ScriptOutcome, ScriptTask } from '../contract/runner.js';
import type { JobStore } from '../store/job-store.js';
import { logFileOf, resolveFileRef } from '../store/layout.js';
import { claim, claimedBy, fenceCheckMs, fenceMs } from '../store/ownership.js';
import type { SlotPool } from '../worker/slot-pool.js';
import { type AloneDeps, runAlone } from './alone.js';
import { AttemptRecord } from './attempt-record.js';
import { fault } from './script-fault.js';

/** The one activity path of every script, whatever graph it belongs to. */
export interface ScriptActivities {
  runScript(input: AttemptInput): Promise<AttemptResult>;
  /** Several short ones in one slot; see {@link BatchInput}. */
  runScripts(batch: BatchInput): Promise<BatchResult>;
}

export interface ScriptDeps extends AloneDeps {
  readonly runner: Runner;
  readonly slots: SlotPool;
  readonly processPath: string;
  /** Name of this worker, as records and metrics show it. */
  readonly worker: string;
  /** Memory limit of a script taken from a queue, in bytes; null: none. */
  readonly memoryLimit: (queue: string) => number | null;
  readonly logger: Logger;
  /** Told of every attempt that has ended. */
  readonly onAttempt: (queue: string, outcome: 'succeeded' | FaultKind, seconds: number) => void;
}

/** Heartbeats carry nothing: they show that the host lives, and their answers bring the cancel. */
const heartbeatMs = 400;

export function createScriptActivities(deps: ScriptDeps): ScriptActivities {
  const activities: ScriptActivities = {
    async runScript(input) {
      const context = Context.current();
      // A task may wait for a slot for a moment, and must look alive meanwhile.
      const beat = setInterval(() => context.heartbeat(), heartbeatMs);
      try {
        const slot = await deps.slots.acquire();
        if (slot === null) throw noSlot(input);
        try {
          return input.alone === undefined
            ? await runAttempt(deps, input, context)
            : await runAlone(deps, input, input.alone, context, (attempt) => runAttempt(deps, attempt, context));
        } finally {
          slot.release();
        }
      } finally {
        clearInterval(beat);
      }
    },

    // One at a time, until batches are built: a shorter answer than asked for is always right.
    async runScripts({ inputs }) {
      const [first, ...others] = inputs as [AttemptInput, ...AttemptInput[]];
      const startedAt = performance.now();
      await activities.runScript(first);
      const tookMs = performance.now() - startedAt;
      return {
        jobs: [
          { jobId: first.jobId, attempt: first.attempt, outcome: { kind: 'succeeded', tookMs } },
          ...others.map(({ jobId, attempt }): JobOutcome => ({ jobId, attempt, outcome: { kind: 'not-begun' } })),
        ],
      };
    },
  };
  return activities;
}

/** Back to its queue: by the interpreter where there is one, else by Temporal itself, at once. */
function noSlot(input: AttemptInput): ApplicationFailure {
  return ApplicationFailure.create({
    message: 'the slots of this worker were taken meanwhile',
    type: 'NO_SLOT',
    nonRetryable: input.alone === undefined,
    ...(input.alone === undefined ? {} : { nextRetryDelay: '1 millisecond' }),
  });
}

async function runAttempt(deps: ScriptDeps, input: AttemptInput, context: Context): Promise<AttemptResult> {
  const { store } = deps;
  const { jobId, attempt } = input;
  const startedAt = performance.now();
  const [spec, record] = await Promise.all([store.readSpec(jobId), store.readRecord(jobId)]);
  if (spec === null || record === null) {
    throw fault(
      'invalid',
      `the folder of job ${jobId} is not on the share: it was deleted, or SHARE_PATH of this worker (${store.root}) is not the API's`,
    );
  }
  if (!(await claim(store, jobId, attempt)))
    throw fault('lost', `attempt ${attempt} of job ${jobId} has been taken over by a later one`);
  const before = record.attempts.at(-1);
  if (before !== undefined && before.outcome === 'lost') await new Promise((resolve) => setTimeout(resolve, fenceMs));

  const owned = new AttemptRecord(store, record, input, deps.worker);
  const prepared = await prepareFolders(store, input, spec);
  await owned.start();

  const stop = stopSignal(context, store, input);
  let outcome: ScriptOutcome;
  try {
    outcome = await deps.runner.run(scriptTask(deps, input, spec, prepared), {
      signal: stop.signal,
      onStarted: (pid) => owned.started(pid),
      onProgress: (snapshot) => owned.progress(snapshot),
    });
  } finally {
    stop.release();
  }

  const kind = outcome.ok ? 'succeeded' : faultOf(outcome);
  deps.onAttempt(input.queue, kind, (performance.now() - startedAt) / 1000);
  if (outcome.ok) {
    const resultFile =
      outcome.resultFileBytes === null ? null : { file: 'result.json', sizeBytes: outcome.resultFileBytes };
    if (!(await owned.succeed(outcome, resultFile)))
      throw fault('lost', `attempt ${attempt} of job ${jobId} was taken over by a later one before it could report`);
    return { result: outcome.result, resultFile };
  }
  const message = `${outcome.error.type}: ${outcome.error.message}`;
  deps.logger.info(
    { job: jobId, attempt, queue: input.queue, fault: kind, pid: outcome.pid, err: message },
    'an attempt ended with a fault',
  );
  await owned.fail(outcome, kind);
  if (kind === 'cancelled') throw new CancelledFailure(message);
  throw fault(kind as FaultKind, message, outcome.error.traceback);
}

/** Fresh places for this attempt: what a dead attempt left must not be taken for this one's work. */
async function prepareFolders(
  store: JobStore,
  input: AttemptInput,
  spec: JobSpec,
): Promise<{ readonly outputs: string; readonly log: string; readonly result: string }> {
  const paths = store.paths(input.jobId);
  if (input.attempt > 1) {
    const aside = join(paths.folder, `outputs.dead-${input.attempt - 1}`);
    await rename(paths.outputs, aside).catch(() => undefined);
    await Promise.all([rm(aside, { recursive: true, force: true }), rm(paths.result, { force: true })]);
  }
  await mkdir(paths.logs, { recursive: true });
  if (!spec.computeOnly) await mkdir(paths.outputs, { recursive: true });
  return { outputs: paths.outputs, log: logFileOf(paths, input.attempt), result: paths.result };
}

function scriptTask(
  deps: ScriptDeps,
  input: AttemptInput,
  spec: JobSpec,
  places: { readonly outputs: string; readonly log: string; readonly result: string },
): ScriptTask {
  const roots = { share: deps.store.root, processes: deps.processPath };
  return {
    attemptId: `${input.jobId}:${input.attempt}`,
    jobId: input.jobId,
    script: resolveFileRef(spec.script, roots),
    entrypoint: spec.entrypoint,
    paramsText: spec.paramsText,
    context: {
      ...spec.context,
      queue: input.queue,
      retry: input.retriesUsed,
      task_id: input.jobId,
      time_limit: input.timeLimit,
      time_request: spec.timeRequest,
      shadow: spec.name,
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
