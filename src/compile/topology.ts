/** The shape of a graph, in linear time. Nodes are positions; `deps[i]` are the positions that node i waits for. */
export interface Topology {
  /** All nodes, each after those it waits for; without those that are in a cycle or behind one. */
  readonly order: readonly number[];
  /** By position: the length of the longest way to it, from 0. */
  readonly level: readonly number[];
  /** Nodes in cycles, each cycle in the order of its edges (a node waits for the next one); one for each knot at least. */
  readonly cycles: readonly (readonly number[])[];
}

export function topologyOf(deps: readonly (readonly number[])[]): Topology {
  const waiting = deps.map((list) => list.length);
  const followers: number[][] = deps.map(() => []);
  for (const [node, list] of deps.entries()) for (const dep of list) followers[dep]?.push(node);
  const level = deps.map(() => 0);
  const order = [...waiting.keys()].filter((node) => waiting[node] === 0);
  for (const node of order) {
    for (const follower of followers[node] as number[]) {
      level[follower] = Math.max(level[follower] as number, (level[node] as number) + 1);
      waiting[follower] = (waiting[follower] as number) - 1;
      if (waiting[follower] === 0) order.push(follower);
    }
  }
  return { order, level, cycles: order.length === deps.length ? [] : cyclesAmong(deps, waiting) };
}

/** Whoever is left waits for another one that is left: following that leads into a cycle. */
function cyclesAmong(deps: readonly (readonly number[])[], waiting: readonly number[]): number[][] {
  const isLeft = (node: number) => (waiting[node] as number) > 0;
  const cycles: number[][] = [];
  /** The walk that came by. */
  const walks = new Map<number, number>();
  for (const start of deps.keys()) {
    if (!isLeft(start) || walks.has(start)) continue;
    const way: number[] = [];
    let node: number | undefined = start;
    while (node !== undefined && !walks.has(node)) {
      walks.set(node, start);
      way.push(node);
      node = deps[node]?.find(isLeft);
    }
    // A walk that meets an earlier one leads to a cycle that is known.
    if (node !== undefined && walks.get(node) === start) cycles.push(way.slice(way.indexOf(node)));
  }
  return cycles;
}

/** One of the longest ways through the graph, first node first. */
export function longestWay(deps: readonly (readonly number[])[], { order, level }: Topology): number[] {
  let last = order[0];
  for (const node of order) if ((level[node] as number) > (level[last as number] as number)) last = node;
  const way: number[] = [];
  for (let node = last; node !== undefined; ) {
    way.push(node);
    const before: number = (level[node] as number) - 1;
    node = deps[node]?.find((dep) => level[dep] === before);
  }
  return way.reverse();
}
