import type { GraphNode } from '../model/graph-model.js';

/** When the last attempt of a node ran: milliseconds since 1970; `to` is null while it runs. */
export interface Span {
  readonly from: number;
  readonly to: number | null;
}

/**
 * The way through the graph that takes longest: what makes the whole faster is on it. A node that has run counts as long as it
 * took, one that runs as long as it has run so far, and at least like the others; one that is to come like the middle one of
 * those that have. Where nothing has run all nodes count the same. Skipped and revoked nodes do not lengthen a way.
 *
 * @param spansOf the attempts of a node; of a map those of its items
 * @param nodes each after those that it waits for is not needed; items of maps are left out
 * @returns numbers of its nodes, first node first
 */
export function criticalPath(
  nodes: readonly GraphNode[],
  spansOf: (node: GraphNode) => Span | null,
  now: number,
): number[] {
  const declared = nodes.filter(({ itemOf }) => itemOf === null);
  const known = declared.flatMap((node) => {
    const span = spansOf(node);
    return span?.to == null ? [] : [span.to - span.from];
  });
  const usual = known.length === 0 ? 1000 : Math.max(1, middle(known));
  const cost = (node: GraphNode) => {
    if (node.state === 'skipped' || node.state === 'revoked') return 0;
    const span = spansOf(node);
    if (span === null) return node.kind === 'barrier' ? 0 : usual;
    return span.to === null ? Math.max(usual, now - span.from) : span.to - span.from;
  };

  const places = new Map(declared.map(({ id }, place) => [id, place]));
  const deps = declared.map((node) => node.deps.flatMap((dep) => places.get(dep) ?? []));
  const length = new Float64Array(declared.length);
  const before = new Int32Array(declared.length).fill(-1);
  let last = -1;
  for (const place of inOrder(deps)) {
    for (const dep of deps[place] as number[]) {
      const isLonger = (length[dep] as number) > (length[place] as number);
      // Of ways of no length the first one counts, so that the path reaches back to a node that waits for none.
      if (isLonger || before[place] === -1) {
        length[place] = length[dep] as number;
        before[place] = dep;
      }
    }
    length[place] = (length[place] as number) + cost(declared[place] as GraphNode);
    if (last === -1 || (length[place] as number) > (length[last] as number)) last = place;
  }
  const path: number[] = [];
  for (let place = last; place !== -1; place = before[place] as number)
    path.push((declared[place] as GraphNode).number);
  return path.reverse();
}

function inOrder(deps: readonly (readonly number[])[]): number[] {
  const followers: number[][] = deps.map(() => []);
  for (const [place, list] of deps.entries()) for (const dep of list) followers[dep]?.push(place);
  const waiting = deps.map((list) => list.length);
  const order = [...waiting.keys()].filter((place) => waiting[place] === 0);
  for (const place of order) {
    for (const follower of followers[place] as number[]) {
      waiting[follower] = (waiting[follower] as number) - 1;
      if (waiting[follower] === 0) order.push(follower);
    }
  }
  return order;
}

function middle(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] as number;
}
