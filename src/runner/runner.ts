import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { attemptFields } from '../contract/log-fields.js';
import type { RunHooks, Runner, RunnerStats, ScriptOutcome, ScriptTask } from '../contract/runner.js';
import { Child, Connection } from './child.js';
import { Execution } from './execution.js';
import { faultOf } from './faults.js';
import { HostProcess } from './host-process.js';
import type { ChildMessage, HostCommand, HostEvent } from './messages.js';
import { type RunnerOptions, RunnerStartError } from './options.js';
import { ownIdentity, RunnerFolders } from './runner-folders.js';

/** Placeholders that the host and its children overwrite in place; see `_processes.mark`. */
const markRoom = 160;
/** Children that one task may use up without having begun. */
const maxChildrenPerTask = 3;
const startTimeoutMs = 120_000;
const stopPatienceMs = 10_000;
const hostBackOffMs = [0, 500, 2000, 5000, 10_000];
/** Host alive for so long: its next end starts from the first pause again. */
const hostHealthyMs = 60_000;

export function createRunner(options: RunnerOptions): Runner {
  return new WarmRunner(options);
}

interface Waiter {
  readonly give: (child: Child) => void;
  readonly fail: (cause: string) => void;
}

/**
 * Keeps children ready through the host and gives each one task. Invariants:
 *
 * 1. A child takes one task and ends; it is never used again.
 * 2. Only a process that the host has announced is taken for a child, whoever finds the socket.
 * 3. A task's promise settles after no process of it is left; `stop` settles after none at all is.
 */
class WarmRunner implements Runner {
  readonly #options: RunnerOptions;
  readonly #ready: Child[] = [];
  readonly #waiters: Waiter[] = [];
  readonly #running = new Map<number, Execution>();
  /** Announced by the host and not yet heard of, or the other way round. */
  readonly #announced = new Set<number>();
  readonly #early = new Map<
    number,
    { readonly log: string; readonly inputDir: string; readonly connection: Connection }
  >();
  /** Children of the host that it has told of and that are not gone. */
  readonly #alive = new Set<number>();
  readonly #connections = new Set<Connection>();
  readonly #folders: RunnerFolders;
  #server: Server | null = null;
  #host: HostProcess | null = null;
  #hostPid: number | null = null;
  #hostEnds = 0;
  #hostStartedAt = 0;
  #restartTimer: NodeJS.Timeout | null = null;
  /** Tasks whose host died: they are settled when the next host has swept up. */
  #lost: Execution[] = [];
  #residentBytes = 0;
  #active = 0;
  #stopping = false;
  #lastFailure = 'no child has become ready yet';
  #startup: { readonly resolve: () => void; readonly reject: (error: RunnerStartError) => void } | null = null;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#folders = new RunnerFolders(options.logger);
  }

  async start(): Promise<void> {
    const { pythonPath } = this.#options.pixyz;
    if (!this.#options.pixyz.disabled && pythonPath !== null && !existsSync(pythonPath)) {
      throw new RunnerStartError('PIXYZ', `PIXYZ_PYTHON_PATH names the folder ${pythonPath}, which does not exist`);
    }
    this.#folders.make(this.#options.temporaryRoot ?? tmpdir());
    this.#server = createServer((socket) => this.#onConnection(new Connection(socket, idleListener)));
    await new Promise<void>((resolve, reject) => {
      this.#server?.once('error', reject);
      this.#server?.listen(this.#folders.socket, resolve);
    });
    const firstChild = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new RunnerStartError('FAILED', `no Python child became ready in ${startTimeoutMs / 1000} s`)),
        startTimeoutMs,
      );
      this.#startup = {
        resolve: () => {
          clearTimeout(timer);
          resolve();
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
    });
    this.#startHost();
    try {
      await firstChild;
    } catch (error) {
      await this.stop();
      throw error;
    } finally {
      this.#startup = null;
    }
  }

  async run(task: ScriptTask, hooks: RunHooks): Promise<ScriptOutcome> {
    if (task.attemptId.length > markRoom) throw new RangeError(`attempt id longer than ${markRoom} characters`);
    for (let attempt = 1; ; attempt++) {
      const child = await this.#take(hooks.signal);
      if ('cause' in child) {
        const reason = child.aborted
          ? ({ kind: 'cancelled', reason: abortReason(hooks.signal) } as const)
          : ({ kind: 'not-started', cause: child.cause } as const);
        const progress = { progress: null, steps: [], meta: {} };
        return { ok: false, reason, error: faultOf(reason, []), progress, pid: null };
      }
      const { outcome, began } = await this.#runIn(child, task, hooks);
      // A ready child can die, with its host or by itself, just as it gets a task: then the script has not run yet.
      if (outcome.ok || began || attempt === maxChildrenPerTask || this.#stopping) return outcome;
      this.#options.logger.warn(
        { ...attemptFields(task.attemptId), pid: outcome.pid },
        'a child ended before its script began',
      );
    }
  }

  async #runIn(
    child: Child,
    task: ScriptTask,
    hooks: RunHooks,
  ): Promise<{ readonly outcome: ScriptOutcome; readonly began: boolean }> {
    const { maxProcesses = 512, maxLogBytes = 64 << 20, graceMs = 300, logger } = this.#options;
    const execution = new Execution(
      task,
      child,
      hooks,
      { maxProcesses, maxLogBytes, graceMs },
      (command) => this.#tellHost(command),
      () => this.#nothingAdopted(),
      logger,
    );
    this.#running.set(child.pid, execution);
    this.#active += 1;
    execution.begin();
    try {
      return { outcome: await execution.done, began: execution.began };
    } finally {
      this.#active -= 1;
      this.#folders.removeInput(child.inputDir);
    }
  }

  stats(): RunnerStats {
    return { warm: this.#ready.length, running: this.#active, residentBytes: this.#residentBytes };
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#restartTimer !== null) clearTimeout(this.#restartTimer);
    for (const waiter of this.#waiters.splice(0)) waiter.fail('the worker is stopping');
    await this.#host?.stop(stopPatienceMs);
    for (const execution of [...this.#running.values(), ...this.#lost]) execution.onLost();
    this.#running.clear();
    for (const connection of this.#connections) connection.close();
    for (const child of this.#ready.splice(0)) child.close();
    await new Promise<void>((resolve) => (this.#server === null ? resolve() : this.#server.close(() => resolve())));
    await this.#folders.remove();
  }

  // --- children ---------------------------------------------------------------------------------------------------

  async #take(signal: AbortSignal): Promise<Child | { readonly cause: string; readonly aborted: boolean }> {
    if (signal.aborted) return { cause: '', aborted: true };
    if (this.#stopping) return { cause: 'the worker is stopping', aborted: false };
    const child = this.#ready.shift();
    if (child !== undefined) return child;
    return new Promise((resolve) => {
      const settle = (value: Child | { readonly cause: string; readonly aborted: boolean }) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        const index = this.#waiters.indexOf(waiter);
        if (index >= 0) this.#waiters.splice(index, 1);
        resolve(value);
      };
      const waiter: Waiter = { give: settle, fail: (cause) => settle({ cause, aborted: false }) };
      const onAbort = () => settle({ cause: '', aborted: true });
      const timer = setTimeout(() => waiter.fail(this.#lastFailure), this.#options.readyTimeoutMs ?? 120_000);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiters.push(waiter);
    });
  }

  #onConnection(connection: Connection): void {
    this.#connections.add(connection);
    connection.listen({
      onMessage: (message) => this.#onFirstWord(connection, message),
      onGarbage: () => connection.close(),
      onEnd: () => this.#connections.delete(connection),
    });
  }

  #onFirstWord(connection: Connection, message: ChildMessage): void {
    if (message.t === 'hello') {
      this.#early.set(message.pid, { log: message.log, inputDir: message.inputDir, connection });
      this.#admit(message.pid);
    } else if (message.t === 'refused') {
      this.#lastFailure = message.message;
      this.#options.logger.error(
        { pid: message.pid, code: message.code, cause: message.message },
        'a child cannot get ready',
      );
      this.#startup?.reject(new RunnerStartError(message.code, message.message));
    } else if (message.t === 'broken') {
      this.#running.get(message.pid)?.onBroken(message.detail);
      connection.close();
    } else {
      connection.close();
    }
  }

  /** Takes a child in once both have spoken: the child itself and the host that made it. */
  #admit(pid: number): void {
    const early = this.#early.get(pid);
    if (early === undefined || !this.#announced.has(pid)) return;
    this.#early.delete(pid);
    this.#announced.delete(pid);
    this.#connections.delete(early.connection);
    let child: Child;
    try {
      child = new Child(pid, early.log, early.inputDir, early.connection);
    } catch (error) {
      this.#options.logger.warn({ pid, error: String(error) }, 'a child ended before it was used');
      early.connection.close();
      return;
    }
    child.listen({
      onMessage: () => this.#drop(child),
      onGarbage: () => this.#drop(child),
      onEnd: () => this.#drop(child),
    });
    this.#startup?.resolve();
    const waiter = this.#waiters[0];
    if (waiter === undefined) this.#ready.push(child);
    else waiter.give(child);
  }

  /** A waiting child has ended. */
  #drop(child: Child): void {
    const index = this.#ready.indexOf(child);
    if (index >= 0) this.#ready.splice(index, 1);
    child.close();
  }

  // --- host -------------------------------------------------------------------------------------------------------

  #startHost(): void {
    const { options } = this;
    const { pixyz } = options;
    const mode = this.#mode();
    const slots = Math.max(1, options.warm);
    const limit = options.maxProcesses === undefined ? 512 : options.maxProcesses;
    const config = {
      mode,
      warm: options.warm,
      socket: this.#folders.socket,
      folder: this.#folders.pipes,
      scratch: this.#folders.scratch,
      runnerPid: process.pid,
      preload: [] as string[],
      pixyzDisabled: pixyz.disabled || pixyz.preload === false,
      pixyzMandatory: pixyz.pythonPath !== null,
      resultInlineBytes: options.resultInlineBytes ?? 64 << 10,
      // Threads count there as well: a wall against bombs, not the limit itself.
      processCeiling: limit === null ? null : limit * slots * 8 + 1024,
    };
    this.#hostStartedAt = performance.now();
    const host = new HostProcess(options.python, this.#environment(), config, options.logger, {
      onEvent: (event) => this.#onHostEvent(event),
      onEnd: (why) => this.#onHostEnd(why),
    });
    this.#host = host;
  }

  get options(): RunnerOptions {
    return this.#options;
  }

  #mode(): 'fork' | 'spawn' {
    if (this.#options.mode !== 'auto') return this.#options.mode;
    return process.platform === 'linux' && this.#options.pixyz.pythonPath === null ? 'fork' : 'spawn';
  }

  #environment(): Record<string, string> {
    const { environment, pythonPath, pixyz } = this.#options;
    const folders = [
      ...pythonPath,
      // Names of Celery that scripts import: ours, whatever is installed. See the docstring of shims/celery.
      ...pythonPath.map((folder) => join(folder, 'shims')).filter((folder) => existsSync(folder)),
      ...(environment['PYTHONPATH'] ?? '').split(delimiter).filter(Boolean),
    ];
    return {
      ...environment,
      PYTHONPATH: folders.join(delimiter),
      PYTHONDONTWRITEBYTECODE: environment['PYTHONDONTWRITEBYTECODE'] ?? '',
      DISABLE_PIXYZ: String(pixyz.disabled),
      ...(pixyz.pythonPath === null ? {} : { PIXYZ_PYTHON_PATH: pixyz.pythonPath }),
      LICENSE_FLEXLM: String(pixyz.licence.flexlm),
      LICENSE_HOST: pixyz.licence.host ?? '',
      LICENSE_PORT: String(pixyz.licence.port),
      LICENSE_ACQUIRE_AT_START: String(pixyz.licence.acquireAtStart),
      PIXYZ_WORKER_PID: ownIdentity(),
      PIXYZ_HOST_PID: '-'.repeat(markRoom),
      PIXYZ_ATTEMPT: '-'.repeat(markRoom),
    };
  }

  /** Whether all children of the host are known here: orphans of scripts become its children at once. */
  #nothingAdopted(): boolean {
    const pid = this.#hostPid;
    if (pid === null) return false;
    try {
      const listed = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1');
      return listed.split(' ').every((text) => text === '' || this.#alive.has(Number(text)));
    } catch {
      return false; // no such file on this system
    }
  }

  #tellHost(command: HostCommand): void {
    this.#host?.send(command);
  }

  #onHostEvent(event: HostEvent): void {
    switch (event.ev) {
      case 'up':
        this.#hostPid = event.pid;
        this.#alive.clear();
        for (const pid of event.helpers) this.#alive.add(pid);
        if (event.swept > 0) {
          this.#options.logger.warn({ processes: event.swept }, 'ended processes that a dead worker had left behind');
        }
        for (const execution of this.#lost.splice(0)) execution.onLost();
        return;
      case 'forked':
        this.#announced.add(event.pid);
        this.#alive.add(event.pid);
        this.#admit(event.pid);
        // An outcome may have come while this child was not known yet, and so could have been somebody's orphan.
        for (const execution of this.#running.values()) execution.recheck();
        return;
      case 'gone':
        this.#onGone(event.pid, event.code, event.signal);
        return;
      case 'over':
        this.#running.get(event.pid)?.onOver(event.what, event.limit, event.seen);
        return;
      case 'stats':
        this.#residentBytes = event.residentBytes;
        return;
      case 'failed':
        this.#lastFailure = event.message;
        this.#options.logger.error({ cause: event.message }, 'the Python host has a problem');
    }
  }

  #onGone(pid: number, code: number | null, signal: number | null): void {
    const execution = this.#running.get(pid);
    this.#running.delete(pid);
    this.#alive.delete(pid);
    this.#announced.delete(pid);
    this.#early.get(pid)?.connection.close();
    this.#early.delete(pid);
    execution?.onGone(code, signal);
    if (execution === undefined && !this.#stopping) {
      this.#options.logger.warn({ pid, code, signal }, 'a child ended before it had a task');
      if (signal !== null || code !== 0) {
        this.#lastFailure = `a child ended before it was ready (${signal === null ? `exit code ${code}` : `signal ${signal}`})`;
      }
    }
  }

  #onHostEnd(why: { readonly sentence: string; readonly stderr: readonly string[]; readonly missing: boolean }): void {
    this.#host = null;
    this.#hostPid = null;
    // Its children die with it (parent-death signal); what they started is swept up by the next host.
    for (const child of this.#ready.splice(0)) child.close();
    this.#announced.clear();
    this.#early.clear();
    this.#lost.push(...this.#running.values());
    this.#running.clear();
    if (this.#stopping) return;
    const failure = startFailure(this.#options.python, why);
    this.#lastFailure = failure.message;
    if (this.#startup !== null) {
      this.#startup.reject(failure);
      return;
    }
    if (performance.now() - this.#hostStartedAt > hostHealthyMs) this.#hostEnds = 0;
    const pause = hostBackOffMs[Math.min(this.#hostEnds, hostBackOffMs.length - 1)] ?? 0;
    this.#hostEnds += 1;
    this.#options.logger.error(
      { cause: failure.message, restartInMs: pause },
      'the Python host ended and is started again',
    );
    this.#restartTimer = setTimeout(() => this.#startHost(), pause);
  }
}

const idleListener = { onMessage: () => undefined, onGarbage: () => undefined, onEnd: () => undefined };

function abortReason(signal: AbortSignal): 'cancel' | 'fenced' | 'shutdown' {
  return signal.reason === 'fenced' || signal.reason === 'shutdown' ? signal.reason : 'cancel';
}

function startFailure(
  python: string,
  why: { readonly sentence: string; readonly stderr: readonly string[]; readonly missing: boolean },
): RunnerStartError {
  const said = why.stderr.join('\n');
  if (why.missing) {
    return new RunnerStartError(
      'PYTHON',
      `Python cannot be started as "${python}": ${why.sentence}. Check the setting PYTHON`,
    );
  }
  if (/No module named ['"]?pixyz_worker/.test(said)) {
    return new RunnerStartError('PACKAGE', `Python does not find the package pixyz_worker: ${said}`);
  }
  return new RunnerStartError('FAILED', said === '' ? why.sentence : `${why.sentence}: ${said}`);
}
