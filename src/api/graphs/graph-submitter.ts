import { type CheckedGraph, checkNodes, numbered } from '../../compile/compile.js';
import type { GraphChecker } from '../../compile/graph-checker.js';
import { Problems } from '../../compile/problems.js';
import { type AskedGraph, readGraph } from '../../compile/read-request.js';
import { inSlices } from '../../compile/slices.js';
import { longestWay } from '../../compile/topology.js';
import type { GraphInput } from '../../contract/graph.js';
import type { GraphHeader, NodeSpec } from '../../contract/graph-document.js';
import type { FileRef } from '../../contract/job.js';
import { graphIdFromKey, newGraphId } from '../../contract/new-graph-id.js';
import { preciseNow, utcWithoutOffset } from '../../contract/time.js';
import { EngineError } from '../../errors/engine-error.js';
import { errorCode } from '../../store/atomic.js';
import type { KnownFile } from '../../store/graph-inputs.js';
import { planNode } from '../../store/graph-plan.js';
import type { GraphStore, IncomingGraph } from '../../store/graph-store.js';
import { currentTrace } from '../../telemetry/current-trace.js';
import type { ApiDeps, Request } from '../deps.js';
import type { QueueWatch } from '../queue-watch.js';
import type { Plan, Validation } from '../schemas/graphs.js';
import { KeyedLock } from '../submission/keyed-lock.js';
import { mayHaveStarted } from '../submission/unknown-start.js';
import { type ReceivedGraph, receiveGraph, type Upload } from './receive-graph.js';
import { GraphRefusal } from './refusal.js';

/** Queues of a plan that are looked up; custom ones are free text of users. */
const maxShownQueues = 100;

/** What goes into the history with the start of a run. */
const mostInline = 400;
const mostInlineBytes = 200_000;

interface Checked {
  readonly received: ReceivedGraph;
  readonly asked: AskedGraph;
  readonly graph: CheckedGraph;
  readonly nodes: readonly NodeSpec[];
}

/**
 * From a request to a running graph, in the order of `Submitter`: receive apart, check everything, commit as a whole, start.
 * A graph that cannot be started is taken back, unless the client can ask for it again ({@link mayHaveStarted}).
 */
export class GraphSubmitter {
  readonly #deps: ApiDeps;
  readonly #store: GraphStore;
  readonly #checker: GraphChecker;
  readonly #queues: QueueWatch;
  readonly #lock = new KeyedLock();

  constructor(deps: ApiDeps, store: GraphStore, checker: GraphChecker, queues: QueueWatch) {
    this.#deps = deps;
    this.#store = store;
    this.#checker = checker;
    this.#queues = queues;
  }

  /** @throws GraphRefusal */
  async submit(request: Request, key: string | null): Promise<GraphHeader> {
    const incoming = await this.#receive();
    try {
      const graphId = key === null ? newGraphId() : graphIdFromKey(`graphs\n${key}`);
      const problems = new Problems();
      const { received, asked, nodes } = await this.#check(request, incoming, graphId, problems);
      if (problems.count > 0) throw new GraphRefusal(problems);
      const header = headerOf(graphId, asked, key === null ? null : received.digest);
      if (key === null) {
        await incoming.commit(header, nodes);
        await this.#start(header, nodes);
        return header;
      }
      return await this.#lock.run(graphId, async () => {
        await this.#checkKeyIsFree(graphId);
        if (!(await incoming.commit(header, nodes))) return this.#repeated(header);
        await this.#start(header, nodes);
        return header;
      });
    } finally {
      await incoming.discard();
    }
  }

  /** The same checks, and nothing else. */
  async validate(request: Request): Promise<Validation> {
    const incoming = await this.#receive();
    try {
      const problems = new Problems();
      const checked = await this.#check(request, incoming, newGraphId(), problems);
      const plan = problems.count === 0 ? await this.#plan(checked) : null;
      return { valid: problems.count === 0, problems: [...problems.list], problem_count: problems.count, plan };
    } finally {
      await incoming.discard();
    }
  }

  /** Starts a graph that has just been committed. On failure it is taken back, unless a repeat may find it. */
  async #start(header: GraphHeader, nodes: readonly NodeSpec[]): Promise<void> {
    try {
      await this.start(header, nodes);
    } catch (error) {
      const hasKey = header.digest !== null;
      if (!hasKey || !mayHaveStarted(error)) await this.#store.remove(header.graphId);
      throw error;
    }
  }

  /** Starting one that has been started before changes nothing. */
  async start(header: GraphHeader, nodes: readonly NodeSpec[]): Promise<void> {
    const input: GraphInput = {
      graphId: header.graphId,
      ...planOf(nodes),
      journal: true,
      onFailure: header.onFailure,
      ...(header.open ? { open: true as const } : {}),
      ...(header.maxParallel === null ? {} : { maxParallel: header.maxParallel }),
    };
    // Of a graph with several queues its label tells none.
    this.#queues.remember(
      nodes.map(({ queue }) => queue),
      header.graphId,
    );
    await this.#deps.engine.startGraph(input, {
      name: header.name,
      queue: oneQueue(nodes),
      process: 'graph',
      front: header.front,
    });
  }

  /** See `Submitter`: a graph id names one run for ever. */
  async #checkKeyIsFree(graphId: string): Promise<void> {
    if ((await this.#store.header(graphId)) !== null || (await this.#deps.engine.isOpen(graphId)) === null) return;
    throw new EngineError(
      'CONFLICT',
      'this Idempotency-Key was used for a graph that has been deleted: use a new key for a new graph',
    );
  }

  async #repeated(header: GraphHeader): Promise<GraphHeader> {
    const first = await this.#store.header(header.graphId);
    if (first === null || first.digest !== header.digest) {
      throw new EngineError(
        'CONFLICT',
        'this Idempotency-Key was used for another request: use a new key for a new graph',
      );
    }
    // The API may have died between commit and start, or never heard whether it worked; starting again changes nothing where the graph is known.
    if ((await this.#deps.engine.isOpen(first.graphId)) === null) {
      const nodes = await this.#store.nodes(first.graphId, 1, await this.#store.count(first.graphId));
      await this.start(first, nodes);
    }
    return first;
  }

  async #receive(): Promise<IncomingGraph> {
    try {
      return await this.#store.receive();
    } catch (error) {
      throw new EngineError('UNAVAILABLE', `the share cannot be written (${errorCode(error)})`, {}, { cause: error });
    }
  }

  async #check(request: Request, incoming: IncomingGraph, graphId: string, problems: Problems): Promise<Checked> {
    const received = await receiveGraph(request, incoming.inputs, this.#deps.options.maxUploadBytes, problems);
    const asked = await inSlices(readGraph(received.text, problems));
    const place = { known: new Map<string, number>(), first: 1 };
    const files = filesOf(graphId, received.uploads);
    const facts = await this.#checker.facts(asked.nodes, asked.defaults, files, place);
    const graph = await inSlices(checkNodes(asked.nodes, asked.defaults, facts, problems));
    return { received, asked, graph, nodes: problems.count === 0 ? await inSlices(numbered(graph.nodes, facts)) : [] };
  }

  async #plan({ graph, nodes }: Checked): Promise<Plan> {
    const { deps, topology } = graph;
    const width = new Map<number, number>();
    for (const level of topology.level) width.set(level, (width.get(level) ?? 0) + 1);
    const idAt = (at: number): string => (nodes[at] as NodeSpec).id;
    const perQueue = new Map<string, number>();
    for (const { queue, kind } of nodes) if (kind !== 'barrier') perQueue.set(queue, (perQueue.get(queue) ?? 0) + 1);
    const queues = [...perQueue].slice(0, maxShownQueues).map(async ([queue, count]) => {
      const stats = await this.#queues.stats(queue).catch(() => null);
      return { queue, nodes: count, served: stats === null ? null : stats.pollers > 0 };
    });
    return {
      nodes: nodes.length,
      dependencies: nodes.reduce((sum, node) => sum + node.deps.length, 0),
      levels: width.size,
      widest: [...width.values()].reduce((most, count) => Math.max(most, count), 0),
      critical_path: longestWay(deps, topology).map(idAt),
      order: topology.order.map(idAt),
      waits_for: Object.fromEntries(
        nodes.flatMap((node) => (node.deps.length === 0 ? [] : [[node.id, node.deps.map((dep) => idAt(dep - 1))]])),
      ),
      queues: await Promise.all(queues),
    };
  }
}

/** Where the files of a request will lie once it is accepted. */
function filesOf(graphId: string, uploads: ReadonlyMap<string, Upload>): Map<string, KnownFile> {
  const entries = [...uploads].map(([name, { place, path }]): [string, KnownFile] => {
    const ref: FileRef = { share: `${graphId}/inputs/${place}` };
    return [name, { ref, path }];
  });
  return new Map(entries);
}

function headerOf(graphId: string, { head, paramsText }: AskedGraph, digest: string | null): GraphHeader {
  return {
    version: 1,
    graphId,
    name: head.name ?? null,
    labels: head.labels ?? {},
    ...(paramsText === null ? {} : { paramsText }),
    front: 'rest',
    open: head.mode === 'open',
    onFailure: head.on_failure ?? 'finish',
    maxParallel: head.max_parallel ?? null,
    parent: null,
    retryOf: null,
    workflow: null,
    timeRequest: utcWithoutOffset(preciseNow()),
    digest,
    ...currentTrace(),
  };
}

/** A small plan goes with the start; a large one is read by the interpreter. */
function planOf(nodes: readonly NodeSpec[]): Pick<GraphInput, 'nodes' | 'stored'> {
  if (nodes.length <= mostInline) {
    const plan = nodes.map(planNode);
    if (JSON.stringify(plan).length <= mostInlineBytes) return { nodes: plan };
  }
  return { nodes: [], stored: nodes.length };
}

/** For lists: the queue that all nodes are on, or nothing. */
function oneQueue(nodes: readonly NodeSpec[]): string {
  const queues = new Set<string>();
  for (const { kind, queue } of nodes) if (kind !== 'barrier') queues.add(queue);
  const [first] = queues;
  return queues.size === 1 && first !== undefined ? first : '';
}
