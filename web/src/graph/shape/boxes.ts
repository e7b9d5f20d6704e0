import type { GraphNode } from '../model/graph-model.js';
import { classesOf, levelsOf } from './classes.js';

/**
 * What is drawn: boxes, each a node or many. Boxes form a tree: a box of many nodes can be opened, and has then its
 * children drawn in its place.
 *
 * 1. However many nodes there are, the closed tree shows at most `mostBoxes` boxes, and an opened box at most `mostChildren`.
 * 2. Keys do not depend on what is open, nor on states: a drawing that is drawn again keeps its open boxes.
 */
export interface Box {
  readonly key: string;
  readonly title: string;
  readonly kind: 'node' | 'map' | 'group';
  /** Numbers of all its nodes; of a map the map itself comes first. */
  readonly members: readonly number[];
  /** Empty: it cannot be opened. */
  readonly children: readonly Box[];
}

export interface BoxTree {
  readonly roots: readonly Box[];
  /** By key: the box around a box. */
  readonly around: ReadonlyMap<string, Box>;
  /** By number of a node: the innermost box that has it. */
  readonly boxOf: ReadonlyMap<number, Box>;
}

export const mostBoxes = 100;
const mostChildren = 100;
/** So many nodes of the same place become one box, where boxes have to be saved. */
const fewest = 3;

/** Boxes that are to be drawn, and which of them waits for which. */
export interface Visible {
  readonly boxes: readonly Box[];
  /** Open boxes around those that are drawn, outermost first. */
  readonly frames: readonly Box[];
  /** By position of the box: positions of the boxes that it waits for. */
  readonly deps: readonly (readonly number[])[];
}

export function boxTreeOf(all: Iterable<GraphNode>): BoxTree {
  const declared: GraphNode[] = [];
  const items = new Map<string, GraphNode[]>();
  for (const node of all) {
    if (node.itemOf === null) declared.push(node);
    else push(items, node.itemOf, node);
  }
  const roots = grouped(declared).map((nodes) => boxOfMany(nodes, items));
  const around = new Map<string, Box>();
  const boxOf = new Map<number, Box>();
  const index = (box: Box) => {
    // A map is in its own box, not in one of its children.
    const direct = box.kind === 'map' || box.children.length === 0 ? box.members.slice(0, 1) : [];
    for (const number of direct) boxOf.set(number, box);
    for (const child of box.children) {
      around.set(child.key, box);
      index(child);
    }
  };
  for (const box of roots) index(box);
  return { roots, around, boxOf };
}

export function visibleOf(tree: BoxTree, open: ReadonlySet<string>, nodes: NodeLookup): Visible {
  const boxes: Box[] = [];
  const frames: Box[] = [];
  const walk = (box: Box) => {
    if (box.children.length === 0 || !open.has(box.key)) return void boxes.push(box);
    frames.push(box);
    for (const child of box.children) walk(child);
  };
  for (const box of tree.roots) walk(box);

  const places = new Map<number, number>();
  for (const [place, { members }] of boxes.entries()) for (const number of members) places.set(number, place);
  /** Of an open map, which is no box itself, all the boxes inside. */
  const placesOf = (node: GraphNode): number[] => {
    const place = places.get(node.number);
    if (place !== undefined) return [place];
    const inside = tree.boxOf.get(node.number)?.members ?? [];
    return [...new Set(inside.flatMap((number) => places.get(number) ?? []))];
  };
  const known = new Map<string, number[]>();
  const deps = boxes.map(({ members }, own) => {
    const found = new Set<number>();
    for (const number of members) {
      const node = nodes.node(number);
      const waits = node?.itemOf == null ? node : nodes.named(node.itemOf);
      for (const dep of waits?.deps ?? []) {
        const other = nodes.named(dep);
        if (other === undefined) continue;
        let at = known.get(dep);
        if (at === undefined) known.set(dep, (at = placesOf(other)));
        for (const place of at) if (place !== own) found.add(place);
      }
    }
    return [...found];
  });
  return { boxes, frames, deps };
}

interface NodeLookup {
  node(number: number): GraphNode | undefined;
  named(id: string): GraphNode | undefined;
}

/** Keys of the boxes that must be open for a node to be a box of its own. */
export function opened(tree: BoxTree, number: number): string[] {
  const keys: string[] = [];
  let box = tree.boxOf.get(number);
  for (box = box && tree.around.get(box.key); box !== undefined; box = tree.around.get(box.key)) keys.push(box.key);
  return keys;
}

/** Sets of nodes, each to become a box: the finest of these rules that keeps to the bound. */
function grouped(nodes: readonly GraphNode[]): GraphNode[][] {
  if (nodes.length <= mostBoxes) return nodes.map((node) => [node]);
  const places = new Map(nodes.map(({ id }, place) => [id, place]));
  const deps = nodes.map((node) => node.deps.flatMap((dep) => places.get(dep) ?? []));
  const levels = levelsOf(deps);
  const stems = nodes.map(({ id, kind }) => `${kind} ${id.replace(/\d+/g, '#')}`);
  const rules: (() => readonly (string | number)[])[] = [
    () => classesOf(deps, levels, stems),
    () =>
      classesOf(
        deps,
        levels,
        nodes.map(({ kind }) => kind),
      ),
    () => nodes.map((_, place) => `${levels[place]} ${stems[place]}`),
    () => levels,
  ];
  for (const [at, rule] of rules.entries()) {
    const keys = rule();
    // Two of a kind are better shown as they are, as long as there is room.
    for (const least of at < 2 ? [fewest, 2] : [2]) {
      const sets = setsOf(nodes, keys, least);
      if (sets.length <= mostBoxes) return sets;
    }
  }
  // Several levels a box: its nodes in the order of their levels, so that its parts can be told apart without cycles.
  const most = levels.reduce((a, b) => Math.max(a, b), 0) + 1;
  const step = Math.ceil(most / mostBoxes);
  const order = [...nodes.keys()].sort((a, b) => (levels[a] as number) - (levels[b] as number));
  return setsOf(
    order.map((at) => nodes[at] as GraphNode),
    order.map((at) => Math.floor((levels[at] as number) / step)),
    2,
  );
}

/** In the order of their first nodes. */
function setsOf(nodes: readonly GraphNode[], keys: readonly (string | number)[], least: number): GraphNode[][] {
  const sets = new Map<string | number, GraphNode[]>();
  for (const [place, node] of nodes.entries()) push(sets, keys[place] as string | number, node);
  return [...sets.values()].flatMap((set) => (set.length >= least ? [set] : set.map((node) => [node])));
}

function boxOfMany(nodes: readonly GraphNode[], items: ReadonlyMap<string, readonly GraphNode[]>): Box {
  const [only] = nodes as [GraphNode];
  if (nodes.length > 1) return group(nodes, (node) => boxOfMany([node], items));
  const inside = only.kind === 'map' ? (items.get(only.id) ?? []) : [];
  const children = inside.length === 0 ? [] : parts(inside, (node) => boxOfMany([node], items));
  return {
    key: `n${only.number}`,
    title: only.label,
    kind: only.kind === 'map' ? 'map' : 'node',
    members: [only.number, ...inside.map(({ number }) => number)],
    children,
  };
}

function group(nodes: readonly GraphNode[], boxed: (node: GraphNode) => Box): Box {
  const [first, last] = [nodes[0] as GraphNode, nodes.at(-1) as GraphNode];
  const children = parts(nodes, boxed);
  const members = children.flatMap((child) => child.members);
  return {
    key: `g${first.number}-${last.number}`,
    title: rangeText(first.label, last.label),
    kind: 'group',
    members,
    children,
  };
}

/** `frame-1 … 240` for `frame-1` and `frame-240`: the name is said once. */
function rangeText(first: string, last: string): string {
  let same = 0;
  while (same < first.length && first[same] === last[same]) same += 1;
  // Numbers are not cut within: 10 … 19, not 10 … 9.
  while (same > 0 && /\d/.test(first[same - 1] as string)) same -= 1;
  return same === 0 || same === last.length ? `${first} … ${last}` : `${first} … ${last.slice(same)}`;
}

/** Children of a box: nodes, or groups of 10, 100, 1,000 … of them. */
function parts(nodes: readonly GraphNode[], boxed: (node: GraphNode) => Box): Box[] {
  let size = 1;
  while (nodes.length / size > mostChildren) size *= 10;
  if (size === 1) return nodes.map(boxed);
  return Array.from({ length: Math.ceil(nodes.length / size) }, (_, at) => {
    const part = nodes.slice(at * size, (at + 1) * size);
    return part.length === 1 ? boxed(part[0] as GraphNode) : group(part, boxed);
  });
}

function push<K, T>(lists: Map<K, T[]>, key: K, value: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
