import type { GraphNode } from '../contract/graph.js';
import { Heap } from './heap.js';

/**
 * Cuts a graph that is too large for one run into parts, in topological order: a part waits only for parts before it, so
 * the first one that has not ended can always go on.
 */

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

export function cutGraph(nodes: readonly Pick<GraphNode, 'index' | 'deps'>[], size: number): Cut {
  const order = topologicalOrder(nodes);
  const partOf = new Map(order.map((index, at) => [index, Math.floor(at / size)]));
  const parts: Part[] = [];
  for (let at = 0; at < order.length; at += size) {
    const members = order.slice(at, at + size).sort((a, b) => a - b);
    parts.push({ stretches: stretches(members), nodes: members.length });
  }
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
function topologicalOrder(nodes: readonly Pick<GraphNode, 'index' | 'deps'>[]): number[] {
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
