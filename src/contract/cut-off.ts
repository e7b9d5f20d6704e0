/** What the threads that run workflow files tell their process about code that computes for too long, and are told by it. */

/** The broadcast channel on which a thread tells that it was cut off, before it ends. */
export const cutOffChannel = 'pixyz-cut-off';

/** The environment data of threads with the runs that were cut off before. */
export const cutOffRuns = 'pixyz-cut-off-runs';

/** What is to become of a run: the next time it is seen where its code is, or it ends at its next step. */
export type CutOffVerdict = 'watch' | 'cancel' | { readonly failure: string };
/** By id of the graph. */
export type CutOffRuns = ReadonlyMap<string, CutOffVerdict>;

export interface CutOff {
  readonly graphId: string;
  /** CPU time that the code took, ms: less than the time it was given where the machine had other work. */
  readonly cpuMs: number;
  /** Where the code was, innermost call first; empty where nobody looked. */
  readonly frames: readonly CutOffFrame[];
}

/** A place in the bundle, counted from 1. */
export interface CutOffFrame {
  readonly url: string;
  readonly line: number;
  readonly column: number;
  readonly name: string;
}
