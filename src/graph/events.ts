import type { GraphNode } from '../contract/graph.js';
import type { FaultKind } from '../contract/job.js';
import type { JournalEntry } from '../contract/journal.js';
import type { RecordChange } from './record-change.js';

/** What the scheduling core hears, and what it asks for. */

export type EndState = 'succeeded' | 'failed' | 'revoked' | 'skipped';

export type GraphEvent =
  | { readonly type: 'start' }
  /** The countdown of a node has passed. */
  | { readonly type: 'due'; readonly node: number }
  | { readonly type: 'succeeded'; readonly node: number }
  | { readonly type: 'faulted'; readonly node: number; readonly fault: FaultKind; readonly message: string }
  /**
   * A worker gave the attempt back untouched: its slots were taken meanwhile, or it was in a batch and has not begun.
   * `fenced`: a worker that is lost may still begin it, so that its number must not be used again.
   */
  | { readonly type: 'returned'; readonly node: number; readonly fenced?: true }
  /** Nobody started it in the time given by `startWithin`. `served`: somebody polls its queue. */
  | { readonly type: 'not-started'; readonly node: number; readonly served: boolean }
  /** Answers to `ask` and `expand`. One that cannot be answered is reported as `faulted`. */
  | { readonly type: 'answered'; readonly node: number; readonly yes: boolean }
  | { readonly type: 'expanded'; readonly node: number; readonly count: number }
  /** A request to stop one node, or all (which closes an open graph, too). */
  | { readonly type: 'cancel'; readonly node: number | null; readonly reason: string }
  /** A node of another part has failed, and the graph stops at the first failure. */
  | { readonly type: 'halt'; readonly reason: string }
  /** Further nodes of an open graph; those it has already are passed over. `refused`: they fail at once, for this reason. */
  | { readonly type: 'add'; readonly nodes: readonly GraphNode[]; readonly refused?: string }
  /** No more nodes come. `end`: whoever opened the graph decides how it ends, whatever its nodes came to. */
  | { readonly type: 'close'; readonly end?: Omit<FinishCommand, 'type'> }
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  /** Run a failed or revoked node again, or all of them (null). */
  | { readonly type: 'retry'; readonly node: number | null }
  | { readonly type: 'priority'; readonly node: number | null; readonly priority: number }
  | { readonly type: 'window'; readonly window: number }
  /** Attempts in flight at most, as somebody outside wants it; null: the engine's own bound. */
  | { readonly type: 'limit'; readonly max: number | null }
  /** An external node has ended, or is to run again. */
  | { readonly type: 'settled'; readonly node: number; readonly state: EndState }
  | { readonly type: 'unsettled'; readonly node: number };

export interface RunCommand {
  readonly type: 'run';
  readonly node: number;
  readonly attempt: number;
  readonly queue: string;
  readonly timeLimit: number | null;
  readonly retriesUsed: number;
  readonly lossesUsed: number;
  /** Temporal priority key, 1 first. */
  readonly priority: number;
  /** Report `not-started` when nobody took it after so many seconds; null: wait for ever. */
  readonly startWithin: number | null;
  /** It is an item of a map: which, and at which place of the list. */
  readonly item?: { readonly map: number; readonly at: number };
}

export interface FinishCommand {
  readonly type: 'finish';
  readonly state: 'succeeded' | 'failed' | 'revoked';
  readonly message: string;
}

/** An entry of the journal, without the time, which the core does not know. */
export type JournalNote = Omit<JournalEntry, 'at'>;

export type GraphCommand =
  | { readonly type: 'wait'; readonly node: number; readonly seconds: number }
  | RunCommand
  /** Evaluate the node's `when`: `answered` follows. */
  | { readonly type: 'ask'; readonly node: number }
  /** Evaluate the node's list; its items get the numbers from `first` on: `expanded` follows. */
  | { readonly type: 'expand'; readonly node: number; readonly first: number }
  /** End the running attempt; a `faulted` with `cancelled` follows (or a `succeeded`, if it was quicker). */
  | { readonly type: 'stop'; readonly node: number }
  /** Write what only the interpreter knows into the job's record. */
  | { readonly type: 'record'; readonly node: number; readonly change: RecordChange }
  | { readonly type: 'journal'; readonly note: JournalNote }
  | { readonly type: 'ended'; readonly node: number; readonly state: EndState }
  /** A node that had ended is to run again. */
  | { readonly type: 'revived'; readonly node: number }
  | FinishCommand;
