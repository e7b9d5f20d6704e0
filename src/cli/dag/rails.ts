/**
 * A graph as lines of text: one line a node, parents above children, and rails on the left for what is still waited for.
 *
 *     ● convert
 *     ├─● pictures
 *     ● │ facts
 *     ●─╯ all
 *
 * Invariants:
 * 1. A column belongs to one node from its line on, as long as children of it are to come; then it is free again.
 * 2. A node takes over the column of a parent whose last child it is, else the first free column on the right of one.
 * 3. A node without parents never stands right below a node that it has nothing to do with.
 * 4. A rail that a connection crosses stays a rail: connections pass behind it.
 */
export interface RailNode {
  readonly id: string;
  readonly deps: readonly string[];
}

export interface RailRow<N extends RailNode> {
  readonly node: N;
  /** Rails and connections left of the mark, and right of it: the mark itself is the caller's. */
  readonly before: string;
  readonly after: string;
}

interface Column {
  readonly owner: string;
  /** Children that have no line yet. */
  left: number;
}

export function rails<N extends RailNode>(nodes: readonly N[]): RailRow<N>[] {
  const ordered = inOrder(nodes);
  const known = new Set(ordered.map(({ id }) => id));
  const childCount = new Map<string, number>();
  for (const { deps } of ordered) for (const dep of new Set(deps)) childCount.set(dep, (childCount.get(dep) ?? 0) + 1);

  const columns: (Column | null)[] = [];
  let above = -1;
  return ordered.map((node) => {
    const deps = new Set(node.deps.filter((dep) => known.has(dep)));
    const parents = columns.flatMap((column, at) => (column !== null && deps.has(column.owner) ? [at] : []));
    for (const at of parents) (columns[at] as Column).left -= 1;
    const own = placeFor(columns, parents, above);
    above = own;
    const row = draw(columns, parents, own);
    for (const at of parents) if ((columns[at] as Column).left === 0) columns[at] = null;
    const left = childCount.get(node.id) ?? 0;
    columns[own] = left > 0 ? { owner: node.id, left } : null;
    while (columns.at(-1) === null) columns.pop();
    return { node, ...row };
  });
}

function placeFor(columns: readonly (Column | null)[], parents: readonly number[], above: number): number {
  const handedOver = parents.find((at) => columns[at]?.left === 0);
  if (handedOver !== undefined) return handedOver;
  const isRoot = parents.length === 0;
  let at = isRoot ? 0 : (parents[0] as number) + 1;
  while ((columns[at] ?? null) !== null || (isRoot && at === above)) at += 1;
  return at;
}

function draw(columns: readonly (Column | null)[], parents: readonly number[], own: number) {
  const ends = [...parents, own];
  const [first, last] = [Math.min(...ends), Math.max(...ends)];
  const width = Math.max(columns.length, own + 1);
  let before = '';
  let after = '';
  for (let at = 0; at < width; at += 1) {
    const inside = at >= first && at <= last;
    const symbol =
      at === own ? '' : symbolAt(columns[at] ?? null, parents.includes(at), inside, at === first, at === last);
    const link = inside && at < last ? '─' : ' ';
    if (at < own) before += symbol + link;
    else after += symbol + link;
  }
  return { before, after: after.trimEnd() };
}

function symbolAt(
  column: Column | null,
  isParent: boolean,
  inside: boolean,
  isFirst: boolean,
  isLast: boolean,
): string {
  if (!isParent) return column === null ? (inside ? '─' : ' ') : '│';
  const goesOn = (column?.left ?? 0) > 0;
  if (isFirst) return goesOn ? '├' : '╰';
  if (isLast) return goesOn ? '┤' : '╯';
  return goesOn ? '┼' : '┴';
}

/** Parents first; a way is followed to its end before the next one begins, so that few rails are open at a time. */
export function inOrder<N extends RailNode>(nodes: readonly N[]): N[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const children = new Map<string, N[]>();
  const waitsFor = new Map<string, number>();
  for (const node of nodes) {
    const deps = [...new Set(node.deps)].filter((dep) => byId.has(dep));
    waitsFor.set(node.id, deps.length);
    for (const dep of deps) {
      const known = children.get(dep);
      if (known === undefined) children.set(dep, [node]);
      else known.push(node);
    }
  }
  const ready = nodes.filter(({ id }) => waitsFor.get(id) === 0).reverse();
  const ordered: N[] = [];
  for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
    ordered.push(node);
    const freed: N[] = [];
    for (const child of children.get(node.id) ?? []) {
      const left = (waitsFor.get(child.id) ?? 0) - 1;
      waitsFor.set(child.id, left);
      if (left === 0) freed.push(child);
    }
    ready.push(...freed.reverse());
  }
  return ordered;
}
