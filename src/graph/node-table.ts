import type { GraphNode } from '../contract/graph.js';
import type { FaultKind } from '../contract/job.js';
import type { EndState, FinishCommand, GraphCommand, JournalNote } from './events.js';
import { endOfMap, externalNode, hasEnded, measureHeights, type NodeRun, newNodeRun, unendedDeps } from './node-run.js';
import type { RecordChange } from './record-change.js';

/** Which journal entries are given: none (a single job), those of nodes (a part of a graph), or all. */
export type JournalScope = 'none' | 'nodes' | 'all';

export type Counts = Readonly<Record<EndState, number>> & { readonly unended: number };

/** Messages are for people who look for the reason; the whole text is in the job's record. */
const longestMessage = 500;

/**
 * The nodes of a run: who waits for whom, which have ended and how; and the commands that tell of it. What a node does
 * before its end is `GraphRun`'s.
 */
export class NodeTable {
  /** Nodes that wait for nothing more: a list, not recursion, since a skipped chain can be thousands long. */
  readonly released: NodeRun[] = [];
  /** Attempts, conditions and lists in flight. */
  inFlight = 0;
  readonly #nodes = new Map<number, NodeRun>();
  readonly #journal: JournalScope;
  readonly #tally: Record<EndState, number> = { succeeded: 0, failed: 0, revoked: 0, skipped: 0 };
  #unended = 0;
  #failed: NodeRun | null = null;
  #out: GraphCommand[] = [];

  constructor(nodes: readonly GraphNode[], externals: readonly number[], journal: JournalScope) {
    this.#journal = journal;
    for (const index of externals) this.#nodes.set(index, externalNode(index));
    this.register(nodes);
  }

  get counts(): Counts {
    return { ...this.#tally, unended: this.#unended };
  }

  /** Every node, items of maps included, in the order in which they came. */
  all(): Iterable<NodeRun> {
    return this.#nodes.values();
  }

  find(index: number): NodeRun | undefined {
    return this.#nodes.get(index);
  }

  get(index: number): NodeRun {
    const run = this.#nodes.get(index);
    if (run === undefined) throw new RangeError(`the graph has no node ${index}`);
    return run;
  }

  /** Takes nodes in; those it has already are passed over. */
  register(nodes: readonly GraphNode[]): NodeRun[] {
    const added = nodes.filter((node) => !this.#nodes.has(node.index)).map((node) => newNodeRun(node));
    for (const run of added) this.#nodes.set(run.node.index, run);
    for (const run of added) {
      for (const index of run.node.deps) {
        const dep = this.get(index);
        run.deps.push(dep);
        dep.successors.push(run);
        if (!hasEnded(dep)) run.waitingFor += 1;
      }
    }
    this.#unended += added.length;
    measureHeights(added);
    return added;
  }

  /** Takes in the items of a map node. */
  addItems(map: NodeRun, items: NodeRun[]): void {
    for (const item of items) this.#nodes.set(item.node.index, item);
    map.items = items;
    map.itemsLeft = items.length;
    this.#unended += items.length;
  }

  push(...commands: GraphCommand[]): void {
    this.#out.push(...commands);
  }

  /** The commands since they were last taken. */
  takeCommands(): GraphCommand[] {
    const out = this.#out;
    this.#out = [];
    return out;
  }

  /** The first node that has failed since this was last asked. */
  takeFailed(): NodeRun | null {
    const failed = this.#failed;
    this.#failed = null;
    return failed;
  }

  end(run: NodeRun, state: EndState, message: string | null = null, fault?: FaultKind): void {
    run.state = state;
    run.failure = message;
    this.#unended -= 1;
    this.#tally[state] += 1;
    this.noteNode(run, {
      type: state,
      ...(message === null ? {} : { message }),
      ...(fault === undefined ? {} : { fault }),
      ...(run.revivals === 0 ? {} : { n: run.revivals }),
    });
    this.#out.push({ type: 'ended', node: run.node.index, state });
    this.tellSuccessors(run);
    if (run.origin !== null) {
      const { map } = run.origin;
      map.itemsLeft -= 1;
      if (map.itemsLeft === 0) {
        const end = endOfMap(map);
        this.end(map, end.state, end.message);
      }
    }
    if (state === 'failed') this.#failed ??= run;
  }

  /** A node has ended: those that waited for nothing else are released. */
  tellSuccessors(run: NodeRun): void {
    for (const successor of run.successors) {
      if (successor.state === 'blocked') {
        successor.waitingFor -= 1;
        if (successor.waitingFor === 0) this.released.push(successor);
      } else if (successor.state === 'chained') {
        successor.waitingFor -= 1;
        if (run.state === 'succeeded') {
          successor.state = 'running';
          this.inFlight += 1;
        } else {
          // Nobody has said that it has not begun, so its number is spent.
          successor.state = 'blocked';
          successor.attempt += 1;
          this.released.push(successor);
        }
      }
    }
  }

  /** A node that has ended is to run again. */
  unend(run: NodeRun, state: 'blocked' | 'mapped'): void {
    this.#tally[run.state as EndState] -= 1;
    this.#unended += 1;
    run.state = state;
    run.failure = null;
    run.stopping = null;
    run.asked = false;
    run.revivals += 1;
    run.waitingFor = unendedDeps(run);
    this.noteNode(run, { type: 'revived', n: run.revivals });
    this.#out.push({ type: 'revived', node: run.node.index });
    if (state === 'blocked' && run.waitingFor === 0) this.released.push(run);
    if (run.origin === null) return;
    const { map } = run.origin;
    map.itemsLeft += 1;
    if (!hasEnded(map)) return;
    this.unend(map, 'mapped');
    this.blockSuccessors(map);
  }

  /** A node that had ended has not any more: what was skipped because of it waits again, and so on down. */
  blockSuccessors(from: NodeRun): void {
    const below = [from];
    const touched = new Set<NodeRun>();
    for (let run = below.pop(); run !== undefined; run = below.pop()) {
      for (const successor of run.successors) {
        if (successor.state === 'skipped') {
          this.unend(successor, 'blocked');
          below.push(successor);
        }
        if (successor.state === 'blocked') touched.add(successor);
      }
    }
    // Counted anew when all is open again: a node can be reached on several ways.
    for (const run of touched) run.waitingFor = unendedDeps(run);
  }

  /** How a run that nobody has cancelled has ended. */
  outcome(): Omit<FinishCommand, 'type'> {
    const firstIn = (state: EndState): NodeRun | undefined =>
      this.#tally[state] === 0 ? undefined : [...this.#nodes.values()].find((run) => run.state === state);
    const failed = firstIn('failed');
    if (failed !== undefined) {
      const rest = this.#tally.failed === 1 ? '' : ` (and ${this.#tally.failed - 1} more)`;
      return { state: 'failed', message: `${failed.node.label}: ${failed.failure ?? 'failed'}${rest}` };
    }
    const revoked = firstIn('revoked');
    if (revoked !== undefined)
      return { state: 'revoked', message: `${revoked.node.label}: ${revoked.failure ?? 'revoked'}` };
    return { state: 'succeeded', message: '' };
  }

  /** A job of a graph has a record only from its first attempt on; until then the journal tells. */
  record(run: NodeRun, change: RecordChange): void {
    const always = this.#journal === 'none';
    if (always || run.sent || run.attempt > 1) this.#out.push({ type: 'record', node: run.node.index, change });
  }

  noteNode(run: NodeRun | null, note: JournalNote): void {
    if (this.#journal === 'none') return;
    const { message, ...rest } = note;
    const short = message === undefined ? {} : { message: message.slice(0, longestMessage) };
    this.#out.push({
      type: 'journal',
      note: { ...rest, ...(run === null ? {} : { node: run.node.index }), ...short },
    });
  }

  noteGraph(note: JournalNote): void {
    if (this.#journal === 'all') this.noteNode(null, note);
  }
}
