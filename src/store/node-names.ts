import { firstItemNumber } from '../contract/ids.js';
import type { GraphFold } from './graph-fold.js';
import type { GraphStore } from './graph-store.js';

/** Graphs whose names are kept, and names of all of them together: a name costs some 100 bytes. */
const mostGraphs = 200;
const mostNames = 300_000;
const readAtOnce = 5000;

/** The declared nodes of a graph, by name and by number. */
export interface NodeNames {
  /** By number, from 1; place 0 is empty. */
  readonly names: readonly string[];
  readonly numbers: ReadonlyMap<string, number>;
}

interface Known {
  readonly names: string[];
  readonly numbers: Map<string, number>;
  reading: Promise<unknown>;
}

/** Nodes are declared once and never change: of a graph that grows only what is new is read. */
export class NodeNamesCache {
  readonly #store: GraphStore;
  /** In the order of last use: the first is the next to go. */
  readonly #known = new Map<string, Known>();

  constructor(store: GraphStore) {
    this.#store = store;
  }

  async of(graphId: string): Promise<NodeNames> {
    const known = this.#known.get(graphId) ?? { names: [''], numbers: new Map(), reading: Promise.resolve() };
    this.#known.delete(graphId);
    this.#known.set(graphId, known);
    const reading = known.reading.then(() => this.#catchUp(graphId, known));
    known.reading = reading.catch(() => undefined);
    await reading;
    this.#shrink();
    return known;
  }

  forget(graphId: string): void {
    this.#known.delete(graphId);
  }

  async #catchUp(graphId: string, known: Known): Promise<void> {
    const count = await this.#store.count(graphId);
    while (known.names.length <= count) {
      const nodes = await this.#store.nodes(graphId, known.names.length, readAtOnce);
      if (nodes.length === 0) return;
      for (const { id, index } of nodes) {
        known.names[index] = id;
        known.numbers.set(id, index);
      }
    }
  }

  #shrink(): void {
    let total = [...this.#known.values()].reduce((sum, { names }) => sum + names.length, 0);
    for (const [graphId, { names }] of this.#known) {
      if (this.#known.size === 1 || (this.#known.size <= mostGraphs && total <= mostNames)) return;
      this.#known.delete(graphId);
      total -= names.length;
    }
  }
}

/** What a node is called: items of maps by the node that they come from, and their place. */
export function nameOf(number: number, { names }: NodeNames, fold: GraphFold): string {
  const item = number >= firstItemNumber ? fold.itemOf(number) : null;
  if (item !== null) return `${names[item.map] ?? item.map}[${item.at}]`;
  return names[number] ?? fold.node(number).label ?? String(number);
}

/** The number of the node that a client speaks of, by its name or its number; null when there is none. */
export function numberOf(text: string, { names, numbers }: NodeNames, fold: GraphFold): number | null {
  const named = numbers.get(text);
  if (named !== undefined) return named;
  const [, mapName, place] = /^(.+)\[(\d{1,9})\]$/s.exec(text) ?? [];
  if (mapName !== undefined) {
    const mapped = fold.mapped(numbers.get(mapName) ?? -1);
    return mapped !== null && Number(place) < mapped.count ? mapped.first + Number(place) : null;
  }
  if (!/^\d{1,10}$/.test(text)) return null;
  const number = Number(text);
  const exists = (number > 0 && number < names.length) || fold.itemOf(number) !== null || fold.touched.has(number);
  return exists ? number : null;
}
