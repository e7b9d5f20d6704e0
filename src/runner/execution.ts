import { readFileSync } from 'node:fs';
import type { JobError } from '../contract/job.js';
import { attemptFields } from '../contract/log-fields.js';
import type { ExitReason, ProgressSnapshot, RunHooks, ScriptOutcome, ScriptTask } from '../contract/runner.js';
import type { Child } from './child.js';
import { faultOf, lostFault, signalName } from './faults.js';
import type { ChildMessage, ChildOutcome, HostCommand, Reply } from './messages.js';
import type { RunnerLogger } from './options.js';
import { OutputLog } from './output-log.js';

const shownLogLines = 25;
/** After `gone` socket and log end at once, as nobody holds them any more; the time is for a machine under load. */
const drainMs = 5000;
/** Socket closed and no word of the host: how long until it is looked whether the process still runs. */
const silenceMs = 1000;
/** A child that has told its outcome ends; one that does not is ended. */
const afterOutcomeMs = 10_000;
/** Longest delay that a Node timer takes. */
const maxTimerMs = 2 ** 31 - 1;

export interface ExecutionLimits {
  readonly maxProcesses: number | null;
  readonly maxLogBytes: number;
  readonly graceMs: number;
}

/**
 * One task in one child, from the moment it is sent until nothing of it is left. Everything that can end it meets here:
 *
 * 1. The first cause wins: what we ended (time, memory, cancel, …) stays the reason, whatever the process says meanwhile.
 * 2. An outcome that was told stands, however the process ends afterwards.
 * 3. `done` resolves after the host has said `gone` (no process left) and log and socket have ended. One short cut: a child
 *    that has told its outcome, has no child of its own and has closed its log, while the host has adopted nothing that we
 *    do not know, is over for the script: what the kernel still does to take it apart (milliseconds) is not waited for.
 */
export class Execution {
  readonly done: Promise<ScriptOutcome>;
  readonly #task: ScriptTask;
  readonly #child: Child;
  readonly #hooks: RunHooks;
  readonly #limits: ExecutionLimits;
  readonly #tellHost: (command: HostCommand) => void;
  readonly #nothingAdopted: () => boolean;
  readonly #logger: RunnerLogger;
  readonly #log: OutputLog;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #onAbort = () => this.#abort();
  #resolve: (outcome: ScriptOutcome) => void = () => undefined;
  #progress: ProgressSnapshot = { progress: null, steps: [], meta: {} };
  #outcome: ChildOutcome | null = null;
  #stopReason: ExitReason | null = null;
  #gone: { readonly code: number | null; readonly signal: number | null } | 'lost' | null = null;
  #began = false;
  #channelEnded = false;
  #logEnded = false;
  #finishing = false;

  constructor(
    task: ScriptTask,
    child: Child,
    hooks: RunHooks,
    limits: ExecutionLimits,
    tellHost: (command: HostCommand) => void,
    nothingAdopted: () => boolean,
    logger: RunnerLogger,
  ) {
    this.#task = task;
    this.#child = child;
    this.#hooks = hooks;
    this.#limits = limits;
    this.#tellHost = tellHost;
    this.#nothingAdopted = nothingAdopted;
    this.#logger = logger;
    this.#log = new OutputLog(task.logFile, limits.maxLogBytes, (error) =>
      logger.warn({ ...attemptFields(task.attemptId), error: String(error) }, 'the log of a script cannot be written'),
    );
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Whether any of the user's code may have run. */
  get began(): boolean {
    return this.#began || this.#outcome !== null || this.#stopReason !== null;
  }

  begin(): void {
    const { task, child } = { task: this.#task, child: this.#child };
    this.#log.pump(child.log);
    child.log.once('close', () => {
      this.#logEnded = true;
      this.#finishWhenComplete();
    });
    child.listen({
      onMessage: (message) => this.#hear(message),
      onGarbage: (detail) => this.onBroken(detail),
      onEnd: () => this.#onChannelEnd(),
    });
    child.send({
      attemptId: task.attemptId,
      jobId: task.jobId,
      script: task.script,
      entrypoint: task.entrypoint,
      params: task.paramsText,
      context: task.context,
      data: task.data,
      rootFile: task.rootFile,
      outputDir: task.outputDir,
      computeOnly: task.computeOnly,
      raw: task.raw,
      memoryLimit: task.memoryLimitBytes,
      resultFile: task.resultFile,
    });
    // Read by the host before it looks for children that have ended, so it cannot come too late.
    this.#tellHost({
      op: 'took',
      pid: child.pid,
      attempt: task.attemptId,
      memory: task.memoryLimitBytes,
      processes: this.#limits.maxProcesses,
    });
    this.#hooks.onStarted?.(child.pid);
    if (this.#hooks.signal.aborted) this.#abort();
    else this.#hooks.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** The host's word: the child has ended and nothing of the attempt is left. */
  onGone(code: number | null, signal: number | null): void {
    this.#gone = { code, signal };
    if (this.#finishing) {
      this.#release();
      return;
    }
    if (!this.#channelEnded || !this.#logEnded) {
      this.#after(drainMs, () => {
        this.#child.close();
        this.#channelEnded = true;
        this.#logEnded = true;
        this.#finishWhenComplete();
      });
    }
    this.#finishWhenComplete();
  }

  onOver(what: 'memory' | 'processes', limit: number, seen: number): void {
    if (this.#outcome !== null) return;
    this.#stopReason ??=
      what === 'memory'
        ? { kind: 'out-of-memory', limitBytes: limit, seenBytes: seen }
        : { kind: 'too-many-processes', limit, seen };
  }

  /** The children of the host have become known. */
  recheck(): void {
    if (this.#outcome !== null) this.#finishWhenComplete();
  }

  /**
   * The socket was disturbed: seen here, or reported by the child on another one. Unlike what we end, it holds also when
   * the host's word about the end was read first: the two come on different sockets, in any order.
   */
  onBroken(detail: string): void {
    if (this.#outcome !== null || this.#stopReason !== null) return;
    this.#stopReason = { kind: 'broken-channel', detail };
    this.#tellEnd();
  }

  /** The host died, and the new one has swept up: an outcome told before still stands. */
  onLost(): void {
    this.#gone = 'lost';
    if (this.#finishing) this.#release();
    this.#channelEnded = true;
    this.#logEnded = true;
    this.#child.close();
    this.#finishWhenComplete();
  }

  #hear(message: ChildMessage): void {
    switch (message.t) {
      case 'begin':
        this.#began = true;
        this.#armTimeLimit();
        return;
      case 'progress':
        this.#advance(message);
        return;
      case 'ask':
        void this.#answer(message.id, message.request);
        return;
      case 'waiting':
      case 'resumed':
        this.#hooks.onWaiting?.(message.t === 'waiting');
        return;
      case 'outcome':
        this.#outcome ??= message;
        this.#watchExit();
        this.#finishWhenComplete();
        return;
      case 'hello':
      case 'refused':
      case 'broken':
        this.onBroken(`it said ${JSON.stringify(message.t)} in the middle of a task`);
    }
  }

  async #answer(id: number, request: unknown): Promise<void> {
    let reply: Reply;
    try {
      if (this.#hooks.onRequest === undefined) throw new Error('nobody takes requests of scripts here');
      reply = { t: 'reply', id, ok: true, value: await this.#hooks.onRequest(request) };
    } catch (error) {
      reply = { t: 'reply', id, ok: false, error: error instanceof Error ? error.message : String(error) };
    }
    if (!this.#channelEnded) this.#child.send(reply);
  }

  #advance(message: Extract<ChildMessage, { t: 'progress' }>): void {
    const { steps, meta } = this.#progress;
    this.#progress = {
      progress: message.progress ?? this.#progress.progress,
      steps: message.steps === undefined ? steps : [...steps.slice(0, message.from ?? 0), ...message.steps],
      meta: message.meta ?? meta,
    };
    this.#hooks.onProgress?.(this.#progress);
  }

  #armTimeLimit(): void {
    const limit = this.#task.timeLimitMs;
    if (limit === null) return;
    const startedAt = performance.now();
    const check = (): void => {
      const left = limit - (performance.now() - startedAt);
      if (left > 0) this.#after(Math.min(Math.ceil(left), maxTimerMs), check);
      else if (this.#outcome === null) this.#end({ kind: 'timed-out', afterMs: limit });
    };
    check();
  }

  #abort(): void {
    if (this.#outcome !== null) return;
    const reason: unknown = this.#hooks.signal.reason;
    this.#end({ kind: 'cancelled', reason: reason === 'fenced' || reason === 'shutdown' ? reason : 'cancel' });
  }

  /** Socket closed without an outcome: usually the end of the process, of which the host tells next. */
  #onChannelEnd(): void {
    this.#channelEnded = true;
    if (this.#outcome === null && this.#gone === null) this.#after(silenceMs, () => this.#judgeSilence());
    this.#finishWhenComplete();
  }

  /** The host is late, or died, too; or the script has closed the socket and runs on. */
  #judgeSilence(): void {
    if (isRunning(this.#child.pid)) this.#end({ kind: 'broken-channel', detail: 'it was closed while the script ran' });
    else this.#after(silenceMs, () => this.#judgeSilence());
  }

  #end(reason: ExitReason): void {
    if (this.#gone !== null || this.#stopReason !== null) return;
    this.#stopReason = reason;
    this.#tellEnd();
  }

  #tellEnd(): void {
    if (this.#gone !== null) return;
    const dump = this.#stopReason?.kind === 'timed-out';
    const graceMs = this.#stopReason?.kind === 'broken-channel' ? 0 : this.#limits.graceMs;
    this.#tellHost({ op: 'end', pid: this.#child.pid, graceMs, dump });
  }

  /** A child that has told its outcome ends; one that does not, is ended. */
  #watchExit(): void {
    const timer = setTimeout(() => this.#tellEnd(), afterOutcomeMs);
    this.#timers.add(timer);
  }

  #after(delayMs: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      // When the event loop was held up, timers come before what has arrived on sockets meanwhile: an outcome, maybe.
      setImmediate(() => {
        if (!this.#finishing) act();
      });
    }, delayMs);
    this.#timers.add(timer);
  }

  #finishWhenComplete(): void {
    if (this.#finishing || !this.#logEnded) return;
    const over = this.#gone !== null && this.#channelEnded;
    if (!over && !(this.#outcome?.alone === true && this.#stopReason === null && this.#nothingAdopted())) return;
    this.#finishing = true;
    this.#hooks.signal.removeEventListener('abort', this.#onAbort);
    if (over) this.#release();
    void this.#log.close().then(() => this.#resolve(this.#compose()));
  }

  #release(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#child.close();
  }

  #compose(): ScriptOutcome {
    const progress = this.#progress;
    const pid = this.#child.pid;
    const outcome = this.#outcome;
    const failed = (reason: ExitReason, error: JobError): ScriptOutcome => ({
      ok: false,
      reason,
      error,
      progress,
      pid,
    });
    if (this.#stopReason !== null) {
      return failed(this.#stopReason, faultOf(this.#stopReason, this.#log.recentLines(shownLogLines)));
    }
    if (outcome?.ok === true) {
      return { ok: true, result: outcome.result, resultFileBytes: outcome.resultFileBytes, progress, pid };
    }
    if (outcome?.ok === false) {
      const reason: ExitReason =
        outcome.exitCode !== undefined
          ? { kind: 'exited', code: outcome.exitCode }
          : outcome.memory !== undefined
            ? { kind: 'out-of-memory', ...outcome.memory }
            : { kind: 'finished' };
      return failed(reason, outcome.error);
    }
    if (this.#gone === 'lost' || this.#gone === null)
      return failed({ kind: 'signaled', signal: 'SIGKILL' }, lostFault());
    const reason: ExitReason =
      this.#gone.signal !== null
        ? { kind: 'signaled', signal: signalName(this.#gone.signal) }
        : { kind: 'exited', code: this.#gone.code ?? 0 };
    this.#logger.debug({ ...attemptFields(this.#task.attemptId), reason }, 'a script ended without an outcome');
    return failed(reason, faultOf(reason, this.#log.recentLines(shownLogLines)));
  }
}

/** Whether a process exists and has not ended: a zombie waits for the host only. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !'ZX'.includes(stat.charAt(stat.lastIndexOf(')') + 2));
  } catch {
    return process.platform !== 'linux';
  }
}
