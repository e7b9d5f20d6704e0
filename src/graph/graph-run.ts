import type { GraphNode } from '../contract/graph.js';
import type { FaultKind } from '../contract/job.js';
import type { FailurePolicy } from '../contract/scheduling.js';
import { Dispatcher } from './dispatcher.js';
import type { FinishCommand, GraphCommand, GraphEvent, JournalNote } from './events.js';
import { limited } from './journal-notes.js';
import { hasEnded, isTriggered, itemNode, type NodeRun, type NodeState, newNodeRun, unendedDeps } from './node-run.js';
import { type Counts, type JournalScope, NodeTable } from './node-table.js';
import { afterFault } from './resubmission.js';

/**
 * The scheduling core: events in, commands out. It does no I/O, reads no clock and knows nothing of Temporal, so every
 * fan-out, skip, resubmission and cancellation is a plain function call in a test.
 *
 * A node's way: its dependencies end → its trigger rule holds → its condition (`ask`) → its countdown (`wait`) → its attempts
 * (`run`), or its items (`expand`), or nothing (a barrier) → its end. Whatever does not hold on the way skips it.
 *
 * Invariants:
 * 1. A node starts only when its trigger rule holds over nodes that have all ended.
 * 2. At most one attempt of a node runs at a time; attempt numbers grow and are never used for two attempts that may both run.
 * 3. A node ends once: `succeeded`, `failed`, `revoked` or `skipped`; nothing it reports later changes that. Only a `retry`
 *    opens it again, and then the nodes that were skipped because of it, too.
 * 4. At most `window` attempts, conditions and lists are in flight. (A chained node waits in the batch of one that is.)
 * 5. `finish` is the last command, given once, when all nodes have ended and the graph is closed.
 * 6. Each completion costs O(successors + log ready).
 * 7. Journal entries with the same type, node and attempt differ in `n`, so that a replayed decision is told from a new one.
 */
export interface GraphRunOptions {
  readonly window: number;
  /** The engine's own bound: no `limit` goes above. Absent: `window`. */
  readonly widest?: number;
  /** Absent: `finish`. */
  readonly onFailure?: FailurePolicy;
  /** It does not end before it is closed. */
  readonly open?: boolean;
  /** Absent: none. */
  readonly journal?: JournalScope;
  /** Nodes of other parts that nodes of this one depend on. */
  readonly externals?: readonly number[];
  /** Number of the first item of the first map to be expanded. */
  readonly firstItem?: number;
}

export class GraphRun {
  readonly #table: NodeTable;
  readonly #dispatcher: Dispatcher;
  readonly #options: GraphRunOptions;
  #open: boolean;
  #cancelled: string | null = null;
  /** The failure policy has stopped it. */
  #halted: string | null = null;
  #finished = false;
  /** How it ends, where that is decided outside. */
  #givenEnd: Omit<FinishCommand, 'type'> | null = null;
  /** Repeated entries about the graph as a whole: pauses, priorities. */
  #changes = 0;

  /** @param nodes of a graph that has been checked: acyclic, dependencies known. */
  constructor(nodes: readonly GraphNode[], options: GraphRunOptions) {
    this.#options = options;
    this.#open = options.open ?? false;
    this.#table = new NodeTable(nodes, options.externals ?? [], options.journal ?? 'none');
    this.#dispatcher = new Dispatcher(this.#table, options);
  }

  handle(event: GraphEvent): GraphCommand[] {
    if (this.#finished) return [];
    const table = this.#table;
    this.#take(event);
    const failed = table.takeFailed();
    if (failed !== null && this.#options.onFailure === 'stop' && this.#halted === null)
      this.#halt(`stopped, because ${failed.node.label} failed`);
    for (let run = table.released.pop(); run !== undefined; run = table.released.pop()) this.#release(run);
    this.#dispatcher.dispatch();
    if (table.counts.unended === 0 && !this.#open) this.#finish();
    return table.takeCommands();
  }

  /** State of a node, for queries and tests. */
  stateOf(node: number): NodeState {
    return this.#table.get(node).state;
  }

  /** A node, items of maps included. */
  nodeOf(node: number): GraphNode {
    return this.#table.get(node).node;
  }

  /** Why a node has not succeeded, for people. */
  failureOf(node: number): string | null {
    return this.#table.get(node).failure;
  }

  /** How many nodes have ended in each way, and how many have not. */
  get counts(): Counts {
    return this.#table.counts;
  }

  /** Sends the node that may travel behind `node`; see {@link Dispatcher.chainBehind}. */
  chainBehind(node: number, fits: (next: GraphNode) => boolean): GraphCommand[] {
    this.#dispatcher.chainBehind(this.#table.get(node), fits);
    return this.#table.takeCommands();
  }

  #take(event: GraphEvent): void {
    switch (event.type) {
      case 'start':
        this.#table.noteGraph({ type: 'started', count: this.#table.counts.unended });
        for (const run of this.#table.all())
          if (run.state === 'blocked' && run.waitingFor === 0) this.#table.released.push(run);
        return;
      case 'due': {
        const run = this.#table.get(event.node);
        if (run.state !== 'delayed') return;
        run.waited = true;
        this.#proceed(run);
        return;
      }
      case 'succeeded': {
        const run = this.#landed(event.node, 'running');
        if (run !== null) this.#table.end(run, 'succeeded');
        return;
      }
      case 'faulted':
        this.#faulted(event.node, event.fault, event.message);
        return;
      case 'returned':
        this.#returned(event.node, event.fenced === true);
        return;
      case 'not-started': {
        const run = this.#landed(event.node, 'running');
        if (run !== null) this.#notStarted(run, event.served);
        return;
      }
      case 'answered': {
        const run = this.#landed(event.node, 'asking');
        if (run === null) return;
        run.asked = true;
        if (run.stopping !== null) this.#revoke(run, run.stopping);
        else if (event.yes) this.#proceed(run);
        else if (unendedDeps(run) > 0) this.#block(run);
        else this.#skip(run, 'not run: its condition is false');
        return;
      }
      case 'expanded': {
        const run = this.#landed(event.node, 'expanding');
        if (run !== null) this.#expanded(run, event.count);
        return;
      }
      case 'cancel':
        this.#cancel(event.node, event.reason);
        return;
      case 'halt':
        this.#halt(event.reason);
        return;
      case 'add':
        if (this.#open) this.#add(event.nodes, event.refused ?? null);
        return;
      case 'close':
        if (this.#open) this.#table.noteGraph({ type: 'closed' });
        this.#open = false;
        this.#givenEnd = event.end ?? null;
        return;
      case 'pause':
      case 'resume':
        if (this.#dispatcher.paused === (event.type === 'pause')) return;
        this.#dispatcher.paused = event.type === 'pause';
        this.#table.noteGraph({ type: this.#dispatcher.paused ? 'paused' : 'resumed', n: this.#changes++ });
        return;
      case 'retry':
        this.#retry(event.node);
        return;
      case 'priority':
        this.#prioritise(event.node, event.priority);
        return;
      case 'window':
        this.#dispatcher.window = event.window;
        return;
      case 'limit': {
        const widest = this.#options.widest ?? this.#options.window;
        this.#dispatcher.window = Math.min(widest, event.max ?? widest);
        this.#table.noteGraph(limited(event.max, this.#changes++));
        return;
      }
      case 'settled': {
        const run = this.#table.get(event.node);
        if (run.state !== 'external') return;
        run.state = event.state;
        this.#table.tellSuccessors(run);
        return;
      }
      case 'unsettled': {
        const run = this.#table.get(event.node);
        if (!hasEnded(run)) return;
        run.state = 'external';
        this.#table.blockSuccessors(run);
        return;
      }
    }
  }

  #add(nodes: readonly GraphNode[], refused: string | null): void {
    const known = new Set(nodes.map((node) => node.index));
    const isSound = ({ deps }: GraphNode): boolean =>
      deps.every((dep) => known.has(dep) || this.#table.find(dep) !== undefined);
    // The API has checked them. Should one slip through, it must not keep the graph open for ever.
    const unsound = new Set(nodes.filter((node) => !isSound(node)).map(({ index }) => index));
    const added = this.#table.register(nodes.map((node) => (unsound.has(node.index) ? { ...node, deps: [] } : node)));
    const first = added[0];
    if (first === undefined) return;
    this.#table.noteGraph({ type: 'added', node: first.node.index, count: added.length });
    for (const run of added) {
      const reason = unsound.has(run.node.index) ? 'it depends on a node that the graph does not have' : refused;
      if (this.#halted !== null) this.#revoke(run, this.#halted);
      else if (reason !== null) this.#table.end(run, 'failed', reason);
      else if (run.waitingFor === 0) this.#table.released.push(run);
    }
  }

  /** What was in flight has come back: the node, or null when it has ended already (invariant 3). */
  #landed(index: number, ...from: ('running' | 'asking' | 'expanding')[]): NodeRun | null {
    const run = this.#table.get(index);
    if (!from.some((state) => state === run.state)) return null;
    this.#table.inFlight -= 1;
    return run;
  }

  #faulted(index: number, fault: FaultKind, message: string): void {
    const state = this.#table.get(index).state;
    const run = this.#landed(index, 'running', 'asking', 'expanding');
    if (run === null) return;
    // Whatever ends a script that was told to stop, it was stopped. An attempt that had begun has said so in the record,
    // one that waited in a queue has not: the write is skipped where the record has an end.
    if (run.stopping !== null) return this.#revoke(run, run.stopping);
    if (state !== 'running') return this.#table.end(run, 'failed', message, fault);
    const next = afterFault({ ...run, retry: run.node.retry }, fault);
    if (next.kind === 'again') {
      const { attempt } = run;
      run.queue = next.queue;
      run.timeLimit = next.timeLimit;
      run.retriesUsed = next.retriesUsed;
      run.lossesUsed = next.lossesUsed;
      run.rescued = next.rescue;
      this.#table.noteNode(run, { type: 'retrying', attempt, fault, message, queue: next.queue });
      // An attempt that is alive has written its own end; a lost one cannot.
      if (fault === 'lost') this.#table.record(run, { kind: 'lost', attempt, message, nextQueue: next.queue });
      run.attempt += 1;
      return this.#dispatcher.makeReady(run, 'run');
    }
    if (fault === 'lost') this.#table.record(run, { kind: 'failed', attempt: run.attempt, message });
    if (next.kind === 'revoked') return this.#revoke(run, message);
    this.#table.end(run, next.kind, message, fault);
  }

  #returned(index: number, fenced: boolean): void {
    const chained = this.#table.get(index);
    const run = chained.state === 'chained' ? chained : this.#landed(index, 'running');
    if (run === null) return;
    run.returns += 1;
    this.#table.noteNode(run, { type: 'returned', attempt: run.attempt, n: run.returns });
    if (fenced) run.attempt += 1;
    if (run.stopping !== null) this.#revoke(run, run.stopping);
    else if (run.state === 'chained') run.state = 'blocked';
    else this.#dispatcher.makeReady(run, 'run');
  }

  #notStarted(run: NodeRun, served: boolean): void {
    if (run.stopping !== null) return this.#revoke(run, run.stopping);
    if (!run.rescued) return this.#revoke(run, 'expired');
    if (!served) {
      run.queue = run.node.queue;
      this.#table.record(run, { kind: 'moved', queue: run.queue });
    }
    // Served but busy: it keeps its place in the rescue queue and waits for as long as it takes.
    run.rescued = false;
    run.returns += 1;
    this.#dispatcher.makeReady(run, 'run');
  }

  #expanded(run: NodeRun, count: number): void {
    if (run.stopping !== null) return this.#revoke(run, run.stopping);
    const first = run.firstItem as number;
    this.#table.noteNode(run, { type: 'mapped', first, count, n: run.revivals });
    run.state = 'mapped';
    const items = Array.from({ length: count }, (_, at) => {
      const item = newNodeRun(itemNode(run.node, first + at, at), { map: run, at });
      item.height = run.height;
      item.priority = run.priority;
      return item;
    });
    this.#table.addItems(run, items);
    if (count === 0) this.#table.end(run, 'succeeded');
    else for (const item of items) this.#dispatcher.makeReady(item, 'run');
  }

  #cancel(only: number | null, reason: string): void {
    if (only !== null) {
      // A request may name a node that has not been loaded, or never was there.
      const run = this.#table.find(only);
      if (run !== undefined) for (const one of [run, ...(run.items ?? [])]) this.#stop(one, reason);
      return;
    }
    this.#cancelled = reason;
    this.#open = false;
    this.#halt(reason);
  }

  #halt(reason: string): void {
    this.#halted = reason;
    for (const run of this.#table.all()) this.#stop(run, reason);
    // A map that fails now, as the last of its items is stopped, is no reason to halt again after a retry.
    this.#table.takeFailed();
  }

  #stop(run: NodeRun, reason: string): void {
    switch (run.state) {
      case 'blocked':
      case 'delayed':
      case 'ready':
        this.#revoke(run, reason);
        break;
      case 'running':
      case 'chained':
        if (run.stopping === null) this.#table.push({ type: 'stop', node: run.node.index });
        run.stopping ??= reason;
        break;
      case 'asking':
      case 'expanding':
      case 'mapped':
        // A quick answer, or the items, come first: then it ends.
        run.stopping ??= reason;
        break;
      default:
        break;
    }
  }

  #revoke(run: NodeRun, reason: string): void {
    this.#table.record(run, { kind: 'revoked', message: reason });
    this.#table.end(run, 'revoked', reason);
  }

  #skip(run: NodeRun, message: string): void {
    this.#table.record(run, { kind: 'revoked', message });
    this.#table.end(run, 'skipped', message);
  }

  /** All dependencies of a node have ended. */
  #release(run: NodeRun): void {
    if (run.state !== 'blocked' || run.waitingFor > 0) return; // cancelled, or a dependency runs again
    if (run.stopping !== null) this.#revoke(run, run.stopping);
    else if (isTriggered(run)) this.#proceed(run);
    else this.#skip(run, `not run: its dependencies did not meet "${run.node.trigger}"`);
  }

  /** A dependency was sent to run again while the condition was looked at: it is asked again then. */
  #block(run: NodeRun): void {
    run.state = 'blocked';
    run.asked = false;
    run.waitingFor = unendedDeps(run);
  }

  /** The next step of a node whose rule holds. */
  #proceed(run: NodeRun): void {
    const { node } = run;
    if (node.conditional === true && !run.asked) this.#dispatcher.makeReady(run, 'ask');
    else if (node.countdown > 0 && !run.waited) {
      run.state = 'delayed';
      this.#table.push({ type: 'wait', node: node.index, seconds: node.countdown });
    } else if (node.kind === 'barrier') this.#table.end(run, 'succeeded');
    else this.#dispatcher.makeReady(run, node.map === undefined ? 'run' : 'expand');
  }

  #retry(only: number | null): void {
    if (this.#cancelled !== null) return;
    this.#halted = null;
    const chosen = only === null ? [...this.#table.all()] : [this.#table.find(only)];
    for (const run of chosen) {
      if (run === undefined || run.isExternal) continue;
      // A map that has been expanded runs again as its items do.
      for (const one of run.items ?? [run]) if (one.state === 'failed' || one.state === 'revoked') this.#revive(one);
    }
  }

  #revive(run: NodeRun): void {
    this.#table.unend(run, 'blocked');
    const { node } = run;
    run.queue = node.queue;
    run.timeLimit = node.timeLimit;
    run.retriesUsed = 0;
    run.lossesUsed = 0;
    run.rescued = false;
    if (run.sent) {
      run.attempt += 1;
      run.sent = false;
      this.#table.push({
        type: 'record',
        node: node.index,
        change: { kind: 'revived', attempt: run.attempt, queue: run.queue },
      });
    }
    this.#table.blockSuccessors(run);
  }

  #prioritise(only: number | null, priority: number): void {
    const run = only === null ? undefined : this.#table.find(only);
    if (only !== null && run === undefined) return;
    const note: JournalNote = { type: 'priority', priority, n: this.#changes++ };
    if (run === undefined) this.#table.noteGraph(note);
    else this.#table.noteNode(run, note);
    const chosen = run === undefined ? this.#table.all() : [run, ...(run.items ?? [])];
    for (const one of chosen) {
      if (hasEnded(one)) continue;
      one.priority = priority;
      if (one.state === 'ready') this.#dispatcher.reorder(one);
    }
  }

  #outcome(): Omit<FinishCommand, 'type'> {
    const cut = this.#table.counts.revoked > 0 || this.#options.open === true;
    return this.#cancelled !== null && cut ? { state: 'revoked', message: this.#cancelled } : this.#table.outcome();
  }

  #finish(): void {
    this.#finished = true;
    const { state, message } = this.#givenEnd ?? this.#outcome();
    this.#table.noteGraph({ type: 'ended', state, ...(message === '' ? {} : { message }) });
    this.#table.push({ type: 'finish', state, message });
  }
}
