import { ApplicationFailure } from '@temporalio/common';
import { Awaitable, type Handle } from './handles.js';
import type { TaskOptions } from './options.js';
import { OutputReference, ofTask, Reference } from './reference.js';
import { currentRun } from './run.js';

/** How a task can end. `skipped`: what it waits for did not come out as its `trigger` wants. */
export type TaskState = 'succeeded' | 'failed' | 'revoked' | 'skipped';

/** What came of a task. */
export type TaskEnd<T = unknown> =
  | { readonly state: 'succeeded'; readonly result: T }
  | { readonly state: Exclude<TaskState, 'succeeded'>; readonly message: string };

/** What a failure of a task tells; it is the first detail of the failure that `await` throws. */
export interface TaskFailureFacts {
  readonly task: string;
  readonly job: string;
  readonly state: Exclude<TaskState, 'succeeded'>;
  readonly message: string;
}

/** How a task ended, without its result. */
export type Ended = { readonly state: TaskState; readonly message: string };

const failureType = 'TASK_FAILED';

/**
 * One job of the run. It starts as soon as what it waits for has ended, whether it is awaited or not; `await` gives the
 * result of its script, and throws when it did not succeed.
 *
 * @typeParam T what the script returns
 */
export class Task<T = unknown> extends Awaitable<T> implements Handle<T> {
  /** What it is called in this run. */
  readonly id: string;
  /** Its job's id, as all calls of the API below `/jobs` take it. */
  readonly job: string;
  readonly #ended: Promise<Ended>;
  readonly #read: () => Promise<unknown>;
  readonly #cancel: (reason: string) => void;
  #value: Promise<T> | undefined;
  #heeded = false;

  /** Made by {@link task}. */
  constructor(parts: {
    readonly id: string;
    readonly job: string;
    readonly ended: Promise<Ended>;
    readonly read: () => Promise<unknown>;
    readonly cancel: (reason: string) => void;
  }) {
    super();
    this.id = parts.id;
    this.job = parts.job;
    this.#ended = parts.ended;
    this.#read = parts.read;
    this.#cancel = parts.cancel;
  }

  /** Itself: what others wait for when they wait for it. */
  get last(): readonly Task[] {
    return [this];
  }

  /** Somebody has asked what came of it: then a failure is theirs to handle. */
  get heeded(): boolean {
    return this.#heeded;
  }

  /**
   * The result of its script, or a part of it, for other tasks: `value('parts[0].name')`.
   * @param path members and places, as in TypeScript
   */
  value(path = ''): Reference {
    const steps = path === '' || path.startsWith('[') ? path : `.${path}`;
    return new Reference(`${ofTask(this.id)}.result${steps}`);
  }

  /** A file of its outputs, for other tasks: as `data`, or as a path in parameters and commands. */
  output(path: string): OutputReference {
    return new OutputReference(this.id, path);
  }

  /** The folder of its outputs on the worker, for other tasks. */
  folder(): Reference {
    return new Reference(`${ofTask(this.id)}.folder`);
  }

  /** The same as {@link value}: what another task gets when it comes next in a chain. */
  handedOn(): Reference {
    return this.value();
  }

  /** Waits for its end and tells it, without throwing. */
  async settled(): Promise<TaskEnd<T>> {
    this.#heeded = true;
    const { state, message } = await this.#ended;
    return state === 'succeeded' ? { state, result: await this.#result() } : { state, message };
  }

  /** Ends it: its script is stopped, or never started. */
  cancel(reason = 'cancelled by the workflow'): void {
    this.#cancel(reason);
  }

  protected async awaited(): Promise<T> {
    this.#heeded = true;
    const { state, message } = await this.#ended;
    if (state === 'succeeded') return this.#result();
    const facts: TaskFailureFacts = { task: this.id, job: this.job, state, message };
    throw ApplicationFailure.create({
      message: `${this.id}: ${message}`,
      type: failureType,
      nonRetryable: true,
      details: [facts],
    });
  }

  /** Read once, and only where the workflow wants it: it costs a step, and room in the history. */
  #result(): Promise<T> {
    this.#value ??= this.#read() as Promise<T>;
    return this.#value;
  }
}

/**
 * Starts a task: a script, a shipped process or a command, as a job of its own on a worker.
 *
 * @example
 * const model = task({ process: 'convert_file', data: 'model', params: { extension: 'glb' } });
 * const pictures = task({ process: 'generate_thumbnails', data: model.output('pump.glb') });
 * await Promise.all([model, pictures]);
 *
 * @typeParam T what the script returns
 */
export function task<T = unknown>(options: TaskOptions): Task<T> {
  return currentRun().declare(options) as Task<T>;
}

/** What a caught error tells of a task that did not succeed; null for every other error. */
export function isTaskFailure(error: unknown): TaskFailureFacts | null {
  if (!(error instanceof ApplicationFailure) || error.type !== failureType) return null;
  return error.details?.[0] as TaskFailureFacts;
}
