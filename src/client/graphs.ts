import { randomUUID } from 'node:crypto';
import { type FollowOptions, follow } from './event-stream.js';
import { type CallOptions, type Http, jsonBody, queryText } from './http.js';
import type { LogChoice, SubmitOptions } from './jobs.js';
import { type Field, multipartBody, type Upload } from './multipart.js';
import type { Body } from './transport.js';
import type {
  AddedNodes,
  DeletedGraph,
  GraphDocument,
  GraphEvent,
  GraphEvents,
  GraphList,
  GraphQuery,
  GraphState,
  NewGraph,
  NodeDetails,
  NodeList,
  NodeQuery,
  NodeState,
  NodesTold,
  Validation,
  Why,
} from './types.js';

/** Files under the names by which nodes call them. */
export type GraphFiles = Readonly<Record<string, Upload>>;

/** The calls below `/graphs`. A node is named by its id or its number. */
export class Graphs {
  readonly #http: Http;

  constructor(http: Http) {
    this.#http = http;
  }

  /** Creates a graph and starts it. */
  async submit(
    /** The document, or its JSON text, which keeps the digits of its numbers. */
    graph: GraphDocument | string,
    files: GraphFiles = {},
    { onProgress, idempotencyKey, signal }: SubmitOptions = {},
  ): Promise<NewGraph> {
    return this.#http.post('/graphs', {
      body: await bodyOf('graph', graph, files, onProgress),
      headers: { 'idempotency-key': idempotencyKey ?? randomUUID() },
      signal,
      repeatable: true,
    });
  }

  /** Checks a graph and shows its plan; creates nothing. */
  async validate(
    graph: GraphDocument | string,
    files: GraphFiles = {},
    { onProgress, signal }: SubmitOptions = {},
  ): Promise<Validation> {
    const body = await bodyOf('graph', graph, files, onProgress);
    return this.#http.post('/graphs/validate', { body, signal, repeatable: true });
  }

  /** Newest first. */
  list({ since, until, ...rest }: GraphQuery = {}, options?: CallOptions): Promise<GraphList> {
    const text = (time: Date | string | undefined) => (time instanceof Date ? time.toISOString() : time);
    return this.#http.get('/graphs', { ...rest, since: text(since), until: text(until) }, options);
  }

  /** State, numbers of nodes by state, times. */
  state(id: string, options?: CallOptions): Promise<GraphState> {
    return this.#http.get(pathOf(id), {}, options);
  }

  /** A page of nodes, by number. */
  nodes(id: string, query: NodeQuery = {}, options?: CallOptions): Promise<NodeList> {
    return this.#http.get(`${pathOf(id)}/nodes`, query, options);
  }

  /** All nodes, page by page. */
  async allNodes(id: string, query: NodeQuery = {}, options?: CallOptions): Promise<NodeState[]> {
    const all: NodeState[] = [];
    let cursor: number | undefined;
    for (;;) {
      const { nodes, next } = await this.nodes(id, { limit: 1000, ...query, cursor }, options);
      all.push(...nodes);
      if (next === null) return all;
      cursor = Number(next);
    }
  }

  /** Everything known of a node. */
  node(id: string, node: string, options?: CallOptions): Promise<NodeDetails> {
    return this.#http.get(nodePath(id, node), {}, options);
  }

  /** Why a node does not run. */
  why(id: string, node: string, options?: CallOptions): Promise<Why> {
    return this.#http.get(`${nodePath(id, node)}/why`, {}, options);
  }

  /** What a node printed, in its last attempt unless another is asked for. */
  log(id: string, node: string, { attempt, tail }: LogChoice = {}, options?: CallOptions): Promise<string> {
    return this.#http.text(`${nodePath(id, node)}/log`, { attempt, tail }, options);
  }

  /** What has happened after event number `after`; waits up to `wait` seconds for the next where there is none. */
  events(
    id: string,
    query: { readonly after?: number; readonly wait?: number; readonly limit?: number } = {},
    options?: CallOptions,
  ): Promise<GraphEvents> {
    return this.#http.get(`${pathOf(id)}/events`, query, options);
  }

  /** Everything that happens, from event number `after` on, until the graph has ended or is deleted. */
  async *watch(id: string, options: FollowOptions & { readonly after?: number } = {}): AsyncGenerator<GraphEvent> {
    const path = `${pathOf(id)}/events${queryText({ after: options.after })}`;
    const isLast = ({ event }: { event: string }) => event === 'ended' || event === 'deleted';
    for await (const { event, data } of follow(this.#http, path, isLast, options)) {
      if (event !== 'deleted') yield data as GraphEvent;
    }
  }

  /** @param options waitSeconds: answer when the graph has ended, at most so much later */
  cancel(id: string, { waitSeconds, ...options }: CallOptions & { waitSeconds?: number } = {}): Promise<GraphState> {
    return this.#http.post(`${pathOf(id)}/cancel${queryText({ wait: waitSeconds })}`, { ...options, repeatable: true });
  }

  /** Starts nothing more; what runs goes on. */
  pause(id: string, options?: CallOptions): Promise<GraphState> {
    return this.#http.post(`${pathOf(id)}/pause`, { ...options, repeatable: true });
  }

  /** Goes on after a pause. */
  resume(id: string, options?: CallOptions): Promise<GraphState> {
    return this.#http.post(`${pathOf(id)}/resume`, { ...options, repeatable: true });
  }

  /** More nodes for an open graph: what became of each, in the order of the request. The same nodes can be sent again. */
  async add(
    id: string,
    nodes: GraphDocument | string,
    files: GraphFiles = {},
    { onProgress, idempotencyKey, signal }: SubmitOptions = {},
  ): Promise<AddedNodes> {
    return this.#http.post(`${pathOf(id)}/nodes`, {
      body: await bodyOf('graph', nodes, files, onProgress),
      headers: { 'idempotency-key': idempotencyKey ?? randomUUID() },
      signal,
      repeatable: true,
    });
  }

  /** No more nodes: an open graph may end. */
  close(id: string, options?: CallOptions): Promise<GraphState> {
    return this.#http.post(`${pathOf(id)}/close`, { ...options, repeatable: true });
  }

  /** 0 first … 9 last, for what has not started. */
  setPriority(id: string, priority: number, options?: CallOptions): Promise<GraphState> {
    return this.#http.patch(pathOf(id), jsonBody({ priority }), options);
  }

  /** How many of its nodes may run at the same time from now on; null: as many as the engine starts. */
  setMaxParallel(id: string, most: number | null, options?: CallOptions): Promise<GraphState> {
    return this.#http.patch(pathOf(id), jsonBody({ max_parallel: most }), options);
  }

  /** Stops some nodes; the rest goes on, as far as it does not need them. */
  cancelNodes(id: string, ids: readonly string[], options?: CallOptions): Promise<NodesTold> {
    return this.#http.post(`${pathOf(id)}/nodes/cancel`, { ...options, body: jsonBody({ ids }), repeatable: true });
  }

  /** What did not succeed runs again, as a new graph. */
  retry(id: string, { idempotencyKey, signal }: SubmitOptions = {}): Promise<NewGraph> {
    const headers = { 'idempotency-key': idempotencyKey ?? randomUUID() };
    return this.#http.post(`${pathOf(id)}/retry`, { headers, signal, repeatable: true });
  }

  /** One node again, while its graph runs. */
  retryNode(id: string, node: string, options?: CallOptions): Promise<NodeState> {
    return this.#http.post(`${nodePath(id, node)}/retry`, { ...options, repeatable: false });
  }

  /** Removes a graph that has ended, with all its jobs. */
  delete(id: string, options?: CallOptions): Promise<DeletedGraph> {
    return this.#http.delete(pathOf(id), options);
  }
}

const pathOf = (id: string) => `/graphs/${encodeURIComponent(id)}`;
const nodePath = (id: string, node: string) => `${pathOf(id)}/nodes/${encodeURIComponent(node)}`;

/** JSON where there are no files, else a form with the document as one of its parts. */
export async function bodyOf(
  part: string,
  document: GraphDocument | string,
  files: GraphFiles,
  onProgress?: SubmitOptions['onProgress'],
): Promise<Body> {
  const text = typeof document === 'string' ? document : JSON.stringify(document);
  const names = Object.entries(files);
  if (names.length === 0) {
    const bytes = Buffer.from(text);
    const open = async function* () {
      yield bytes;
    };
    return { type: 'application/json', sizeBytes: bytes.length, open };
  }
  const fields: Field[] = [
    { name: part, value: text, type: 'application/json' },
    ...names.map(([name, upload]) => ({ name, value: { upload } })),
  ];
  return multipartBody(fields, onProgress);
}
