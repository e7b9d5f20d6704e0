import { z } from 'zod';

/**
 * The journal of a graph: what its interpreter decided and heard, one JSON object a line, append only. An entry's sequence
 * number is the number of its line, from 1; it is not stored.
 *
 * Who writes: the worker that holds the interpreter's workflow task, through a sink that is called during replay, too. An
 * entry is written once: {@link entryKey} tells a repeated one. So the journal costs no history events and no waiting, and a
 * crash between a decision and its line is mended by the next replay.
 *
 * It is small (about 100 bytes an entry, three to four a node): times and results of a node are in its job's record.
 */
export const journalEntrySchema = z.object({
  /** UTC, ISO 8601 with milliseconds and `Z`: the workflow's clock. */
  at: z.string(),
  type: z.enum([
    // of the graph
    'started',
    'added', // nodes `node`…`node + count - 1` have come to an open graph
    'closed',
    'paused',
    'resumed',
    'limited', // at most `count` attempts at the same time from now on; absent: the engine's own bound
    'ended', // `state`, `message`
    // of a node
    'queued', // `attempt`, `queue`; of graphs without stored nodes (workflow files) also `label`, `deps`
    'returned', // a worker gave it back untouched; it is queued again
    'retrying', // `attempt` is the one that ended, `fault`, `message`, `queue` the next one's
    'mapped', // it has become nodes `first`…`first + count - 1`
    'succeeded',
    'failed', // `fault`, `message`
    'revoked', // `message`
    'skipped', // `message`
    'revived', // a failed, revoked or skipped node is to run again (retry of a node)
    'priority', // `priority`
  ]),
  /** Node number; absent for entries of the graph. */
  node: z.number().int().min(1).optional(),
  attempt: z.number().int().min(1).optional(),
  queue: z.string().optional(),
  label: z.string().optional(),
  deps: z.array(z.number().int()).optional(),
  fault: z.string().optional(),
  message: z.string().optional(),
  state: z.enum(['succeeded', 'failed', 'revoked']).optional(),
  first: z.number().int().optional(),
  count: z.number().int().optional(),
  priority: z.number().int().optional(),
  /** How many entries of the same type, node and attempt came before: tells repeated decisions apart. */
  n: z.number().int().optional(),
});
export type JournalEntry = z.infer<typeof journalEntrySchema>;

/** The same for the same decision, whenever and wherever it is replayed. */
export function entryKey(entry: JournalEntry): string {
  return `${entry.type}:${entry.node ?? 0}:${entry.attempt ?? 0}:${entry.n ?? 0}`;
}

/**
 * The sink that takes a run's entries: called in replay, too, so it may be told everything twice.
 * A type literal, because Temporal's `proxySinks` wants an index signature, which an interface has not.
 */
export type JournalSinks = {
  readonly journal: { readonly append: (graphId: string, entries: readonly JournalEntry[]) => void };
};
