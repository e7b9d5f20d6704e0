import type { OutputReference, Reference } from './reference.js';

/** A file by its absolute path, which must be the same on the worker that takes the task. Made by {@link file}. */
export interface FileOnDisk {
  readonly path: string;
}

/**
 * A file that lies on a disk which all machines see under the same path.
 *
 * @example
 * task({ process: 'convert_file', data: file('/mnt/cad/pump.step') })
 */
export function file(path: string): FileOnDisk {
  return { path };
}

/**
 * The input file of a task: one that came with the start of the run (by the name of its part of the form), an output of
 * another task, or a file on a disk.
 */
export type TaskInput = string | OutputReference | FileOnDisk;

/** Anything that can wait for: a task, a group, a chain. */
export interface HasTasks {
  /** Tasks that must have ended before it counts as ended. */
  readonly last: readonly { readonly id: string }[];
}

/**
 * One task. It has one of `process`, `script`, `command` and `barrier`. The fields are those of a node of `POST /graphs`, in
 * the spelling of TypeScript; `docs/graphs.md` tells more of each.
 */
export interface TaskOptions {
  /** What the task is called: unique in its run. Default: what it runs, with a number from the second on. */
  readonly id?: string;
  /** Display name of its job. Default: the id. */
  readonly label?: string;
  /** A shipped process, by its name: `convert_file`. */
  readonly process?: string;
  /** A Python script that lies beside the workflow file, by its file name: `measure.py`. */
  readonly script?: string;
  /** A program and its arguments; one text is split as a shell would. */
  readonly command?: string | readonly (string | Reference)[];
  /** The task runs nothing: it succeeds when what it waits for has. */
  readonly barrier?: true;
  /** The function of the script that is called. Default `main`. */
  readonly entrypoint?: string;
  /** What the script gets: any JSON, with references to other tasks anywhere in it. Default `{}`. */
  readonly params?: unknown;
  /** The input file. */
  readonly data?: TaskInput;
  /** Main file inside an input archive. */
  readonly rootFile?: string;
  /** What must end first, beyond the tasks that the other fields speak of. */
  readonly after?: HasTasks | readonly HasTasks[];
  /** When that lets it start: `all_succeeded` (default), `all_done`, `any_failed`. Else it is skipped. */
  readonly trigger?: 'all_succeeded' | 'all_done' | 'any_failed';
  /** An expression; false: the task is skipped. In most workflows a plain `if` is better. */
  readonly when?: string | Reference;
  /** One job for each item of a list that another task makes; `item` and `index` can be used in `params`. */
  readonly map?: { readonly over: string | Reference; readonly max: number };
  /** Hardware class: `cpu`, `gpu`, `gpuhigh`, or one of your own. Default: the script's own, else `cpu`. */
  readonly queue?: string;
  /** Seconds an attempt may take. Default 3600. */
  readonly timeLimit?: number;
  /** Further attempts after a crash, an exit, a time-out or lack of memory. Default 1. */
  readonly retries?: number;
  /** 0 (first) … 9 (last). Default 4. */
  readonly priority?: number;
  /** Seconds to wait once it could start. */
  readonly countdown?: number;
  /** Seconds after which it is revoked, if it could start and has not. */
  readonly expires?: number;
  /** The job gets no output folder. */
  readonly computeOnly?: boolean;
  /** Take result and outputs of an earlier job that ran the same with the same inputs, where there is one. */
  readonly reuse?: boolean;
  /** Further keys that the script reads as `pc["key"]`. */
  readonly context?: Readonly<Record<string, unknown>>;
  /** Where a signed notice goes when it has ended. */
  readonly callback?: { readonly url: string; readonly secret?: string };
  /** The command is a line for the shell. */
  readonly shell?: boolean;
  /** Folder in which the command runs. Default: the outputs of its job. */
  readonly cwd?: string;
  /** Environment of the command; null unsets a variable. */
  readonly env?: Readonly<Record<string, string | Reference | null>>;
  /** Exit codes of the command that mean success. Default `[0]`. */
  readonly okExitCodes?: readonly number[];
  /** Files that the command must have made. */
  readonly expectedOutputs?: readonly string[];
  /** Free facts, shown with the task. */
  readonly tags?: Readonly<Record<string, string>>;
}

/** A node as `POST /graphs` takes it. */
export function nodeOf(id: string, options: TaskOptions): Record<string, unknown> {
  const { id: _id, after, data, when, map, ...rest } = options;
  const fields = Object.entries(rest)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value]);
  const before = after === undefined ? [] : 'last' in after ? [after] : after;
  const deps = [...new Set(before.flatMap(({ last }) => last.map((task) => task.id)))];
  return {
    id,
    ...Object.fromEntries(fields),
    ...(data === undefined ? {} : { data: inputOf(data) }),
    ...(when === undefined ? {} : { when: expressionOf(when) }),
    ...(map === undefined ? {} : { map: { over: expressionOf(map.over), max: map.max } }),
    ...(deps.length === 0 ? {} : { deps }),
  };
}

function inputOf(data: TaskInput): unknown {
  if (typeof data === 'string') return data;
  return 'output' in data ? { node: data.node, output: data.output } : { path: data.path };
}

function expressionOf(given: string | Reference): string {
  return typeof given === 'string' ? given : given.expression;
}

/** What a task is called whose author gave it no name: what it runs. */
export function nameOf({ process, script, command, barrier }: TaskOptions): string {
  if (barrier === true) return 'barrier';
  if (process !== undefined) return process;
  if (script !== undefined) return script.replace(/\.py$/, '');
  const program = String(typeof command === 'string' ? command.trim().split(/\s+/)[0] : (command?.[0] ?? 'task'));
  return program.slice(program.lastIndexOf('/') + 1) || 'task';
}
