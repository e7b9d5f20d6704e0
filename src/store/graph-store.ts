import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type GraphHeader, graphHeaderSchema, type NodeSpec, nodeSpecSchema } from '../contract/graph-document.js';
import { createFileAtomic, errorCode, isMissing, writeFileAtomic } from './atomic.js';
import { FileCache } from './file-cache.js';
import { type GraphPaths, graphPaths, numberedFile } from './layout.js';
import { LineFiles } from './line-files.js';

const headersKept = 500;
/** Lists of chunks that are kept; a graph has a few, an open one of many appends some hundreds. */
const chunkListsKept = 200;
/** Nodes that are read together, and how many of such pieces are kept: some 40 KB each, for so long. */
const windowNodes = 64;
const windowsKept = 200;
const windowMs = 10 * 60_000;
/** Nodes in one file: what has to be read through before the first of them can be told. */
const nodesAChunk = 5000;

/** A graph on its way to the share: lies apart until {@link commit}, so a refused request leaves nothing. */
export interface IncomingGraph {
  /** Where the files that came with it go. */
  readonly inputs: string;
  /**
   * Makes it a graph: header, nodes and files appear under its id at once.
   * @param nodes numbered from 1
   * @returns false when a graph of that id is already there (a repeated request); then nothing has changed
   */
  commit(header: GraphHeader, nodes: readonly NodeSpec[]): Promise<boolean>;
  /** Removes what has come. Safe to call after a commit. */
  discard(): Promise<void>;
}

/**
 * The documents of graphs on the share. Invariants:
 * 1. A graph's folder appears whole (rename) or not at all.
 * 2. Header and chunks of nodes are written once; two appends at once never get the same numbers.
 * 3. Reading creates nothing, and reads of a large graph only what is asked for.
 */
export class GraphStore {
  readonly root: string;
  readonly #sync: boolean;
  readonly #lines = new LineFiles();
  readonly #headers = new FileCache((content) => graphHeaderSchema.parse(JSON.parse(content)), headersKept);
  readonly #seen = new Map<string, GraphHeader>();
  /** Lines of nodes that follow each other, by graph and place: who asks for a node soon asks for its neighbours. */
  readonly #windows = new Map<string, Window>();
  /** First numbers of the chunks of a graph, ascending: chunks are only ever added. */
  readonly #chunks = new Map<string, readonly number[]>();

  constructor(root: string, options: { readonly sync?: boolean } = {}) {
    this.root = root;
    this.#sync = options.sync ?? false;
  }

  paths(graphId: string): GraphPaths {
    return graphPaths(this.root, graphId);
  }

  async receive(): Promise<IncomingGraph> {
    const folder = join(this.root, '.incoming', randomUUID());
    const inputs = join(folder, 'inputs');
    await mkdir(inputs, { recursive: true });
    return {
      inputs,
      commit: (header, nodes) => this.#commit(folder, header, nodes),
      discard: () => rm(folder, { recursive: true, force: true }),
    };
  }

  /** A graph that brings no files. @returns false when it is there already */
  async create(header: GraphHeader, nodes: readonly NodeSpec[]): Promise<boolean> {
    const incoming = await this.receive();
    try {
      return await incoming.commit(header, nodes);
    } finally {
      await incoming.discard();
    }
  }

  async #commit(folder: string, header: GraphHeader, nodes: readonly NodeSpec[]): Promise<boolean> {
    const chunks = join(folder, 'nodes');
    await mkdir(chunks);
    // Nobody sees this folder before the rename, so its files need no renames of their own.
    const write = (path: string, content: string): Promise<void> => writeFile(path, content, { flush: this.#sync });
    for (let from = 0; from < nodes.length; from += nodesAChunk) {
      await write(numberedFile(chunks, from + 1), linesOf(nodes.slice(from, from + nodesAChunk), from + 1));
    }
    await write(join(folder, 'graph.json'), JSON.stringify(header));
    try {
      await rename(folder, this.paths(header.graphId).folder);
      return true;
    } catch (error) {
      if (errorCode(error) === 'ENOTEMPTY' || errorCode(error) === 'EEXIST') return false;
      throw error;
    }
  }

  /**
   * Adds nodes to an open graph.
   * @param make the nodes, numbered from `first` on; called again with a later number when somebody else was quicker
   */
  async append(
    graphId: string,
    make: (first: number) => readonly NodeSpec[] | Promise<readonly NodeSpec[]>,
  ): Promise<{ readonly first: number; readonly count: number }> {
    const { nodes: folder } = this.paths(graphId);
    for (;;) {
      const first = (await this.count(graphId)) + 1;
      const nodes = await make(first);
      if (nodes.length === 0) return { first, count: 0 };
      const made = await createFileAtomic(numberedFile(folder, first), linesOf(nodes, first), { sync: this.#sync });
      this.#chunks.delete(graphId);
      if (made) return { first, count: nodes.length };
    }
  }

  /** What was asked for of the graph as a whole, or null when there is none. The value is shared: it must not be changed. */
  header(graphId: string): Promise<GraphHeader | null> {
    return this.#headers.read(this.paths(graphId).header);
  }

  /** The same for those who run the graph: as it is written once, it needs no second look while it is at hand. */
  async headerOnce(graphId: string): Promise<GraphHeader | null> {
    const known = this.#seen.get(graphId) ?? (await this.header(graphId));
    if (known !== null) keep(this.#seen, graphId, known, headersKept);
    return known;
  }

  /** Number of declared nodes; 0 when there is no such graph. Items of maps are not among them. */
  async count(graphId: string): Promise<number> {
    const { nodes: folder } = this.paths(graphId);
    const last = (await this.#listChunks(graphId)).at(-1);
    return last === undefined ? 0 : last - 1 + ((await this.#lines.count(numberedFile(folder, last))) ?? 0);
  }

  /** A declared node, or null when the graph has none of that number. */
  async node(graphId: string, index: number): Promise<NodeSpec | null> {
    const place = Math.floor((index - 1) / windowNodes);
    const key = `${graphId}/${place}`;
    const first = place * windowNodes + 1;
    let window = this.#windows.get(key);
    if (window === undefined || window.until < Date.now() || window.lines.length <= index - first) {
      const lines = await this.#linesOf(graphId, first, windowNodes);
      if (lines.length === 0) return null;
      window = { lines, until: Date.now() + windowMs };
    }
    keep(this.#windows, key, window, windowsKept);
    const line = window.lines[index - first];
    return line === undefined ? null : nodeSpecSchema.parse(JSON.parse(line));
  }

  /** Declared nodes `first`…`first + count - 1`, as far as there are. */
  async nodes(graphId: string, first: number, count: number): Promise<NodeSpec[]> {
    return (await this.#linesOf(graphId, first, count)).map((line) => nodeSpecSchema.parse(JSON.parse(line)));
  }

  async #linesOf(graphId: string, first: number, count: number): Promise<string[]> {
    const { nodes: folder } = this.paths(graphId);
    const found: string[] = [];
    let chunks = this.#chunks.get(graphId) ?? (await this.#listChunks(graphId));
    let listed = chunks !== this.#chunks.get(graphId);
    for (let next = first; next < first + count; ) {
      const begin = chunks.findLast((begin) => begin <= next);
      if (begin === undefined) break;
      const lines = await this.#lines.read(numberedFile(folder, begin), next - begin, first + count - next);
      if (lines === null || lines.length === 0) {
        // It may have been added since the chunks were listed.
        if (listed) break;
        chunks = await this.#listChunks(graphId);
        listed = true;
        continue;
      }
      for (const line of lines) found.push(line);
      next += lines.length;
    }
    return found;
  }

  async #listChunks(graphId: string): Promise<readonly number[]> {
    let names: string[];
    try {
      names = await readdir(this.paths(graphId).nodes);
    } catch (error) {
      if (!isMissing(error)) throw error;
      this.#chunks.delete(graphId);
      return [];
    }
    const chunks = names
      .filter((name) => /^\d{8,}\.jsonl$/.test(name))
      .map((name) => Number.parseInt(name, 10))
      .sort((a, b) => a - b);
    keep(this.#chunks, graphId, chunks, chunkListsKept);
    return chunks;
  }

  /**
   * Writes down what a node's `map` has become, once: a second call with the same first number changes nothing.
   * @param items JSON texts
   * @returns how many items there are
   */
  async writeItems(graphId: string, node: number, first: number, items: readonly string[]): Promise<number> {
    const { maps } = this.paths(graphId);
    await mkdir(maps, { recursive: true });
    const path = numberedFile(maps, node);
    const content = [JSON.stringify({ first, count: items.length }), ...items].map((line) => `${line}\n`).join('');
    if (await createFileAtomic(path, content, { sync: this.#sync })) return items.length;
    const before = await this.mapped(graphId, node);
    if (before?.first === first) return before.count;
    // Of a run that was reset to before it: its numbers are not those of this one.
    await writeFileAtomic(path, content, { sync: this.#sync });
    return items.length;
  }

  /** What a map has become: nodes `first`…`first + count - 1`; null while it is not expanded. */
  async mapped(
    graphId: string,
    node: number,
  ): Promise<{ readonly node: number; readonly first: number; readonly count: number } | null> {
    const head = await this.#lines.read(numberedFile(this.paths(graphId).maps, node), 0, 1);
    if (head?.[0] === undefined) return null;
    return { node, ...(JSON.parse(head[0]) as { first: number; count: number }) };
  }

  /** One item of a map, counted from 0, as JSON text; null when there is none. */
  async item(graphId: string, node: number, at: number): Promise<string | null> {
    return (await this.#lines.read(numberedFile(this.paths(graphId).maps, node), at + 1, 1))?.[0] ?? null;
  }

  /** Deletes the graph's own folder; those of its jobs are theirs. */
  async remove(graphId: string): Promise<void> {
    await rm(this.paths(graphId).folder, { recursive: true, force: true });
    this.#seen.delete(graphId);
    this.#chunks.delete(graphId);
    for (const key of this.#windows.keys()) if (key.startsWith(graphId)) this.#windows.delete(key);
  }
}

interface Window {
  readonly lines: readonly string[];
  /** A graph that was deleted can be sent again under its id, with other nodes. */
  readonly until: number;
}

/** Adds to a map in the order of last use: the first is the next to go. */
function keep<T>(map: Map<string, T>, key: string, value: T, most: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > most) map.delete(map.keys().next().value as string);
}

function linesOf(nodes: readonly NodeSpec[], first: number): string {
  return nodes
    .map((node, at) => {
      if (node.index !== first + at) throw new RangeError(`node ${node.index} stands in the place of ${first + at}`);
      return `${JSON.stringify(node)}\n`;
    })
    .join('');
}
