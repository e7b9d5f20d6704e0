import type { GraphEvent, NodeState } from '../../../../src/client/types.js';
import { isEnd, noCounts, type StateCounts, type StateName } from './states.js';

/** A node as the page keeps it. Only {@link GraphModel} changes it. */
export interface GraphNode {
  readonly number: number;
  readonly id: string;
  readonly label: string;
  readonly kind: NodeState['kind'];
  readonly job: string | null;
  /** Ids of the nodes that it waits for. */
  readonly deps: readonly string[];
  /** Of an item the id of the `map` node that it comes from. */
  readonly itemOf: string | null;
  readonly state: StateName;
  readonly attempt: number;
  readonly queue: string | null;
  readonly progress: number | null;
  readonly message: string | null;
  readonly fault: string | null;
}

type Changeable = { -readonly [K in keyof GraphNode]: GraphNode[K] };

/** What an event asks to be read: nodes behind this number, which it tells too little of. */
export type Missing = { readonly after: number } | null;

/**
 * Nodes of one graph: a snapshot of their pages, kept current by the events that came after it.
 *
 * 1. An event that the snapshot knows already changes nothing for long: those that follow bring the node to its state.
 * 2. Who of the queued nodes runs, and how far it is, no event tells: `refresh` takes it from later reads.
 * 3. A map that has become items is under way until it has ended: the API has it as waiting.
 * 4. `shape` changes when there are other nodes or dependencies, `version` with anything.
 */
export class GraphModel {
  readonly #byNumber = new Map<number, Changeable>();
  readonly #byId = new Map<string, Changeable>();
  readonly #counts = noCounts();
  /** Ids of maps that have become items. */
  readonly #expanded = new Set<string>();
  #version = 0;
  #shape = 0;

  get version(): number {
    return this.#version;
  }

  get shape(): number {
    return this.#shape;
  }

  get size(): number {
    return this.#byNumber.size;
  }

  get counts(): StateCounts {
    return this.#counts;
  }

  /** In the order of the document; items of maps, and what came later, after it. */
  all(): IterableIterator<GraphNode> {
    return this.#byNumber.values();
  }

  node(number: number): GraphNode | undefined {
    return this.#byNumber.get(number);
  }

  named(id: string): GraphNode | undefined {
    return this.#byId.get(id);
  }

  /** Takes nodes as the API tells them, known ones too. */
  refresh(nodes: readonly NodeState[]): void {
    for (const { id, number, job, label, kind, deps, state, attempt, queue, progress, message, fault } of nodes) {
      const facts = { job, label, kind, deps, attempt, queue, progress, message, fault };
      const known = this.#byNumber.get(number);
      if (known === undefined) {
        this.#add({ number, id, itemOf: this.#mapOf(id, kind), state, ...facts });
        continue;
      }
      if (!sameList(known.deps, deps)) this.#shape += 1;
      Object.assign(known, facts);
      this.#move(known, state);
      this.#markMap(known.itemOf ?? (this.#expanded.has(id) ? id : null));
    }
    this.#version += 1;
  }

  apply(event: GraphEvent): Missing {
    this.#version += 1;
    const { type, number, node: id } = event;
    if (type === 'added') return { after: this.#lastDeclared() };
    if (number === undefined || id === undefined) return null;
    if (type === 'mapped') return this.#addItems(id, event.first ?? 0, event.count ?? 0);
    const node = this.#byNumber.get(number);
    // Nodes of workflow files are declared by their first event.
    if (node === undefined) return { after: number - 1 };
    this.#change(node, event);
    return null;
  }

  #change(node: Changeable, { type, attempt, queue, message, fault }: GraphEvent): void {
    switch (type) {
      case 'queued':
        if (isEnd(node.state) || (attempt ?? 1) < node.attempt) return;
        node.attempt = attempt ?? 1;
        node.queue = queue ?? node.queue;
        if (node.state !== 'running') this.#move(node, 'queued');
        return;
      case 'returned':
        if (!isEnd(node.state)) this.#move(node, 'waiting');
        return;
      case 'retrying':
        if (isEnd(node.state) || (attempt ?? 1) < node.attempt) return;
        node.queue = queue ?? node.queue;
        node.fault = fault ?? null;
        node.message = message ?? null;
        this.#move(node, 'waiting');
        return;
      case 'succeeded':
        node.fault = null;
        node.message = null;
        this.#move(node, 'succeeded');
        node.progress = 100;
        return;
      case 'failed':
      case 'revoked':
      case 'skipped':
        node.fault = fault ?? null;
        node.message = message ?? null;
        this.#move(node, type);
        return;
      case 'revived':
        node.fault = null;
        node.message = null;
        this.#move(node, 'waiting');
        return;
      default:
        return;
    }
  }

  #addItems(map: string, first: number, count: number): null {
    const { queue = null } = this.#byId.get(map) ?? {};
    for (let at = 0; at < count; at++) {
      if (this.#byNumber.has(first + at)) continue;
      const id = `${map}[${at}]`;
      const before = { job: null, deps: [], attempt: 0, progress: null, message: null, fault: null };
      const kind = 'script' as const;
      this.#add({ number: first + at, id, label: id, kind, itemOf: map, state: 'waiting', queue, ...before });
    }
    return null;
  }

  #add(node: Changeable): void {
    if (node.itemOf !== null) this.#expanded.add(node.itemOf);
    this.#byNumber.set(node.number, node);
    this.#byId.set(node.id, node);
    this.#counts[node.state] += 1;
    this.#shape += 1;
    this.#markMap(node.itemOf);
  }

  #markMap(id: string | null): void {
    const map = id === null ? undefined : this.#byId.get(id);
    if (map?.state === 'waiting') this.#move(map, 'running');
  }

  #move(node: Changeable, state: StateName): void {
    this.#counts[node.state] -= 1;
    this.#counts[state] += 1;
    if (state !== 'running' && state !== 'succeeded') node.progress = null;
    node.state = state;
  }

  #mapOf(id: string, kind: NodeState['kind']): string | null {
    const [, map] = kind === 'map' ? [] : (/^(.+)\[\d+\]$/s.exec(id) ?? []);
    return map !== undefined && this.#byId.get(map)?.kind === 'map' ? map : null;
  }

  #lastDeclared(): number {
    let last = 0;
    for (const { number, itemOf } of this.#byNumber.values()) if (itemOf === null && number > last) last = number;
    return last;
  }
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one, at) => one === b[at]);
}
