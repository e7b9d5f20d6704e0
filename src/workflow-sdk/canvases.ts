import { GraphHandle, type Handle, Sequence, TaskGroup } from './handles.js';
import type { TaskOptions } from './options.js';
import { type Task, task } from './task.js';

/** A step of a {@link chain}: a task, or a function of the step before it that starts a task, a group, a chain …. */
export type ChainStep = TaskOptions | ((previous: Handle) => TaskOptions | Handle);

/** A member of a {@link group}: a task, or something that was started already. */
export type GroupMember = TaskOptions | Handle;

/**
 * Runs steps one after another. A task without `params` gets the result of the step before it; a function gets that step, to
 * take what it needs. When a step fails, the later ones are skipped.
 *
 * @example
 * await chain(
 *   { process: 'convert_file', data: 'model', params: { extension: 'glb' } },
 *   (model) => ({ process: 'generate_thumbnails', data: (model as Task).output('pump.glb') }),
 * );
 *
 * @typeParam T the result of the last step
 */
export function chain<T = unknown>(first: GroupMember, ...rest: readonly ChainStep[]): Sequence<T> {
  const steps: [Handle, ...Handle[]] = [started(first)];
  for (const step of rest) {
    const previous = steps.at(-1) as Handle;
    const next = typeof step === 'function' ? step(previous) : step;
    steps.push(isHandle(next) ? next : task(behind(next, previous)));
  }
  return new Sequence<T>(steps);
}

/**
 * Runs tasks side by side.
 *
 * @example
 * const sizes = await group<{ triangles: number }>(parts.map((part) => ({ script: 'measure.py', params: { part } })));
 *
 * @typeParam T the result of each
 */
export function group<T = unknown>(members: readonly GroupMember[]): TaskGroup<T> {
  return new TaskGroup(members.map((member) => started(member) as Handle<T>));
}

/**
 * Runs tasks side by side, and then one that gets all their results, as a list, where it has no `params` of its own.
 *
 * @typeParam T the result of the last one
 */
export function chord<T = unknown>(members: readonly GroupMember[], last: ChainStep): Sequence<T> {
  return chain<T>(group(members), last);
}

/** A task of a {@link graph}: `after` may name other tasks of it. */
export type GraphTask = Omit<TaskOptions, 'id' | 'after'> & { readonly after?: readonly string[] };

/**
 * Starts tasks that name each other: each waits for those in its `after`, and for those that its templates speak of
 * (`'${{ nodes.convert.result.size }}'`). The keys are the ids of the tasks.
 *
 * @example
 * const { pictures } = await graph({
 *   convert: { process: 'convert_file', data: 'model', params: { extension: 'glb' } },
 *   pictures: { process: 'generate_thumbnails', data: 'model' },
 *   report: { script: 'report.py', after: ['convert', 'pictures'] },
 * });
 */
export function graph<Name extends string>(tasks: Readonly<Record<Name, GraphTask>>): GraphHandle<Name> {
  const made = Object.entries<GraphTask>(tasks).map(([id, { after = [], ...options }]): [string, Task] => [
    id,
    task({ ...options, id, after: after.map((name) => ({ last: [{ id: name }] })) }),
  ]);
  return new GraphHandle(Object.fromEntries(made) as Record<Name, Task>);
}

function started(member: GroupMember): Handle {
  return isHandle(member) ? member : task(member);
}

function behind(options: TaskOptions, previous: Handle): TaskOptions {
  const given = options.after === undefined ? [] : 'last' in options.after ? [options.after] : options.after;
  const takesParams = options.command === undefined && options.barrier === undefined && options.params === undefined;
  return { ...options, after: [...given, previous], ...(takesParams ? { params: previous.handedOn() } : {}) };
}

function isHandle(given: TaskOptions | Handle): given is Handle {
  return 'handedOn' in given;
}
