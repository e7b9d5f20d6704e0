import type { Reference } from './reference.js';
import type { Task } from './task.js';

/** A task, or several that count as one: it can be awaited, and other tasks can wait for it. */
export interface Handle<T = unknown> extends PromiseLike<T> {
  /** Tasks that have ended when it has. */
  readonly last: readonly Task[];
  /** What comes next in a chain gets this as its parameters. */
  handedOn(): Reference | readonly unknown[] | Readonly<Record<string, unknown>>;
}

/** Something that `await` waits for. */
export abstract class Awaitable<T> implements PromiseLike<T> {
  /** What comes of it; asked for when somebody waits. */
  protected abstract awaited(): Promise<T>;

  // biome-ignore lint/suspicious/noThenProperty: awaiting it is the point
  // oxlint-disable-next-line unicorn/no-thenable
  then<A = T, B = never>(
    onValue?: ((value: T) => A | PromiseLike<A>) | null,
    onError?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.awaited().then(onValue, onError);
  }
}

/** Tasks that run side by side. `await` gives their results in order, and throws when one did not succeed. */
export class TaskGroup<T = unknown> extends Awaitable<T[]> implements Handle<T[]> {
  /** As they were given. */
  readonly members: readonly Handle<T>[];

  /** Made by {@link group}. */
  constructor(members: readonly Handle<T>[]) {
    super();
    this.members = members;
  }

  get last(): readonly Task[] {
    return this.members.flatMap((member) => member.last);
  }

  handedOn(): readonly unknown[] {
    return this.members.map((member) => member.handedOn());
  }

  protected awaited(): Promise<T[]> {
    return Promise.all(this.members) as Promise<T[]>;
  }
}

/** Steps that run one after another. `await` gives the result of the last one. */
export class Sequence<T = unknown> extends Awaitable<T> implements Handle<T> {
  readonly steps: readonly Handle[];

  /** Made by {@link chain}. */
  constructor(steps: readonly [Handle, ...Handle[]]) {
    super();
    this.steps = steps;
  }

  get last(): readonly Task[] {
    return this.#end.last;
  }

  handedOn(): ReturnType<Handle['handedOn']> {
    return this.#end.handedOn();
  }

  /** The first step that fails tells more than the last one, which was skipped because of it. */
  protected async awaited(): Promise<T> {
    for (const step of this.steps.slice(0, -1)) for (const task of step.last) await task;
    return (await this.#end) as T;
  }

  get #end(): Handle {
    return this.steps.at(-1) as Handle;
  }
}

/** Tasks by name. `await` gives their results by name, and throws when one did not succeed. */
export class GraphHandle<Name extends string = string>
  extends Awaitable<Record<Name, unknown>>
  implements Handle<Record<Name, unknown>>
{
  readonly tasks: Readonly<Record<Name, Task>>;

  /** Made by {@link graph}. */
  constructor(tasks: Readonly<Record<Name, Task>>) {
    super();
    this.tasks = tasks;
  }

  get last(): readonly Task[] {
    return Object.values(this.tasks);
  }

  handedOn(): Readonly<Record<string, unknown>> {
    return Object.fromEntries(this.#entries.map(([name, task]) => [name, task.handedOn()]));
  }

  protected async awaited(): Promise<Record<Name, unknown>> {
    const results = this.#entries.map(async ([name, task]) => [name, await task] as const);
    return Object.fromEntries(await Promise.all(results)) as Record<Name, unknown>;
  }

  get #entries(): [string, Task][] {
    return Object.entries(this.tasks);
  }
}
