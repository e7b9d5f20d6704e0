import { ApplicationFailure } from '@temporalio/common';
import type { FileRun } from './file-run.js';

/** The run that this code belongs to: each run has modules of its own. */
let current: FileRun | null = null;

export function setCurrentRun(run: FileRun): void {
  current = run;
}

/** @throws ApplicationFailure outside of a run */
export function currentRun(): FileRun {
  if (current !== null) return current;
  throw ApplicationFailure.nonRetryable(
    'tasks can be started only while a workflow runs: inside the default export of the file, not beside it',
    'OUTSIDE_A_RUN',
  );
}

/** What is known of a run from its start. */
export interface RunFacts {
  /** Id of the run: a graph, for all calls of the API below `/graphs`. */
  readonly id: string;
  /** Name of the workflow: the file's, without its ending. */
  readonly workflow: string;
  /** The version of the file that this run belongs to, to its end. */
  readonly version: string;
  /** Display name, or null. */
  readonly name: string | null;
  readonly labels: Readonly<Record<string, string>>;
}

/** Facts of this run. */
export function run(): RunFacts {
  return currentRun().facts;
}
