import type { GraphNode } from '../contract/graph.js';
import type { EndState } from './events.js';

/** One node while its graph runs. Only `GraphRun` changes it. */

export type NodeState =
  | 'blocked' // waits for dependencies, or for its turn in the same event
  | 'delayed' // waits for its countdown
  | 'ready' // waits for room in the window
  | 'asking' // its condition is being evaluated
  | 'expanding' // its list is being evaluated
  | 'running' // an attempt is in flight
  | 'chained' // sent along in the batch of the node before it, which has not ended yet
  | 'mapped' // waits for its items
  | 'external' // its end is decided elsewhere
  | EndState;

/** What a ready node is ready for. */
export type Step = 'ask' | 'expand' | 'run';

export interface NodeRun {
  readonly node: GraphNode;
  readonly deps: NodeRun[];
  readonly successors: NodeRun[];
  /** Its end is decided elsewhere, whatever its state. */
  readonly isExternal: boolean;
  /** For an item: the map node it came from, and its place. */
  readonly origin: { readonly map: NodeRun; readonly at: number } | null;
  /** Longest chain of nodes that wait for this one: those with more go first. */
  height: number;
  state: NodeState;
  /** Dependencies that have not ended; kept for blocked and chained nodes only. */
  waitingFor: number;
  step: Step;
  /** Which of its entries in the ready queue counts: older ones are dropped. */
  ticket: number;
  priority: number;
  /** Its condition has been answered, its countdown has passed. */
  asked: boolean;
  waited: boolean;
  attempt: number;
  /** An attempt of this number has been sent. */
  sent: boolean;
  queue: string;
  timeLimit: number | null;
  retriesUsed: number;
  lossesUsed: number;
  /** Rescued to a queue that may have no worker. */
  rescued: boolean;
  /** How often a worker gave it back: such a node goes before its equals next time, since it has waited already. */
  returns: number;
  /** How often it ran again on request. */
  revivals: number;
  stopping: string | null;
  failure: string | null;
  /** Of a map node: number of its first item, its items once expanded, and how many of them have not ended. */
  firstItem: number | null;
  items: NodeRun[] | null;
  itemsLeft: number;
}

export function newNodeRun(node: GraphNode, origin: NodeRun['origin'] = null): NodeRun {
  return {
    node,
    deps: [],
    successors: [],
    isExternal: false,
    origin,
    height: 0,
    state: 'blocked',
    waitingFor: 0,
    step: 'run',
    ticket: 0,
    priority: node.priority,
    asked: false,
    waited: false,
    attempt: 1,
    sent: node.resume !== undefined,
    queue: node.queue,
    timeLimit: node.timeLimit,
    retriesUsed: 0,
    lossesUsed: 0,
    rescued: false,
    ...node.resume,
    returns: 0,
    revivals: 0,
    stopping: null,
    failure: null,
    firstItem: null,
    items: null,
    itemsLeft: 0,
  };
}

/** A node whose end is decided elsewhere: another part of the graph. */
export function externalNode(index: number): NodeRun {
  const retry = { maxRetries: 0, maxLosses: 0, rescueQueue: '', rescueTimeLimit: null, rescueWait: 1 };
  const node: GraphNode = {
    index,
    label: `node ${index}`,
    queue: '',
    timeLimit: null,
    countdown: 0,
    expires: null,
    priority: 3,
    retry,
    deps: [],
    trigger: 'all_done',
    hasCallback: false,
  };
  return { ...newNodeRun(node), isExternal: true, state: 'external' };
}

export function hasEnded(run: NodeRun): boolean {
  return isEnd(run.state);
}

function isEnd(state: NodeState): state is EndState {
  return state === 'succeeded' || state === 'failed' || state === 'revoked' || state === 'skipped';
}

export function unendedDeps({ deps }: NodeRun): number {
  return deps.reduce((count, dep) => (hasEnded(dep) ? count : count + 1), 0);
}

/** Whether a node whose dependencies have all ended is to run. */
export function isTriggered({ node, deps }: NodeRun): boolean {
  switch (node.trigger) {
    case 'all_succeeded':
      return deps.every((dep) => dep.state === 'succeeded');
    case 'all_done':
      return true;
    case 'any_failed':
      return deps.some((dep) => dep.state === 'failed');
  }
}

/** The node that an item of a map runs as: the map's own, without what the map has been through already. */
export function itemNode(map: GraphNode, index: number, at: number): GraphNode {
  const { map: _map, conditional: _conditional, ...node } = map;
  return { ...node, index, label: `${map.label} [${at}]`, countdown: 0, deps: [], trigger: 'all_done' };
}

/** How a map node ends when its items have: as the worst of them. */
export function endOfMap(run: NodeRun): { readonly state: EndState; readonly message: string | null } {
  const items = run.items ?? [];
  const failed = items.filter((item) => item.state === 'failed');
  if (failed.length > 0) {
    const message = `${failed.length} of ${items.length} items failed, first ${failed[0]?.node.label}: ${failed[0]?.failure ?? 'failed'}`;
    return { state: 'failed', message };
  }
  const revoked = items.find((item) => item.state === 'revoked');
  if (revoked !== undefined) return { state: 'revoked', message: run.stopping ?? revoked.failure };
  return { state: 'succeeded', message: null };
}

/**
 * Gives each of `runs` the length of the longest chain behind it, as far as that lies within `runs`: nodes that come
 * later do not change the order of those that are waiting already.
 */
export function measureHeights(runs: readonly NodeRun[]): void {
  const waiting = new Map<NodeRun, number>(runs.map((run) => [run, 0]));
  for (const run of runs)
    for (const dep of run.deps) {
      const successors = waiting.get(dep);
      if (successors !== undefined) waiting.set(dep, successors + 1);
    }
  const leaves = runs.filter((run) => waiting.get(run) === 0);
  for (let run = leaves.pop(); run !== undefined; run = leaves.pop()) {
    for (const dep of run.deps) {
      const left = waiting.get(dep);
      if (left === undefined) continue;
      dep.height = Math.max(dep.height, run.height + 1);
      waiting.set(dep, left - 1);
      if (left === 1) leaves.push(dep);
    }
  }
}
