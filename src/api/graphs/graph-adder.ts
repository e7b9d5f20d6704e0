import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isDeepStrictEqual } from 'node:util';
import { checkNodes, numbered } from '../../compile/compile.js';
import type { GraphChecker } from '../../compile/graph-checker.js';
import { type Problem, Problems } from '../../compile/problems.js';
import { type AskedNode, readAdditions } from '../../compile/read-request.js';
import { atOnce } from '../../compile/slices.js';
import type { NodeSpec } from '../../contract/graph-document.js';
import { jobIdOf } from '../../contract/ids.js';
import { EngineError } from '../../errors/engine-error.js';
import { errorCode, isMissing } from '../../store/atomic.js';
import { filesThere, type KnownFile } from '../../store/graph-inputs.js';
import type { GraphStore } from '../../store/graph-store.js';
import type { NodeNamesCache } from '../../store/node-names.js';
import type { ApiDeps, Request } from '../deps.js';
import type { AddedNodes } from '../schemas/graphs.js';
import { type ReceivedGraph, receiveGraph, type Upload } from './receive-graph.js';
import { GraphRefusal } from './refusal.js';

type Answer = AddedNodes['nodes'][number];

/** A request that has been read; its files lie apart until it is carried out. */
export interface Additions extends ReceivedGraph {
  readonly discard: () => Promise<void>;
}

interface Outcome {
  readonly answers: readonly Answer[];
  /** Numbers of the nodes that are there now, new or not. */
  readonly numbers: readonly number[];
  readonly created: readonly NodeSpec[];
}

/** Takes nodes into an open graph: those that are right, even when others of the same request are not. */
export class GraphAdder {
  readonly #deps: ApiDeps;
  readonly #store: GraphStore;
  readonly #checker: GraphChecker;
  readonly #names: NodeNamesCache;

  constructor(deps: ApiDeps, store: GraphStore, checker: GraphChecker, names: NodeNamesCache) {
    this.#deps = deps;
    this.#store = store;
    this.#checker = checker;
    this.#names = names;
  }

  /** Reads the request. @throws GraphRefusal when more than its nodes is wrong */
  async receive(request: Request, graphId: string): Promise<Additions> {
    const incoming = await this.#store.receive();
    try {
      const problems = new Problems();
      const received = await receiveGraph(request, incoming.inputs, this.#deps.options.maxUploadBytes, problems);
      readAdditions(received.text, problems);
      await compareFiles(received.uploads, this.#store.paths(graphId).inputs, problems);
      if (problems.list.some(({ path }) => !path.startsWith('nodes['))) throw new GraphRefusal(problems);
      return { ...received, discard: () => incoming.discard() };
    } catch (error) {
      await incoming.discard();
      throw error;
    }
  }

  /** @returns the answer, and which nodes to tell the interpreter of; null when none is there */
  async add(
    graphId: string,
    { text, uploads }: Additions,
  ): Promise<{ answer: AddedNodes; chunk: { first: number; count: number } | null }> {
    const inputs = this.#store.paths(graphId).inputs;
    await keepFiles(uploads, inputs);
    const files = await filesThere(graphId, inputs);
    let outcome: Outcome = { answers: [], numbers: [], created: [] };
    await this.#store.append(graphId, async (first) => {
      outcome = await this.#decide(graphId, first, text, files);
      return outcome.created;
    });
    const { answers, numbers } = outcome;
    const first = Math.min(...numbers);
    // Those that were there already, too: the first request may have ended before the interpreter was told.
    const chunk = numbers.length === 0 ? null : { first, count: Math.max(...numbers) - first + 1 };
    return { answer: { nodes: [...answers] }, chunk };
  }

  /** Everything anew for each try: somebody else may have added nodes of these names meanwhile. */
  async #decide(graphId: string, first: number, text: string, files: ReadonlyMap<string, KnownFile>): Promise<Outcome> {
    const problems = new Problems();
    const asked = readAdditions(text, problems);
    const { numbers: known } = await this.#names.of(graphId);
    const facts = await this.#checker.facts(asked, {}, files, { known, first });
    const graph = atOnce(checkNodes(asked, {}, facts, problems));
    const rejected = rejections(asked, graph.deps, graph.topology.order, problems);
    const accepted = graph.nodes.filter(({ at }) => !rejected.has(at));
    const made = atOnce(numbered(accepted, facts));
    const specs = new Map(made.map((spec, index) => [accepted[index]?.at as number, spec]));
    const created: NodeSpec[] = [];
    const answers: Answer[] = [];
    for (const { at, id } of asked) {
      const spec = specs.get(at);
      const number = spec?.index ?? null;
      const answer = { id, number, job: number === null ? null : jobIdOf(graphId, number), problem: null };
      if (spec === undefined) {
        answers.push({ ...answer, status: 'rejected', problem: rejected.get(at) ?? null });
      } else if (!known.has(spec.id)) {
        created.push(spec);
        answers.push({ ...answer, status: 'created' });
      } else if (isDeepStrictEqual(await this.#store.node(graphId, spec.index), spec)) {
        answers.push({ ...answer, status: 'exists' });
      } else {
        const message = 'the graph has another node of this id: what it runs, or how, is not the same';
        const problem: Problem = { path: `nodes[${at}].id`, code: 'duplicate-id', message };
        answers.push({ ...answer, number: null, job: null, status: 'rejected', problem });
      }
    }
    return { answers, numbers: answers.flatMap(({ number }) => (number === null ? [] : [number])), created };
  }
}

/** By position: nodes with a problem, those in a cycle, and those that need one of them. */
function rejections(
  asked: readonly AskedNode[],
  deps: readonly (readonly number[])[],
  order: readonly number[],
  problems: Problems,
): Map<number, Problem> {
  const rejected = new Map<number, Problem>();
  const ordered = new Set(order);
  const because = (at: number, needed: string | null): Problem => ({
    path: `nodes[${at}].deps`,
    code: 'rejected-dependency',
    message:
      needed === null
        ? 'it is part of a cycle, or waits for one'
        : `it waits for ${JSON.stringify(needed)}, which was rejected`,
  });
  for (const { at } of asked) {
    const own = problems.ofNode(at);
    if (own !== undefined) rejected.set(at, own);
    else if (!ordered.has(at)) rejected.set(at, because(at, null));
  }
  for (const at of order) {
    const needed = deps[at]?.find((dep) => rejected.has(dep));
    if (needed !== undefined && !rejected.has(at)) rejected.set(at, because(at, asked[needed]?.id ?? ''));
  }
  return rejected;
}

/** One that is there already has to be the same: another one under its name would change what other nodes run. */
async function compareFiles(uploads: ReadonlyMap<string, Upload>, inputs: string, problems: Problems): Promise<void> {
  for (const [name, { place, sha256 }] of uploads) {
    const [file] = await readdir(join(inputs, name)).catch(() => []);
    if (file === undefined || (file === basename(place) && (await hashOf(join(inputs, place))) === sha256)) continue;
    problems.add(['files', name], 'bad-file', 'the graph has another file of this name: choose a new one');
  }
}

/** Moves the files of this request to the graph's inputs, those that are there already left alone. */
async function keepFiles(uploads: ReadonlyMap<string, Upload>, inputs: string): Promise<void> {
  await mkdir(inputs, { recursive: true });
  for (const [name, { path }] of uploads) {
    try {
      await rename(dirname(path), join(inputs, name));
    } catch (error) {
      if (errorCode(error) !== 'ENOTEMPTY' && errorCode(error) !== 'EEXIST') throw error;
    }
  }
}

async function hashOf(path: string): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  return hash.digest('hex');
}

/** @throws EngineError when no nodes can be added any more */
export function checkIsOpen(graphId: string, open: boolean, closed: boolean): void {
  if (!open) throw new EngineError('CONFLICT', `graph ${graphId} was made with mode "closed": it takes no more nodes`);
  if (closed) throw new EngineError('CONFLICT', `graph ${graphId} has been closed: it takes no more nodes`);
}
