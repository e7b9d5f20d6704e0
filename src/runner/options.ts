/** Settings of a runner. Only a `main` knows where they come from. */
export interface RunnerOptions {
  /** Python interpreter, a path or a name on PATH. 3.10 or newer. */
  readonly python: string;
  /** Folders that scripts import from, before site-packages: the project's `python/`. */
  readonly pythonPath: readonly string[];
  /** The environment of scripts; see `scriptEnvironment`. SHARE_PATH and the like that the SDK reads go in here. */
  readonly environment: Readonly<Record<string, string>>;
  /** Children kept ready. One more than scripts run at a time hides the cost of the next. */
  readonly warm: number;
  /**
   * `fork` (Linux): children are forked from a host that has loaded everything: about 1 ms each. `spawn`: each child is a
   * fresh interpreter, for libraries that do not survive a fork (the real `pxz`, CUDA). `auto`: fork on Linux with the open
   * engine, else spawn.
   */
  readonly mode: 'auto' | 'fork' | 'spawn';
  readonly pixyz: PixyzOptions;
  /** Processes one script may have; null means no limit. Default 512. */
  readonly maxProcesses?: number | null;
  /** Largest log of one attempt. Default 64 MiB. */
  readonly maxLogBytes?: number;
  /** A result whose JSON is larger goes to `task.resultFile`. Default 64 KiB. */
  readonly resultInlineBytes?: number;
  /** Between TERM and KILL. Default 300. */
  readonly graceMs?: number;
  /** How long a task waits for a child before it is told that none can be started. Default 2 minutes. */
  readonly readyTimeoutMs?: number;
  /** Where the private folder (sockets, unpacked archives) is made. Default: the system's temporary folder. */
  readonly temporaryRoot?: string;
  readonly logger: RunnerLogger;
}

export interface PixyzOptions {
  /** Children never load `pxz` by themselves. */
  readonly disabled: boolean;
  /** Children have loaded `pxz` before they get their task; else it is loaded when a script imports it. Default true. */
  readonly preload?: boolean;
  /** Folder of the real `pxz`; null: the open engine. */
  readonly pythonPath: string | null;
  readonly licence: {
    readonly flexlm: boolean;
    readonly host: string | null;
    readonly port: number;
    readonly acquireAtStart: boolean;
  };
}

/** The part of a pino logger that is used. */
export interface RunnerLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export type StartFailure = 'PYTHON' | 'PACKAGE' | 'PIXYZ' | 'LICENCE' | 'FAILED';

/** Why a runner cannot start, as a sentence for the operator. */
export class RunnerStartError extends Error {
  override readonly name = 'RunnerStartError';
  readonly code: StartFailure;

  constructor(code: StartFailure, message: string) {
    super(message);
    this.code = code;
  }
}
