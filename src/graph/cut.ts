import type { GraphNode } from '../contract/graph.js';
import { Heap } from './heap.js';

/**
 * Cuts a graph that is too large for one run into parts, in topological order: a part waits only for parts before it, so
 * the first one that has not ended can always go on. Large is what may come of it: a map counts as all its items.
 */

type Member = Pick<GraphNode, 'index' | 'deps' | 'map'>;

/** How many jobs may come of a node. */
export function weightOf({ map }: Pick<GraphNode, 'map'>): number {
  return 1 + (map?.max ?? 0);
}

export interface Part {
  /** Its nodes, as stretches of numbers: first and count. */
  readonly stretches: readonly (readonly [first: number, count: number])[];
  readonly nodes: number;
}

export interface Cut {
  readonly parts: readonly Part[];
  /** The part of each node. */
  readonly partOf: ReadonlyMap<number, number>;
  /** Parts, other than its own, with nodes that depend on a node. */
  readonly waiting: ReadonlyMap<number, readonly number[]>;
}

/** @param size weight of a part at most; a node that is heavier is a part by itself */
export function cutGraph(nodes: readonly Member[], size: number): Cut {
  const weights = new Map(nodes.map((node) => [node.index, weightOf(node)]));
  const members: number[][] = [];
  const partOf = new Map<number, number>();
  let room = 0;
  for (const index of topologicalOrder(nodes)) {
    const weight = weights.get(index) as number;
    if (weight > room) {
      members.push([]);
      room = size;
    }
    room -= weight;
    members.at(-1)?.push(index);
    partOf.set(index, members.length - 1);
  }
  const parts = members.map((part): Part => {
    const sorted = part.toSorted((a, b) => a - b);
    return { stretches: stretches(sorted), nodes: sorted.length };
  });
  const waiting = new Map<number, number[]>();
  for (const { index, deps } of nodes) {
    const part = partOf.get(index) as number;
    for (const dep of deps) {
      if (partOf.get(dep) === part) continue;
      const parts = waiting.get(dep) ?? [];
      waiting.set(dep, parts);
      if (!parts.includes(part)) parts.push(part);
    }
  }
  return { parts, partOf, waiting };
}

/** The order that keeps closest to the numbers: nodes that are written down one after another tend to belong together. */
function topologicalOrder(nodes: readonly Member[]): number[] {
  const successors = new Map<number, number[]>(nodes.map(({ index }) => [index, []]));
  const waitingFor = new Map<number, number>();
  const free = new Heap<number>((a, b) => a < b);
  for (const { index, deps } of nodes) {
    waitingFor.set(index, deps.length);
    for (const dep of deps) successors.get(dep)?.push(index);
    if (deps.length === 0) free.push(index);
  }
  const order: number[] = [];
  for (let index = free.pop(); index !== undefined; index = free.pop()) {
    order.push(index);
    for (const successor of successors.get(index) ?? []) {
      const left = (waitingFor.get(successor) as number) - 1;
      waitingFor.set(successor, left);
      if (left === 0) free.push(successor);
    }
  }
  return order;
}

function stretches(sorted: readonly number[]): [number, number][] {
  const found: [number, number][] = [];
  for (const index of sorted) {
    const last = found.at(-1);
    if (last !== undefined && last[0] + last[1] === index) last[1] += 1;
    else found.push([index, 1]);
  }
  return found;
}
