import type { FaultKind } from '../contract/job.js';
import { entryKey, type JournalEntry } from '../contract/journal.js';

/**
 * What a journal adds up to: the state of the graph and of each of its nodes. Pure; fed entry by entry, in the journal's order.
 * An entry that comes twice changes nothing the second time.
 */

/**
 * `waiting`: its time has not come (dependencies, pause, the window of attempts in flight). `queued`: given to a queue; it
 * waits there, or runs: its job's record tells which. The others are ends.
 */
export const nodeStates = ['waiting', 'queued', 'succeeded', 'failed', 'revoked', 'skipped'] as const;
export type NodeState = (typeof nodeStates)[number];

export interface NodeFold {
  readonly state: NodeState;
  /** The last one that was given to a queue; 0: none yet. */
  readonly attempt: number;
  /** Of that attempt, or the one that follows. */
  readonly queue: string | null;
  /** Why the last attempt, or the node, failed. */
  readonly fault: FaultKind | null;
  readonly message: string | null;
  /** Workflow files only: their nodes are declared nowhere else. */
  readonly label: string | null;
  readonly deps: readonly number[] | null;
  readonly priority: number | null;
  /** When it was last given to a queue, and when it ended: ISO 8601. */
  readonly queuedAt: string | null;
  readonly endedAt: string | null;
}

export type GraphState = 'pending' | 'running' | 'paused' | 'succeeded' | 'failed' | 'revoked';

/** A node that has become several jobs: items `0`…`count - 1` are nodes `first`…`first + count - 1`. */
export interface MappedNode {
  readonly node: number;
  readonly first: number;
  readonly count: number;
}

/** What a graph's journal adds up to without the single nodes. */
export interface GraphSummary {
  readonly state: GraphState;
  /** No more nodes come; `closed` of an open graph. */
  readonly closed: boolean;
  /** Why it did not succeed. */
  readonly message: string | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  /** What `max_parallel` has been changed to; undefined: it has not. */
  readonly limit: number | null | undefined;
  readonly changedAt: string | null;
  /** Entries that it was fed, repeated ones too: it knows all up to this number, or a few more where lines are broken. */
  readonly entries: number;
  /** Nodes that are in a queue or run: those whose records are worth a look. */
  readonly queued: ReadonlySet<number>;
  /** @param declared number of nodes in the document (0 for graphs that have none) */
  counts(declared: number): Readonly<Record<NodeState | 'total', number>>;
}

const often: ReadonlySet<JournalEntry['type']> = new Set(['queued', 'succeeded']);

const untouched: NodeFold = {
  state: 'waiting',
  attempt: 0,
  queue: null,
  fault: null,
  message: null,
  label: null,
  deps: null,
  priority: null,
  queuedAt: null,
  endedAt: null,
};

export class GraphFold implements GraphSummary {
  readonly #nodes = new Map<number, NodeFold>();
  readonly #queued = new Set<number>();
  /** Keys of the rare entries, which the node's state alone would not tell from a repeated one. */
  readonly #seen = new Set<string>();
  readonly #ended = { succeeded: 0, failed: 0, revoked: 0, skipped: 0 };
  /** By first number, ascending. */
  readonly #maps: MappedNode[] = [];
  #state: 'pending' | 'running' | 'succeeded' | 'failed' | 'revoked' = 'pending';
  #paused = false;
  #closed = false;
  #message: string | null = null;
  #startedAt: string | null = null;
  #endedAt: string | null = null;
  #limit: number | null | undefined;
  #changedAt: string | null = null;
  #entries = 0;

  get entries(): number {
    return this.#entries;
  }

  get state(): GraphState {
    return this.#state === 'running' && this.#paused ? 'paused' : this.#state;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get message(): string | null {
    return this.#message;
  }

  get startedAt(): string | null {
    return this.#startedAt;
  }

  get endedAt(): string | null {
    return this.#endedAt;
  }

  get limit(): number | null | undefined {
    return this.#limit;
  }

  get changedAt(): string | null {
    return this.#changedAt;
  }

  node(index: number): NodeFold {
    return this.#nodes.get(index) ?? untouched;
  }

  /** All nodes that the journal speaks of. */
  get touched(): ReadonlyMap<number, NodeFold> {
    return this.#nodes;
  }

  get queued(): ReadonlySet<number> {
    return this.#queued;
  }

  get maps(): readonly MappedNode[] {
    return this.#maps;
  }

  /** Which item of which map a node is, or null. */
  itemOf(index: number): { readonly map: number; readonly at: number } | null {
    let low = 0;
    let high = this.#maps.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#maps[middle] as MappedNode).first <= index) low = middle + 1;
      else high = middle;
    }
    const mapped = this.#maps[low - 1];
    if (mapped === undefined || index >= mapped.first + mapped.count) return null;
    return { map: mapped.node, at: index - mapped.first };
  }

  /** What node `index` has become, or null. */
  mapped(index: number): MappedNode | null {
    return this.#maps.find((mapped) => mapped.node === index) ?? null;
  }

  counts(declared: number): Readonly<Record<NodeState | 'total', number>> {
    return this.#counting()(declared);
  }

  /** As it is now: it does not change with the fold, and costs nothing for nodes that have ended. */
  summary(): GraphSummary {
    const { state, closed, message, startedAt, endedAt, limit, changedAt, entries } = this;
    const queued = new Set(this.#queued);
    return { state, closed, message, startedAt, endedAt, limit, changedAt, entries, queued, counts: this.#counting() };
  }

  #counting(): GraphSummary['counts'] {
    const items = this.#maps.reduce((sum, mapped) => sum + mapped.count, 0);
    return counting(items, this.#nodes.size, this.#queued.size, { ...this.#ended });
  }

  apply(entry: JournalEntry): void {
    this.#entries += 1;
    if (!often.has(entry.type)) {
      const key = entryKey(entry);
      if (this.#seen.has(key)) return;
      this.#seen.add(key);
    }
    this.#changedAt = entry.at;
    switch (entry.type) {
      case 'started':
        if (this.#state === 'pending') this.#state = 'running';
        this.#startedAt ??= entry.at;
        return;
      case 'added':
        return;
      case 'closed':
        this.#closed = true;
        return;
      case 'paused':
        this.#paused = true;
        return;
      case 'resumed':
        this.#paused = false;
        return;
      case 'limited':
        this.#limit = entry.count ?? null;
        return;
      case 'ended':
        this.#state = entry.state ?? 'succeeded';
        this.#message = entry.message === undefined || entry.message === '' ? null : entry.message;
        this.#endedAt = entry.at;
        return;
      default:
        if (entry.node !== undefined) this.#ofNode(entry, entry.node);
        else if (entry.type === 'priority')
          // Of the whole graph: of every node that has not ended, and of those to come.
          for (const [index, before] of this.#nodes)
            if (before.endedAt === null) this.#set(index, { ...before, priority: entry.priority ?? null });
    }
  }

  #ofNode(entry: JournalEntry, index: number): void {
    const before = this.node(index);
    switch (entry.type) {
      case 'queued':
        if (isEnd(before.state) || (entry.attempt ?? 1) < before.attempt) return;
        this.#set(index, {
          ...before,
          state: 'queued',
          attempt: entry.attempt ?? 1,
          queue: entry.queue ?? before.queue,
          label: entry.label ?? before.label,
          deps: entry.deps ?? before.deps,
          queuedAt: entry.at,
        });
        return;
      case 'returned':
        if (before.state === 'queued') this.#set(index, { ...before, state: 'waiting' });
        return;
      case 'retrying':
        if (isEnd(before.state) || (entry.attempt ?? 1) < before.attempt) return;
        this.#set(index, {
          ...before,
          state: 'waiting',
          queue: entry.queue ?? before.queue,
          fault: faultOf(entry),
          message: entry.message ?? null,
        });
        return;
      case 'mapped': {
        const mapped: MappedNode = { node: index, first: entry.first ?? 0, count: entry.count ?? 0 };
        if (this.#maps.some(({ node }) => node === index)) return;
        const at = this.#maps.findIndex(({ first }) => first > mapped.first);
        this.#maps.splice(at === -1 ? this.#maps.length : at, 0, mapped);
        return;
      }
      case 'succeeded':
        this.#set(index, { ...before, state: 'succeeded', fault: null, message: null, endedAt: entry.at });
        return;
      case 'failed':
      case 'revoked':
      case 'skipped':
        this.#set(index, {
          ...before,
          state: entry.type,
          fault: faultOf(entry),
          message: entry.message ?? null,
          endedAt: entry.at,
        });
        return;
      case 'revived':
        this.#set(index, { ...before, state: 'waiting', fault: null, message: null, endedAt: null });
        return;
      case 'priority':
        this.#set(index, { ...before, priority: entry.priority ?? null });
        return;
      default:
        return;
    }
  }

  #set(index: number, after: NodeFold): void {
    const before = this.node(index);
    if (isEnd(before.state)) this.#ended[before.state] -= 1;
    if (isEnd(after.state)) this.#ended[after.state] += 1;
    if (after.state === 'queued') this.#queued.add(index);
    else this.#queued.delete(index);
    this.#nodes.set(index, after);
  }
}

/** Apart from the fold: what is kept of it must not keep all of it. */
function counting(
  items: number,
  touched: number,
  queued: number,
  { succeeded, failed, revoked, skipped }: Readonly<Record<EndState, number>>,
): GraphSummary['counts'] {
  return (declared) => {
    const total = Math.max(declared + items, touched);
    const waiting = total - queued - succeeded - failed - revoked - skipped;
    return { total, waiting, queued, succeeded, failed, revoked, skipped };
  };
}

type EndState = Exclude<NodeState, 'waiting' | 'queued'>;

function isEnd(state: NodeState): state is EndState {
  return state !== 'waiting' && state !== 'queued';
}

function faultOf(entry: JournalEntry): FaultKind | null {
  return (entry.fault as FaultKind | undefined) ?? null;
}
