/**
 * Nodes that stand in corresponding places of a graph: what comes before them and after them has the same shape. A fan of a
 * thousand nodes is one class, and a thousand chains of ten are ten. Nodes are positions; `deps[i]` are those that node i
 * waits for.
 *
 * Every class lies on one level, so a graph of classes has no cycles where the graph of nodes has none.
 */

/** Rounds of refinement: each lets a difference be seen one step further away. */
const mostRounds = 12;

/** The length of the longest way to each node, from 0. Nodes of a cycle, which no accepted graph has, stay on level 0. */
export function levelsOf(deps: readonly (readonly number[])[]): number[] {
  const waiting = deps.map((list) => list.length);
  const followers = followersOf(deps);
  const levels = deps.map(() => 0);
  const order = [...waiting.keys()].filter((node) => waiting[node] === 0);
  for (const node of order) {
    for (const follower of followers[node] as number[]) {
      levels[follower] = Math.max(levels[follower] as number, (levels[node] as number) + 1);
      waiting[follower] = (waiting[follower] as number) - 1;
      if (waiting[follower] === 0) order.push(follower);
    }
  }
  return levels;
}

export function followersOf(deps: readonly (readonly number[])[]): number[][] {
  const followers: number[][] = deps.map(() => []);
  for (const [node, list] of deps.entries()) for (const dep of list) followers[dep]?.push(node);
  return followers;
}

/**
 * The class of each node.
 * @param first what must be equal in any case, by node
 */
export function classesOf(
  deps: readonly (readonly number[])[],
  levels: readonly number[],
  first: readonly string[],
): number[] {
  const followers = followersOf(deps);
  let classes = numbered(first.map((text, node) => `${levels[node]} ${text}`));
  let count = countOf(classes);
  for (let round = 0; round < mostRounds; round++) {
    const now = classes;
    const around = (nodes: readonly number[]) => {
      if (nodes.length === 1) return String(now[nodes[0] as number]);
      return [...new Set(nodes.map((node) => now[node] as number))].sort((a, b) => a - b).join(',');
    };
    classes = numbered(
      now.map((own, node) => `${own}<${around(deps[node] as number[])}>${around(followers[node] as number[])}`),
    );
    const after = countOf(classes);
    if (after === count) break;
    count = after;
  }
  return classes;
}

function numbered(keys: readonly string[]): number[] {
  const numbers = new Map<string, number>();
  return keys.map((key) => {
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, numbers.size);
    return numbers.size - 1;
  });
}

const countOf = (classes: readonly number[]) => classes.reduce((most, one) => Math.max(most, one), -1) + 1;
