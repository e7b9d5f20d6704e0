import type { JobError, Step } from './job.js';
import type { Json } from './json.js';

/**
 * One script execution, as the activity asks the runner for it. The runner knows nothing of Temporal, records or
 * queues' meaning: it gets absolute paths and limits, and answers with facts.
 */
export interface ScriptTask {
  /** Marks every process of this attempt (`PIXYZ_ATTEMPT` in its environment): job id and attempt number. */
  readonly attemptId: string;
  readonly jobId: string;
  readonly script: string;
  readonly entrypoint: string;
  /** JSON text. */
  readonly paramsText: string;
  /** Further keys of the script's context (`queue`, `retry`, `time_limit`, `shadow`, keys of the user, …). */
  readonly context: Readonly<Record<string, Json>>;
  /** The stored input (maybe an archive), or null. */
  readonly data: string | null;
  readonly rootFile: string | null;
  readonly outputDir: string;
  readonly computeOnly: boolean;
  readonly raw: boolean;
  /** null means no limit. Counted from the moment the script's module is loaded. */
  readonly timeLimitMs: number | null;
  /** For the whole process tree; null means no limit. */
  readonly memoryLimitBytes: number | null;
  /** stdout and stderr, native prints and grandchildren too, in the order of arrival. Created when there is output. */
  readonly logFile: string;
  /** A result whose JSON is larger than `resultInlineBytes` is written here. */
  readonly resultFile: string;
}

/** A snapshot of the script's progress: replaces the one before it. */
export interface ProgressSnapshot {
  /** 0…99 while it runs, or null before the first step. */
  readonly progress: number | null;
  readonly steps: readonly Step[];
  /** Extra keys stored through the progress object. */
  readonly meta: Readonly<Record<string, Json>>;
}

/** How a script's process ended, as facts; messages are composed from them. */
export type ExitReason =
  | { readonly kind: 'finished' } // it told its outcome and ended
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signaled'; readonly signal: NodeJS.Signals }
  | { readonly kind: 'timed-out'; readonly afterMs: number }
  | { readonly kind: 'out-of-memory'; readonly limitBytes: number; readonly seenBytes: number }
  | { readonly kind: 'too-many-processes'; readonly limit: number; readonly seen: number }
  | { readonly kind: 'broken-channel'; readonly detail: string } // it closed or wrote on the socket to its worker
  | { readonly kind: 'cancelled'; readonly reason: 'cancel' | 'fenced' | 'shutdown' }
  | { readonly kind: 'not-started'; readonly cause: string };

/** What came of a script. `error` is what a user is told; the reason says which rule applies. */
export type ScriptOutcome =
  | {
      readonly ok: true;
      readonly result: Json;
      /** Size in bytes of `resultFile`, when the result lies there and `result` is null. */
      readonly resultFileBytes: number | null;
      readonly progress: ProgressSnapshot;
      readonly pid: number;
    }
  | {
      readonly ok: false;
      readonly reason: ExitReason;
      readonly error: JobError;
      readonly progress: ProgressSnapshot;
      readonly pid: number | null;
    };

export interface RunHooks {
  /** The child took the task. */
  onStarted?(pid: number): void;
  /** Called for each progress call of the script, in order. */
  onProgress?(snapshot: ProgressSnapshot): void;
  /**
   * The script asks its worker for something (to start a graph, to stop a job): any JSON value, from users' code, so it is to
   * be checked. The answer goes back to the script; of an error its message does, and the script raises it.
   */
  onRequest?(request: unknown): Promise<Json>;
  /** The script waits for other jobs, or has ended to wait: its slot can serve somebody else meanwhile. */
  onWaiting?(waiting: boolean): void;
  /** Aborted with reason `cancel`, `fenced` or `shutdown`: the whole process tree ends, TERM first, KILL after a short grace. */
  readonly signal: AbortSignal;
}

export interface RunnerStats {
  /** Children that have loaded everything and wait for a task. */
  readonly warm: number;
  readonly running: number;
  /** Resident memory of the host and all children, bytes. */
  readonly residentBytes: number;
}

/** Runs scripts in warm, single-use Python children. */
export interface Runner {
  /** Resolves when the first child is warm; rejects with a sentence for the operator when it cannot be (no Python, no licence…). */
  start(): Promise<void>;
  run(task: ScriptTask, hooks: RunHooks): Promise<ScriptOutcome>;
  stats(): RunnerStats;
  /** Ends every child, waits until no process is left. */
  stop(): Promise<void>;
}
