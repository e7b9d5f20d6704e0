import type { GraphHeader, NodeSpec } from '../../contract/graph-document.js';
import { firstItemNumber, jobIdOf, nodeIndexOf } from '../../contract/ids.js';
import type { JobRecord } from '../../contract/job.js';
import type { Json } from '../../contract/json.js';
import { EngineError } from '../../errors/engine-error.js';
import { readTextIfExists } from '../../store/atomic.js';
import type { GraphFold, GraphSummary, NodeFold } from '../../store/graph-fold.js';
import type { GraphReader } from '../../store/graph-reader.js';
import type { GraphStore } from '../../store/graph-store.js';
import type { NumberedEntry } from '../../store/journal-file.js';
import { type NodeNames, type NodeNamesCache, nameOf, numberOf } from '../../store/node-names.js';
import type { ApiDeps } from '../deps.js';
import type { GraphEvent } from '../schemas/graph-events.js';
import type { ListedNode, NodeDetails, NodeListQuery, NodeState, ShownNodeState } from '../schemas/graph-nodes.js';
import type { GraphState } from '../schemas/graphs.js';
import { temporalUiBase } from '../temporal-links.js';
import type { LostRuns } from './lost-runs.js';

/** Records of queued nodes that are looked at to tell those that run; more are in flight only by mistake. */
const maxRecords = 1000;
const readers = 32;
/** Of more queued nodes than this, those that run are counted anew only so often, in milliseconds: it takes a file of each. */
const manyQueued = 32;
const countAgainMs = 250;

/** A graph at a moment: what was asked for, and what came of it so far. */
export interface GraphView {
  readonly header: GraphHeader;
  readonly fold: GraphFold;
  readonly names: NodeNames;
}

/** The same without the nodes. */
interface Summed {
  readonly header: GraphHeader;
  readonly fold: GraphSummary;
}

/** A node, wherever what is known of it lies. */
interface NodeView {
  readonly number: number;
  /** Of an item the map that it comes from; null for nodes that only the journal knows. */
  readonly spec: NodeSpec | null;
  readonly fold: NodeFold;
  /** null before its first attempt, and for barriers and maps. */
  readonly record: JobRecord | null;
}

/** Graphs and their nodes as clients see them, from the share; Temporal is asked only where a journal is silent for long. */
export class GraphsReader {
  readonly #deps: ApiDeps;
  readonly #store: GraphStore;
  readonly #reader: GraphReader;
  readonly #names: NodeNamesCache;
  readonly #lost: LostRuns;
  /** Of graphs that were asked for just now: how many of their nodes run. */
  readonly #counted = new Map<string, { readonly at: number; readonly running: number }>();

  constructor(deps: ApiDeps, store: GraphStore, reader: GraphReader, names: NodeNamesCache, lost: LostRuns) {
    this.#deps = deps;
    this.#store = store;
    this.#reader = reader;
    this.#names = names;
    this.#lost = lost;
  }

  /** @throws EngineError NOT_FOUND */
  async view(graphId: string): Promise<GraphView> {
    const view = await this.viewIfThere(graphId);
    if (view === null) throw new EngineError('NOT_FOUND', `there is no graph ${graphId}`);
    return view;
  }

  async viewIfThere(graphId: string): Promise<GraphView | null> {
    const header = await this.#headerOf(graphId);
    if (header === null) return null;
    const [before, names] = await Promise.all([this.#reader.fold(graphId), this.#names.of(graphId)]);
    const hasLooked = await this.#lost.look(header, before, names.names.length - 1);
    return { header, fold: hasLooked ? await this.#reader.fold(graphId) : before, names };
  }

  async #headerOf(graphId: string): Promise<GraphHeader | null> {
    if (nodeIndexOf(graphId) !== 0) return null;
    const header = await this.#store.header(graphId);
    // Ids are case-sensitive, whatever the file system of the share thinks.
    return header?.graphId === graphId ? header : null;
  }

  /** null: there is no such graph. */
  async labels(graphId: string): Promise<Readonly<Record<string, string>> | null> {
    return (await this.#store.header(graphId))?.labels ?? null;
  }

  /** The number of the node that a client speaks of, or null. */
  find({ fold, names }: GraphView, node: string): number | null {
    return numberOf(node, names, fold);
  }

  /** @throws EngineError NOT_FOUND */
  number(view: GraphView, node: string): number {
    const number = this.find(view, node);
    if (number !== null) return number;
    throw new EngineError('NOT_FOUND', `graph ${view.header.graphId} has no node ${JSON.stringify(node)}`);
  }

  nameOf({ fold, names }: GraphView, number: number): string {
    return nameOf(number, names, fold);
  }

  state({ header, fold, names }: GraphView): Promise<GraphState> {
    return this.#state({ header, fold }, names.names.length - 1);
  }

  /** The state of a graph in a list: its nodes are not read for it. null: there is no such graph. */
  async listed(graphId: string): Promise<GraphState | null> {
    const header = await this.#headerOf(graphId);
    if (header === null) return null;
    const [before, declared] = await Promise.all([this.#reader.summary(graphId), this.#store.count(graphId)]);
    const hasLooked = await this.#lost.look(header, before, declared);
    return this.#state({ header, fold: hasLooked ? await this.#reader.summary(graphId) : before }, declared);
  }

  /** @param declared number of nodes in the document */
  async #state(view: Summed, declared: number): Promise<GraphState> {
    const { header, fold } = view;
    const counts = fold.counts(declared);
    // Taken with the counts: the fold may go on while records are read.
    const lastEvent = fold.entries;
    const running = await this.#running(view);
    return {
      id: header.graphId,
      name: header.name,
      state: fold.state,
      message: fold.message,
      mode: header.open && !fold.closed && fold.endedAt === null ? 'open' : 'closed',
      front: header.front,
      labels: header.labels,
      on_failure: header.onFailure,
      max_parallel: maxParallelOf(view),
      counts: { ...counts, queued: counts.queued - running, running },
      last_event: lastEvent,
      time_info: { request: header.timeRequest, started: timeOf(fold.startedAt), stopped: timeOf(fold.endedAt) },
      parent: header.parent?.jobId ?? null,
      retry_of: header.retryOf,
      workflow: await this.#workflow(view),
      links: this.links(header.graphId),
    };
  }

  async #workflow({ header, fold }: Summed): Promise<GraphState['workflow']> {
    const { graphId, workflow, workflowVersion = '' } = header;
    if (workflow === null) return null;
    const text = fold.state === 'succeeded' ? await readTextIfExists(this.#store.paths(graphId).result) : null;
    return { name: workflow, version: workflowVersion, result: text === null ? null : (JSON.parse(text) as Json) };
  }

  links(graphId: string): Record<string, string> {
    const { temporalUi } = this.#deps.options;
    return temporalUi === null ? {} : { temporal: `${temporalUiBase(temporalUi)}/workflows/${graphId}` };
  }

  async #running({ header: { graphId }, fold }: Summed): Promise<number> {
    const queued = [...fold.queued].slice(0, maxRecords);
    const before = this.#counted.get(graphId);
    if (before !== undefined && queued.length > manyQueued && performance.now() - before.at < countAgainMs)
      return Math.min(before.running, queued.length);
    const records = await inBatches(queued, (number) => this.#record(graphId, number));
    const running = records.filter((record) => record?.status === 'RUNNING').length;
    this.#remember(graphId, running);
    return running;
  }

  #remember(graphId: string, running: number): void {
    const at = performance.now();
    for (const [id, counted] of this.#counted) if (at - counted.at >= countAgainMs) this.#counted.delete(id);
    this.#counted.set(graphId, { at, running });
  }

  async nodes(view: GraphView, query: NodeListQuery): Promise<{ nodes: ListedNode[]; next: string | null }> {
    const { fold } = view;
    const wanted = query.state === undefined ? null : new Set<ShownNodeState>(query.state);
    const found: ListedNode[] = [];
    let last = query.cursor ?? 0;
    let batch: number[] = [];
    const flush = async () => {
      for (const known of await this.#views(view, batch)) {
        const state = this.#present(view, known);
        const node = query.attempts ? { ...state, attempts: known.record?.attempts ?? [] } : state;
        if (found.length < query.limit && (wanted === null || wanted.has(node.state))) {
          found.push(node);
          last = node.number;
        }
      }
      batch = [];
    };
    for (const number of numbersAfter(view, query.cursor ?? 0)) {
      // The journal does not tell who of the queued ones runs: their records do.
      const { state } = fold.node(number);
      if (wanted !== null && !wanted.has(state) && !(state === 'queued' && wanted.has('running'))) continue;
      batch.push(number);
      if (batch.length >= query.limit) await flush();
      if (found.length >= query.limit) break;
    }
    await flush();
    const isFull = found.length >= query.limit && !numbersAfter(view, last).next().done;
    return { nodes: found, next: isFull ? String(last) : null };
  }

  async node(view: GraphView, number: number): Promise<NodeDetails> {
    const [known] = await this.#views(view, [number]);
    const { spec, fold, record } = known as NodeView;
    const { graphId } = view.header;
    const mapped = view.fold.mapped(number);
    const command = spec?.command ?? null;
    return {
      ...this.#present(view, known as NodeView),
      process: spec?.process ?? record?.process ?? null,
      entrypoint: spec === null || spec.kind !== 'script' ? null : spec.entrypoint,
      command: command === null ? null : [command.program, ...command.args],
      trigger: spec?.trigger ?? 'all_succeeded',
      when: spec?.when ?? null,
      map: spec?.map ?? null,
      params: await this.#params(view, number, spec),
      items: mapped === null ? null : { first: mapped.first, count: mapped.count },
      priority: fold.priority ?? spec?.priority ?? 3,
      time_limit: spec?.timeLimit ?? null,
      retries: spec?.retry.maxRetries ?? 0,
      tags: spec?.tags ?? {},
      callback: spec?.callback == null ? null : { url: spec.callback.url },
      time_info: {
        request: view.header.timeRequest,
        started: record?.timeInfo.started ?? null,
        stopped: record?.timeInfo.stopped ?? timeOf(fold.endedAt),
      },
      attempts: record?.attempts ?? [],
      links: this.links(graphId),
    };
  }

  /** Those that its job was given, where there is one already. */
  async #params({ header, names }: GraphView, number: number, spec: NodeSpec | null): Promise<string | null> {
    const job = await this.#deps.store.readSpec(jobIdOf(header.graphId, number));
    if (job !== null && job.command === undefined) return job.paramsText;
    if (spec === null || spec.kind === 'command') return null;
    const { params } = spec;
    if ('text' in params) return params.text;
    const templates = [params.of].flat().map((of) => `\${{ nodes[${JSON.stringify(names.names[of])}].result }}`);
    return JSON.stringify(params.kind === 'value' ? templates[0] : templates);
  }

  /** The short state of a node. */
  async present(view: GraphView, number: number): Promise<NodeState> {
    return (await this.#describe(view, [number]))[0] as NodeState;
  }

  /** Those of the numbers that have a job: barriers and maps have none. */
  async withJobs(view: GraphView, numbers: readonly number[]): Promise<number[]> {
    const specs = await this.#specs(view, numbers);
    return numbers.filter((number) => number >= firstItemNumber || hasJob(specs.get(number)));
  }

  /** What is stored of a node, for those who explain it. */
  async raw(view: GraphView, number: number): Promise<NodeView> {
    return (await this.#views(view, [number]))[0] as NodeView;
  }

  stateOf(view: NodeView): ShownNodeState {
    return view.fold.state === 'queued' && view.record?.status === 'RUNNING' ? 'running' : view.fold.state;
  }

  /** Events after a number, as far as there are. */
  async events(view: GraphView, after: number, limit: number): Promise<GraphEvent[]> {
    const { graphId } = view.header;
    const entries = await this.#reader.events(graphId, after, limit);
    if (entries.length === 0) return [];
    // Read again: the journal may speak of nodes that were added since.
    const fresh = { ...view, fold: await this.#reader.fold(graphId), names: await this.#names.of(graphId) };
    return entries.map((numbered) => this.#event(fresh, numbered));
  }

  forget(graphId: string): void {
    this.#reader.forget(graphId);
    this.#names.forget(graphId);
  }

  #event(view: GraphView, { seq, entry }: NumberedEntry): GraphEvent {
    const { at, type, node, n: _repeated, ...rest } = entry;
    const place =
      node === undefined
        ? {}
        : { node: this.nameOf(view, node), number: node, job: jobIdOf(view.header.graphId, node) };
    return { seq, at, type, ...place, ...rest };
  }

  async #describe(view: GraphView, numbers: readonly number[]): Promise<NodeState[]> {
    return (await this.#views(view, numbers)).map((node) => this.#present(view, node));
  }

  #present(view: GraphView, node: NodeView): NodeState {
    const { number, spec, fold, record } = node;
    const item = number >= firstItemNumber ? view.fold.itemOf(number) : null;
    const isMap = spec?.map != null && item === null;
    const isJob = item !== null || hasJob(spec ?? undefined);
    const id = this.nameOf(view, number);
    const state = this.stateOf(node);
    const deps = item === null ? (spec?.deps ?? fold.deps ?? []) : [];
    return {
      id,
      number,
      job: isJob ? jobIdOf(view.header.graphId, number) : null,
      label: record?.name ?? (item === null ? (spec?.name ?? fold.label ?? id) : id),
      state,
      message: fold.message,
      fault: fold.fault,
      kind: isMap ? 'map' : (spec?.kind ?? 'script'),
      queue: spec?.kind === 'barrier' ? null : (record?.queue ?? fold.queue ?? spec?.queue ?? null),
      attempt: Math.max(fold.attempt, record?.attempts.at(-1)?.attempt ?? 0),
      progress: state === 'running' ? (record?.progress ?? null) : state === 'succeeded' ? 100 : null,
      deps: deps.map((dep) => this.nameOf(view, dep)),
    };
  }

  async #views(view: GraphView, numbers: readonly number[]): Promise<NodeView[]> {
    const { header, fold } = view;
    const specs = await this.#specs(view, numbers);
    const records = await inBatches(numbers, (number) =>
      fold.node(number).state === 'waiting' ? null : this.#record(header.graphId, number),
    );
    return numbers.map((number, at) => ({
      number,
      spec: specs.get(number) ?? null,
      fold: fold.node(number),
      record: records[at] ?? null,
    }));
  }

  /** Neighbours are read together; of items the node that they come from. */
  async #specs({ header, fold }: GraphView, numbers: readonly number[]): Promise<Map<number, NodeSpec>> {
    const origin = (number: number) => (number >= firstItemNumber ? (fold.itemOf(number)?.map ?? number) : number);
    const declared = [...new Set(numbers.map(origin))]
      .filter((number) => number < firstItemNumber)
      .sort((a, b) => a - b);
    const found = new Map<number, NodeSpec>();
    for (let at = 0; at < declared.length; ) {
      const first = declared[at] as number;
      let count = 1;
      while (declared[at + count] === first + count) count += 1;
      for (const spec of await this.#store.nodes(header.graphId, first, count)) found.set(spec.index, spec);
      at += count;
    }
    return new Map(
      numbers.flatMap((number): [number, NodeSpec][] => {
        const spec = found.get(origin(number));
        return spec === undefined ? [] : [[number, spec]];
      }),
    );
  }

  async #record(graphId: string, number: number): Promise<JobRecord | null> {
    return this.#deps.store.readRecord(jobIdOf(graphId, number));
  }
}

function hasJob(spec: NodeSpec | undefined): boolean {
  return spec === undefined || (spec.kind !== 'barrier' && spec.map === null);
}

/** Declared nodes, then items of maps, then what only the journal knows; ascending, after a number. */
export function* numbersAfter({ fold, names }: GraphView, after: number): Generator<number, undefined> {
  const declared = names.names.length - 1;
  for (let number = Math.max(1, after + 1); number <= declared; number++) yield number;
  if (declared === 0) {
    // Workflow files declare their nodes by starting them.
    for (const number of [...fold.touched.keys()].sort((a, b) => a - b)) {
      if (number > after && number < firstItemNumber) yield number;
    }
  }
  for (const { first, count } of fold.maps) {
    for (let number = Math.max(first, after + 1); number < first + count; number++) yield number;
  }
  return undefined;
}

async function inBatches<T, R>(items: readonly T[], task: (item: T) => R | Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += readers) {
    results.push(...(await Promise.all(items.slice(at, at + readers).map(task))));
  }
  return results;
}

/** Journals end their times with `Z`; records, and so all answers, with `+00:00`. */
function timeOf(at: string | null): string | null {
  return at === null ? null : at.replace(/\.(\d{3})Z$/, '.$1000+00:00');
}

/** How many attempts may be under way, as it was asked for last; null: as many as the engine starts. */
export function maxParallelOf({ header, fold }: Summed): number | null {
  return fold.limit === undefined ? header.maxParallel : fold.limit;
}
