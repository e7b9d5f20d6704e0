import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NodeSpec, ParamsSource } from '../contract/graph-document.js';
import { jobIdOf } from '../contract/ids.js';
import { isTerminal, type JobRecord, type RecordStatus } from '../contract/job.js';
import { isMissing, readTextIfExists } from './atomic.js';
import { type Exact, parseExact } from './exact-json.js';
import { ExpressionError, type NodeFact, type References, type Scope } from './expressions.js';
import { walk } from './fingerprint.js';
import type { NodeState } from './graph-fold.js';
import type { GraphReader } from './graph-reader.js';
import type { GraphStore } from './graph-store.js';
import { handedOnText } from './handed-on.js';
import type { JobStore } from './job-store.js';
import { renderTemplate } from './templates.js';

/** How long an end that the interpreter knows of may take to be seen on the share: its journal is written behind its back. */
const defaultSettleMs = 5000;
const lookEveryMs = 20;
/** Graphs whose nodes are known by name; some megabytes for the largest. */
const namesKept = 5;
/** Records read at a time. */
const atATime = 32;

/** A job of a graph, among others of it. */
export interface Place {
  readonly graphId: string;
  /** The node whose template, parameters … are asked for; of an item its map. */
  readonly node: NodeSpec;
  readonly item?: { readonly at: number } | undefined;
}

/** What of a node's end can be told: by its record, or where it has none by the journal. */
interface End {
  readonly status: RecordStatus;
  readonly state: NodeState;
  readonly record: JobRecord | null;
  readonly message: string | null;
}

const statusOf: Readonly<Record<NodeState, RecordStatus>> = {
  waiting: 'PENDING',
  queued: 'PENDING',
  succeeded: 'SUCCESS',
  failed: 'FAILURE',
  revoked: 'REVOKED',
  skipped: 'REVOKED',
};

/**
 * What nodes tell each other, from the share: values that they hand on, and facts that expressions ask for. Asked only for
 * nodes that have ended, or were never to start.
 */
export class NodeValues {
  readonly #jobs: JobStore;
  readonly #graphs: GraphStore;
  readonly #reader: GraphReader;
  readonly #names = new Map<string, Map<string, number>>();
  readonly #settleMs: number;

  constructor(jobs: JobStore, graphs: GraphStore, reader: GraphReader, settleMs = defaultSettleMs) {
    this.#settleMs = settleMs;
    this.#jobs = jobs;
    this.#graphs = graphs;
    this.#reader = reader;
  }

  /** A node's parameters. @returns JSON text @throws ExpressionError when they cannot be made */
  async params(source: ParamsSource, place: Place, references: References | null): Promise<string> {
    switch (source.kind) {
      case 'text':
        return source.text;
      case 'template':
        return renderTemplate(source.text, await this.scope(place, references ?? noReferences));
      case 'value':
        return this.handedOn(place.graphId, source.of);
      case 'values':
        return `[${(await this.#each(source.of, (index) => this.handedOn(place.graphId, index))).join(',')}]`;
    }
  }

  /**
   * The value that a node hands on, as JSON text; `null` for one that did not succeed. A barrier hands on its parameters, a map
   * the list of what its items do.
   */
  async handedOn(graphId: string, index: number): Promise<string> {
    const node = await this.#graphs.node(graphId, index);
    if (node?.kind === 'barrier') return this.params(node.params, { graphId, node }, null);
    if (node?.map != null) {
      const items = await this.#items(graphId, index);
      return `[${(await this.#each(items, (item) => this.#ofJob(graphId, item, node))).join(',')}]`;
    }
    return this.#ofJob(graphId, index, node);
  }

  async #ofJob(graphId: string, index: number, node: NodeSpec | null): Promise<string> {
    const { record, state } = await this.#end(graphId, index);
    if (record === null || state !== 'succeeded') return 'null';
    const form = node?.handsOn ?? (await this.#jobs.readSpec(record.jobId))?.handsOn ?? 'value';
    return handedOnText(record, form, await this.#exactText(record));
  }

  /** As the script made it: with the types that other scripts get back. */
  async #exactText(record: JobRecord): Promise<string> {
    const exact = record.resultFile === null ? null : await readTextIfExists(this.#jobs.paths(record.jobId).exact);
    return exact ?? this.resultText(record);
  }

  /** The return value of a job that has succeeded, in plain JSON, digit by digit. */
  async resultText(record: JobRecord): Promise<string> {
    if (record.resultFile === null) return JSON.stringify(record.result);
    try {
      return await readFile(join(this.#jobs.paths(record.jobId).folder, record.resultFile.file), 'utf8');
    } catch (error) {
      if (!isMissing(error)) throw error;
      throw new ExpressionError(`the result of job ${record.jobId} has been deleted`);
    }
  }

  /** Values for expressions that need these references. @throws ExpressionError for a node that the graph has not */
  async scope(place: Place, references: References): Promise<Scope> {
    const nodes: Record<string, Exact> = Object.create(null) as Record<string, Exact>;
    await this.#each([...references.nodes], async ([id, facts]) => {
      nodes[id] = await this.#facts(place.graphId, await this.#indexOf(place, id), facts);
    });
    const header = await this.#graphs.headerOnce(place.graphId);
    return {
      nodes,
      params: parseExact(header?.paramsText ?? '{}'),
      graph: { id: place.graphId, name: header?.name ?? null, labels: header?.labels ?? {} },
      ...(references.item && place.item !== undefined
        ? { item: parseExact(await this.#item(place, place.item.at)), index: BigInt(place.item.at) }
        : {}),
    };
  }

  async #item({ graphId, node }: Place, at: number): Promise<string> {
    const text = await this.#graphs.item(graphId, node.index, at);
    if (text === null) throw new ExpressionError(`the list of node "${node.id}" has no item ${at}`);
    return text;
  }

  async #facts(graphId: string, index: number, facts: ReadonlySet<NodeFact>): Promise<Exact> {
    const node = await this.#graphs.node(graphId, index);
    const items = node?.map != null ? await this.#items(graphId, index) : null;
    const jobs = items ?? [index];
    const found: Record<string, Exact> = Object.create(null) as Record<string, Exact>;
    for (const fact of facts) {
      switch (fact) {
        case 'job':
          found[fact] = items === null ? jobIdOf(graphId, index) : items.map((item) => jobIdOf(graphId, item));
          break;
        case 'status':
        case 'state':
          found[fact] = (await this.#end(graphId, index, node?.kind === 'barrier' || items !== null))[fact];
          break;
        case 'folder':
          found[fact] = one(
            items,
            jobs.map((job) => this.#outputs(graphId, job)),
          );
          break;
        case 'outputs':
          found[fact] = await this.#outputFiles(graphId, jobs, items !== null);
          break;
        case 'result': {
          const values = await this.#each(jobs, async (job): Promise<Exact> => {
            const { record, state } = await this.#end(graphId, job);
            return record === null || state !== 'succeeded' ? null : parseExact(await this.resultText(record));
          });
          found[fact] = node?.kind === 'barrier' ? parseExact(await this.handedOn(graphId, index)) : one(items, values);
          break;
        }
        case 'error': {
          const errors = await this.#each(jobs, async (job) => errorOf(await this.#end(graphId, job)));
          found[fact] = items === null ? (errors[0] ?? null) : (errors.find((error) => error !== null) ?? null);
          break;
        }
      }
    }
    return found;
  }

  #outputs(graphId: string, index: number): string {
    return this.#jobs.paths(jobIdOf(graphId, index)).outputs;
  }

  /** Paths on this machine by the path below the outputs; of an item with its place before it. */
  async #outputFiles(graphId: string, jobs: readonly number[], isMap: boolean): Promise<Exact> {
    const files: Record<string, Exact> = Object.create(null) as Record<string, Exact>;
    for (const [at, job] of jobs.entries()) {
      const folder = this.#outputs(graphId, job);
      for await (const entry of walk(folder)) {
        if (entry.kind === 'file') files[isMap ? `${at}/${entry.path}` : entry.path] = join(folder, entry.path);
      }
    }
    return files;
  }

  /** Node numbers of what a map has become; none, when it never did. */
  async #items(graphId: string, index: number): Promise<number[]> {
    const mapped = await this.#graphs.mapped(graphId, index);
    return mapped === null ? [] : Array.from({ length: mapped.count }, (_, at) => mapped.first + at);
  }

  /**
   * How a node ended. The record of an attempt is there before the interpreter hears of the end; what only the interpreter
   * knows (skipped, revoked before it began, worker lost) may come some moments later.
   */
  async #end(graphId: string, index: number, journalOnly = false): Promise<End> {
    const deadline = Date.now() + this.#settleMs;
    for (;;) {
      const record = journalOnly ? null : await this.#jobs.readRecord(jobIdOf(graphId, index));
      if (record !== null && isTerminal(record.status)) {
        const status = record.status as keyof typeof stateOf;
        return { status, state: stateOf[status], record, message: null };
      }
      const { state, endedAt, message } = (await this.#reader.fold(graphId)).node(index);
      // A record that does not know of a success yet is an old one: a share on a network.
      if (endedAt !== null && (state !== 'succeeded' || record === null))
        return { status: statusOf[state], state, record, message };
      // Not null in the place of a value that is on its way: trying again may find it.
      if (Date.now() >= deadline) throw new Error(`the share does not tell yet how node ${index} has ended`);
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    }
  }

  /** The number of a node that is called so. Most expressions speak of direct dependencies. */
  async #indexOf({ graphId, node }: Place, id: string): Promise<number> {
    const known = this.#names.get(graphId)?.get(id);
    if (known !== undefined) return known;
    if (node.deps.length <= atATime) {
      const deps = await this.#each(node.deps, (dep) => this.#graphs.node(graphId, dep));
      const found = deps.find((dep) => dep?.id === id);
      if (found != null) return found.index;
    }
    const all = await this.#graphs.nodes(graphId, 1, Number.MAX_SAFE_INTEGER);
    const names = new Map(all.map((one) => [one.id, one.index]));
    this.#names.delete(graphId);
    this.#names.set(graphId, names);
    if (this.#names.size > namesKept) this.#names.delete(this.#names.keys().next().value as string);
    const index = names.get(id);
    if (index === undefined) throw new ExpressionError(`the graph has no node "${id}"`);
    return index;
  }

  /** The same for each, in order, some at a time. */
  async #each<T, R>(list: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
    const done: R[] = [];
    for (let from = 0; from < list.length; from += atATime)
      done.push(...(await Promise.all(list.slice(from, from + atATime).map(work))));
    return done;
  }
}

export const noReferences: References = { nodes: new Map(), item: false };

function one(items: readonly number[] | null, values: readonly Exact[]): Exact {
  return items === null ? (values[0] ?? null) : values;
}

const stateOf = { SUCCESS: 'succeeded', FAILURE: 'failed', REVOKED: 'revoked' } as const;

function errorOf({ record, state, message }: End): Exact {
  if (state === 'succeeded') return null;
  const error = record?.error ?? null;
  if (error !== null) return { type: error.type, message: error.message, kind: error.kind };
  if (state !== 'failed' && state !== 'revoked' && state !== 'skipped') return null;
  const text = message ?? (typeof record?.result === 'string' ? record.result : state);
  return {
    type: state === 'failed' ? 'WorkerLost' : 'TaskRevokedError',
    message: text,
    kind: state === 'failed' ? 'lost' : 'cancelled',
  };
}
