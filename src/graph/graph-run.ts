import type { GraphInput, GraphNode } from '../contract/graph.js';
import type { FaultKind } from '../contract/job.js';
import { Heap } from './heap.js';
import type { RecordChange } from './record-change.js';
import { afterFault } from './resubmission.js';

/**
 * The scheduling core: events in, commands out. It does no I/O, reads no clock and knows nothing of Temporal, so every
 * fan-out, skip, resubmission and cancellation is a plain function call in a test.
 *
 * Invariants:
 * 1. A node starts only when its trigger rule holds over nodes that have all ended.
 * 2. At most one attempt of a node runs at a time; attempt numbers grow by one and are never used twice.
 * 3. A node ends once: `succeeded`, `failed`, `revoked` or `skipped`; nothing it reports later changes that.
 * 4. At most `window` attempts are in flight.
 * 5. `finish` is the last command, given when the last node has ended, and given once.
 * 6. Each completion costs O(successors + log ready).
 */

export type EndState = 'succeeded' | 'failed' | 'revoked' | 'skipped';
type NodeState = 'blocked' | 'delayed' | 'ready' | 'running' | EndState;

export type GraphEvent =
  | { readonly type: 'start' }
  /** The countdown of a node has passed. */
  | { readonly type: 'due'; readonly node: number }
  | { readonly type: 'succeeded'; readonly node: number }
  | { readonly type: 'faulted'; readonly node: number; readonly fault: FaultKind; readonly message: string }
  /** A worker gave the attempt back untouched: its slots were taken meanwhile. */
  | { readonly type: 'returned'; readonly node: number }
  /** Nobody started it in the time given by `startWithin`. `served`: somebody polls its queue. */
  | { readonly type: 'not-started'; readonly node: number; readonly served: boolean }
  /** A request to stop one node, or all. */
  | { readonly type: 'cancel'; readonly node: number | null; readonly reason: string };

export type GraphCommand =
  | { readonly type: 'wait'; readonly node: number; readonly seconds: number }
  | {
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
    }
  /** End the running attempt; a `faulted` with `cancelled` follows (or a `succeeded`, if it was quicker). */
  | { readonly type: 'stop'; readonly node: number }
  /** Write what only the interpreter knows into the job's record. */
  | { readonly type: 'record'; readonly node: number; readonly change: RecordChange }
  | { readonly type: 'ended'; readonly node: number; readonly state: EndState }
  | { readonly type: 'finish'; readonly state: 'succeeded' | 'failed' | 'revoked'; readonly message: string };

interface NodeRun {
  readonly node: GraphNode;
  readonly successors: number[];
  /** Longest chain of nodes that wait for this one: those with more go first. */
  height: number;
  state: NodeState;
  waitingFor: number;
  attempt: number;
  queue: string;
  timeLimit: number | null;
  retriesUsed: number;
  lossesUsed: number;
  /** Rescued to a queue that may have no worker. */
  rescued: boolean;
  /** Given back by a worker: goes first next time, since it has waited already. */
  returned: boolean;
  stopping: string | null;
  failure: string | null;
}

export interface GraphRunOptions {
  readonly window: number;
}

export class GraphRun {
  readonly #nodes = new Map<number, NodeRun>();
  readonly #ready: Heap<NodeRun>;
  readonly #window: number;
  /** Nodes whose dependencies have all ended: a list, not recursion, since a skipped chain can be thousands long. */
  readonly #released: NodeRun[] = [];
  #inFlight = 0;
  #open: number;
  #cancelled: string | null = null;

  /** @param input a graph that has been checked: dense, acyclic, dependencies known. */
  constructor(input: GraphInput, options: GraphRunOptions) {
    this.#window = options.window;
    this.#open = input.nodes.length;
    this.#ready = new Heap<NodeRun>((a, b) => goesBefore(a, b));
    for (const node of input.nodes) this.#nodes.set(node.index, newNodeRun(node));
    for (const node of input.nodes) for (const dep of node.deps) this.#get(dep).successors.push(node.index);
    this.#measureHeights(input.nodes);
  }

  handle(event: GraphEvent): GraphCommand[] {
    const out: GraphCommand[] = [];
    switch (event.type) {
      case 'start':
        for (const run of this.#nodes.values()) if (run.waitingFor === 0) this.#released.push(run);
        break;
      case 'due': {
        const run = this.#get(event.node);
        if (run.state === 'delayed') this.#makeReady(run);
        break;
      }
      case 'succeeded': {
        const run = this.#landed(event.node);
        if (run !== null) this.#end(run, 'succeeded', out);
        break;
      }
      case 'faulted': {
        const run = this.#landed(event.node);
        if (run !== null) this.#faulted(run, event.fault, event.message, out);
        break;
      }
      case 'returned': {
        const run = this.#landed(event.node);
        if (run === null) break;
        if (run.stopping !== null) this.#revoke(run, run.stopping, out);
        else {
          run.returned = true;
          this.#makeReady(run);
        }
        break;
      }
      case 'not-started': {
        const run = this.#landed(event.node);
        if (run !== null) this.#notStarted(run, event.served, out);
        break;
      }
      case 'cancel':
        this.#cancel(event.node, event.reason, out);
        break;
    }
    for (let run = this.#released.pop(); run !== undefined; run = this.#released.pop()) this.#release(run, out);
    this.#dispatch(out);
    return out;
  }

  /** State of a node, for queries and tests. */
  stateOf(node: number): NodeState {
    return this.#get(node).state;
  }

  #get(index: number): NodeRun {
    const run = this.#nodes.get(index);
    if (run === undefined) throw new RangeError(`the graph has no node ${index}`);
    return run;
  }

  /** An attempt has come back: the node, or null when it has ended already (invariant 3). */
  #landed(index: number): NodeRun | null {
    const run = this.#get(index);
    if (run.state !== 'running') return null;
    this.#inFlight -= 1;
    return run;
  }

  #faulted(run: NodeRun, fault: FaultKind, message: string, out: GraphCommand[]): void {
    // Whatever ends a script that was told to stop, it was stopped. An attempt that had begun has said so in the record,
    // one that waited in a queue has not: the write is skipped where the record has an end.
    if (run.stopping !== null) return this.#revoke(run, run.stopping, out);
    const next = afterFault({ ...run, retry: run.node.retry }, fault);
    if (next.kind === 'again') {
      run.queue = next.queue;
      run.timeLimit = next.timeLimit;
      run.retriesUsed = next.retriesUsed;
      run.lossesUsed = next.lossesUsed;
      run.rescued = next.rescue;
      // An attempt that is alive has written its own end; a lost one cannot.
      if (fault === 'lost')
        out.push({
          type: 'record',
          node: run.node.index,
          change: { kind: 'lost', attempt: run.attempt, message, nextQueue: next.queue },
        });
      run.attempt += 1;
      this.#makeReady(run);
      return;
    }
    if (fault === 'lost')
      out.push({ type: 'record', node: run.node.index, change: { kind: 'failed', attempt: run.attempt, message } });
    if (next.kind === 'revoked') return this.#revoke(run, message, out);
    this.#end(run, next.kind, out, message);
  }

  #notStarted(run: NodeRun, served: boolean, out: GraphCommand[]): void {
    if (run.stopping !== null) return this.#revoke(run, run.stopping, out);
    if (run.rescued) {
      if (!served) {
        run.queue = run.node.queue;
        out.push({ type: 'record', node: run.node.index, change: { kind: 'moved', queue: run.queue } });
      }
      // Served but busy: it keeps its place in the rescue queue and waits for as long as it takes.
      run.rescued = false;
      this.#makeReady(run);
      return;
    }
    this.#revoke(run, 'expired', out);
  }

  #cancel(only: number | null, reason: string, out: GraphCommand[]): void {
    if (only === null) this.#cancelled = reason;
    const targets = only === null ? [...this.#nodes.values()] : [this.#get(only)];
    for (const run of targets) {
      switch (run.state) {
        case 'blocked':
        case 'delayed':
        case 'ready':
          this.#revoke(run, reason, out);
          break;
        case 'running':
          if (run.stopping === null) {
            run.stopping = reason;
            out.push({ type: 'stop', node: run.node.index });
          }
          break;
        default:
          break;
      }
    }
  }

  #revoke(run: NodeRun, reason: string, out: GraphCommand[]): void {
    out.push({ type: 'record', node: run.node.index, change: { kind: 'revoked', message: reason } });
    this.#end(run, 'revoked', out, reason);
  }

  #end(run: NodeRun, state: EndState, out: GraphCommand[], message: string | null = null): void {
    run.state = state;
    run.failure = message;
    this.#open -= 1;
    out.push({ type: 'ended', node: run.node.index, state });
    for (const index of run.successors) {
      const successor = this.#get(index);
      successor.waitingFor -= 1;
      if (successor.waitingFor === 0 && successor.state === 'blocked') this.#released.push(successor);
    }
    if (this.#open === 0) out.push(this.#finish());
  }

  /** All dependencies of a node have ended: it starts, waits for its countdown, or is skipped. */
  #release(run: NodeRun, out: GraphCommand[]): void {
    if (run.state !== 'blocked') return; // cancelled meanwhile
    if (!this.#triggered(run)) {
      out.push({
        type: 'record',
        node: run.node.index,
        change: { kind: 'revoked', message: `not run: its dependencies did not meet "${run.node.trigger}"` },
      });
      this.#end(run, 'skipped', out);
      return;
    }
    if (run.node.countdown > 0) {
      run.state = 'delayed';
      out.push({ type: 'wait', node: run.node.index, seconds: run.node.countdown });
      return;
    }
    this.#makeReady(run);
  }

  #triggered(run: NodeRun): boolean {
    const deps = run.node.deps.map((dep) => this.#get(dep).state);
    switch (run.node.trigger) {
      case 'all_succeeded':
        return deps.every((state) => state === 'succeeded');
      case 'all_done':
        return true;
      case 'any_failed':
        return deps.some((state) => state === 'failed');
    }
  }

  #makeReady(run: NodeRun): void {
    run.state = 'ready';
    this.#ready.push(run);
  }

  #dispatch(out: GraphCommand[]): void {
    while (this.#inFlight < this.#window) {
      const run = this.#ready.pop();
      if (run === undefined) return;
      if (run.state !== 'ready') continue; // cancelled while it waited in the heap
      run.state = 'running';
      this.#inFlight += 1;
      out.push({
        type: 'run',
        node: run.node.index,
        attempt: run.attempt,
        queue: run.queue,
        timeLimit: run.timeLimit,
        retriesUsed: run.retriesUsed,
        lossesUsed: run.lossesUsed,
        priority: run.returned ? 1 : run.node.priority,
        startWithin: run.rescued ? run.node.retry.rescueWait : run.attempt === 1 ? run.node.expires : null,
      });
    }
  }

  #finish(): GraphCommand {
    const runs = [...this.#nodes.values()];
    const failed = runs.filter((run) => run.state === 'failed');
    if (this.#cancelled !== null && runs.some((run) => run.state === 'revoked')) {
      return { type: 'finish', state: 'revoked', message: this.#cancelled };
    }
    if (failed.length > 0) {
      const first = failed[0] as NodeRun;
      const rest = failed.length === 1 ? '' : ` (and ${failed.length - 1} more)`;
      return { type: 'finish', state: 'failed', message: `${first.node.label}: ${first.failure ?? 'failed'}${rest}` };
    }
    const revoked = runs.find((run) => run.state === 'revoked');
    if (revoked !== undefined)
      return { type: 'finish', state: 'revoked', message: `${revoked.node.label}: ${revoked.failure ?? 'revoked'}` };
    return { type: 'finish', state: 'succeeded', message: '' };
  }

  #measureHeights(nodes: readonly GraphNode[]): void {
    const waiting = new Map<number, number>();
    const leaves: NodeRun[] = [];
    for (const node of nodes) {
      const run = this.#get(node.index);
      waiting.set(node.index, run.successors.length);
      if (run.successors.length === 0) leaves.push(run);
    }
    for (let run = leaves.pop(); run !== undefined; run = leaves.pop()) {
      for (const dep of run.node.deps) {
        const above = this.#get(dep);
        above.height = Math.max(above.height, run.height + 1);
        const left = (waiting.get(dep) as number) - 1;
        waiting.set(dep, left);
        if (left === 0) leaves.push(above);
      }
    }
  }
}

function newNodeRun(node: GraphNode): NodeRun {
  return {
    node,
    successors: [],
    height: 0,
    state: 'blocked',
    waitingFor: node.deps.length,
    attempt: 1,
    queue: node.queue,
    timeLimit: node.timeLimit,
    retriesUsed: 0,
    lossesUsed: 0,
    rescued: false,
    ...node.resume,
    returned: false,
    stopping: null,
    failure: null,
  };
}

function goesBefore(a: NodeRun, b: NodeRun): boolean {
  if (a.returned !== b.returned) return a.returned;
  if (a.node.priority !== b.node.priority) return a.node.priority < b.node.priority;
  if (a.height !== b.height) return a.height > b.height;
  return a.node.index < b.node.index;
}
