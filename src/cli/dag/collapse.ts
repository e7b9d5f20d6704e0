import type { RailNode } from './rails.js';

/** A line of the drawing: one node, or several that stand in the same place of the graph. */
export interface Drawn<N extends RailNode> extends RailNode {
  readonly members: readonly N[];
}

/** Siblings from so many on become one line. */
const fewest = 3;

function push<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

/** Each node a line of its own. */
export function apart<N extends RailNode>(nodes: readonly N[]): Drawn<N>[] {
  return nodes.map((node) => ({ id: node.id, deps: node.deps, members: [node] }));
}

/** Nodes that wait for the same nodes, and for which the same nodes wait, as one line: a fan of a thousand is one. */
export function together<N extends RailNode>(nodes: readonly N[]): Drawn<N>[] {
  const children = new Map<string, string[]>();
  for (const { id, deps } of nodes) for (const dep of deps) push(children, dep, id);
  const groups = new Map<string, N[]>();
  for (const node of nodes) {
    const key = JSON.stringify([[...node.deps].sort(), [...(children.get(node.id) ?? [])].sort()]);
    push(groups, key, node);
  }
  const lineOf = new Map<string, string>();
  const drawn: { id: string; members: N[] }[] = [];
  for (const members of groups.values()) {
    const sets = members.length >= fewest ? [members] : members.map((member) => [member]);
    for (const set of sets) {
      const id = (set[0] as N).id;
      drawn.push({ id, members: set });
      for (const member of set) lineOf.set(member.id, id);
    }
  }
  const place = new Map(nodes.map(({ id }, index) => [id, index]));
  return drawn
    .sort((a, b) => (place.get(a.id) ?? 0) - (place.get(b.id) ?? 0))
    .map(({ id, members }) => {
      const deps = (members[0] as N).deps.map((dep) => lineOf.get(dep) ?? dep);
      return { id, members, deps: [...new Set(deps)] };
    });
}
