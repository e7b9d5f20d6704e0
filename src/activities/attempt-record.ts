import { setTimeout as pause } from 'node:timers/promises';
import type { AttemptInput } from '../contract/graph.js';
import type { FaultKind, JobRecord, ResultFile } from '../contract/job.js';
import type { ProgressSnapshot, ScriptOutcome } from '../contract/runner.js';
import { preciseNow, utcWithOffset } from '../contract/time.js';
import { afterFault } from '../graph/resubmission.js';
import type { JobStore } from '../store/job-store.js';
import { claimedBy } from '../store/ownership.js';

/**
 * A job's record while one attempt owns it. Writes are one at a time and never go back: progress that arrives while a
 * write is under way is merged into the next one, so a script that reports a thousand steps a second costs twenty writes.
 */
export class AttemptRecord {
  readonly #store: JobStore;
  readonly #input: AttemptInput;
  #record: JobRecord;
  #dirty = false;
  #writing: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #lastWrite = 0;
  /** When the running step was announced: a script that is ended cannot close it. */
  #stepSince = performance.now();
  #closed = false;

  constructor(store: JobStore, before: JobRecord, input: AttemptInput, worker: string) {
    this.#store = store;
    this.#input = input;
    const now = utcWithOffset(preciseNow());
    const { reusedFrom: _, activityRun: __, ...kept } = before;
    const runId = input.alone?.runId;
    this.#record = {
      ...kept,
      ...(runId === undefined ? {} : { activityRun: runId }),
      status: 'RUNNING',
      queue: input.queue,
      progress: null,
      steps: [],
      meta: {},
      error: null,
      result: null,
      resultFile: null,
      retry: input.retriesUsed,
      owner: input.attempt,
      timeInfo: { ...before.timeInfo, started: now, stopped: null },
      attempts: [
        ...before.attempts.filter((entry) => entry.attempt < input.attempt),
        {
          attempt: input.attempt,
          queue: input.queue,
          worker,
          pid: null,
          startedAt: now,
          endedAt: null,
          outcome: null,
          message: null,
        },
      ],
    };
  }

  /**
   * Says that the attempt runs. A first attempt says so a moment later, or never when it has ended by then: half of what a
   * record costs a short job. Later ones say so before anything of the script runs: were their worker to die of the script
   * each time, it must be seen that they had begun.
   */
  async start(): Promise<void> {
    if (this.#input.attempt === 1) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.#writing = this.#write();
      }, firstWriteMs);
      return;
    }
    await this.#store.writeRecord(this.#record);
    this.#lastWrite = performance.now();
  }

  /** The child took the task. Written with the next change: nobody waits for a pid. */
  started(pid: number): void {
    this.#attempt({ pid });
  }

  progress(snapshot: ProgressSnapshot): void {
    if (snapshot.steps.length !== this.#record.steps.length) this.#stepSince = performance.now();
    this.#record = { ...this.#record, ...fields(snapshot) };
    this.#dirty = true;
    this.#schedule();
  }

  /** @returns false when a later attempt has claimed the job: then nothing was written, and this one does not count. */
  async succeed(outcome: Extract<ScriptOutcome, { ok: true }>, resultFile: ResultFile | null): Promise<boolean> {
    const now = utcWithOffset(preciseNow());
    this.#attempt({ endedAt: now, outcome: 'succeeded', pid: outcome.pid });
    this.#record = {
      ...this.#record,
      ...fields(outcome.progress),
      status: 'SUCCESS',
      progress: 100,
      result: outcome.result,
      resultFile,
      timeInfo: { ...this.#record.timeInfo, stopped: now },
    };
    return this.#close();
  }

  /** An earlier job's outputs and result were taken. @returns false as `succeed` */
  async reuse(from: JobRecord): Promise<boolean> {
    const now = utcWithOffset(preciseNow());
    this.#attempt({
      endedAt: now,
      outcome: 'succeeded',
      message: `took the outputs and the result of job ${from.jobId}`,
    });
    this.#record = {
      ...this.#record,
      status: 'SUCCESS',
      progress: 100,
      steps: from.steps,
      meta: from.meta,
      result: from.result,
      resultFile: from.resultFile,
      reusedFrom: from.reusedFrom ?? from.jobId,
      timeInfo: { ...this.#record.timeInfo, stopped: now },
    };
    return this.#close();
  }

  async fail(outcome: Extract<ScriptOutcome, { ok: false }>, kind: 'succeeded' | FaultKind): Promise<void> {
    if (kind === 'succeeded') return;
    const now = utcWithOffset(preciseNow());
    const { error } = outcome;
    this.#attempt({ endedAt: now, outcome: kind, message: error.message, pid: outcome.pid });
    const next = afterFault(this.#input, kind);
    const stopped = { ...this.#record.timeInfo, stopped: now };
    const steps = outcome.progress.steps.map((step) =>
      step.duration === -1 ? { ...step, duration: (performance.now() - this.#stepSince) / 1000 } : step,
    );
    this.#record = { ...this.#record, ...fields({ ...outcome.progress, steps }) };
    switch (next.kind) {
      case 'again':
        this.#record = {
          ...this.#record,
          status: 'RETRY',
          queue: next.queue,
          error: { ...error, kind },
          timeInfo: { ...this.#record.timeInfo, started: null },
        };
        break;
      case 'failed':
        this.#record = { ...this.#record, status: 'FAILURE', error: { ...error, kind }, timeInfo: stopped };
        break;
      case 'revoked':
        this.#record = { ...this.#record, status: 'REVOKED', result: error.message, timeInfo: stopped };
        break;
    }
    await this.#close();
  }

  #attempt(change: Partial<JobRecord['attempts'][number]>): void {
    this.#record = {
      ...this.#record,
      attempts: this.#record.attempts.map((entry) =>
        entry.attempt === this.#input.attempt ? { ...entry, ...change } : entry,
      ),
    };
  }

  async #close(): Promise<boolean> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#writing;
    // What a script has done in hours is not done again because the share was full, or away, for a moment.
    for (const patience = performance.now() + endPatienceMs; ; await pause(endPauseMs)) {
      try {
        if ((await claimedBy(this.#store, this.#record.jobId)) > this.#input.attempt) return false;
        await this.#store.writeRecord(this.#record);
        return true;
      } catch (error) {
        if (performance.now() >= patience) throw error;
      }
    }
  }

  #schedule(): void {
    if (this.#closed || this.#timer !== undefined || this.#writing !== null) return;
    const waitMs = Math.max(0, minWriteIntervalMs - (performance.now() - this.#lastWrite));
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#writing = this.#write();
    }, waitMs);
  }

  async #write(): Promise<void> {
    try {
      this.#dirty = false;
      if ((await claimedBy(this.#store, this.#record.jobId)) > this.#input.attempt) return;
      await this.#store.writeRecord(this.#record);
    } catch {
      // Progress is for watchers; the end of the attempt writes the record again, and that write must succeed.
    }
    this.#lastWrite = performance.now();
    this.#writing = null;
    if (this.#dirty) this.#schedule();
  }
}

const minWriteIntervalMs = 50;
/** How long the end of an attempt is tried to be written, and how often. */
const endPatienceMs = 60_000;
const endPauseMs = 500;
const firstWriteMs = 15;

function fields(snapshot: ProgressSnapshot): Pick<JobRecord, 'progress' | 'steps' | 'meta'> {
  return { progress: snapshot.progress, steps: [...snapshot.steps], meta: { ...snapshot.meta } };
}
