import { createHash } from 'node:crypto';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type CanvasSubmission, scriptRequestSchema } from '../contract/canvas.js';
import type { GraphInput, RunLabels } from '../contract/graph.js';
import type { GraphHeader, NodeSpec } from '../contract/graph-document.js';
import { graphIdOf, jobIdOf, nodeIndexOf } from '../contract/ids.js';
import { isTerminal, type JobSpec } from '../contract/job.js';
import type { Json } from '../contract/json.js';
import { graphIdFromKey } from '../contract/new-graph-id.js';
import { queueNamePattern } from '../contract/queues.js';
import { preciseNow, utcWithoutOffset } from '../contract/time.js';
import { type RetryOptions, retryPolicyOf } from '../graph/retry-policy.js';
import { planNode } from '../store/graph-plan.js';
import type { GraphShare } from '../store/graph-share.js';
import type { JobStore } from '../store/job-store.js';
import { readSent, type Sent, type SentCanceller } from '../store/sent-canvases.js';

/** What canvases need of the engine, and of the settings. */
export interface CanvasDeps extends SentCanceller {
  /** Starting a graph that runs, or has run, under its id changes nothing. */
  readonly startGraph: (input: GraphInput, labels: RunLabels) => Promise<void>;
  /** Whether the server was away: then the same call is made again. */
  readonly isUnreachable: (error: unknown) => boolean;
  readonly retry: RetryOptions;
}

/** While the Temporal server is away, the script waits for it; its own time limit goes on. */
const patienceMs = 500;

/** One retry on faults, whatever the job that sends it has. */
const maxRetries = 1;
/** A plan up to this size goes with the start of its graph: the interpreter need not ask for it. */
const inlineNodes = 400;
const inlineBytes = 200_000;

/**
 * The requests of one attempt's script. A graph's id follows from the job and the number of the call, so the script of a
 * second attempt gets the graphs of the first one back, finished or not (W12). A script that goes another way the second
 * time is told by the structure of what it sends, and gets a new graph.
 */
export class CanvasDesk {
  readonly #store: JobStore;
  readonly #graphs: GraphShare;
  readonly #deps: CanvasDeps;
  readonly #jobId: string;
  /** Where what the script sends stands in its trace. */
  readonly #traced: { readonly trace?: string };
  #closed = false;

  constructor(store: JobStore, graphs: GraphShare, deps: CanvasDeps, jobId: string, trace?: string) {
    this.#store = store;
    this.#graphs = graphs;
    this.#deps = deps;
    this.#jobId = jobId;
    this.#traced = trace === undefined ? {} : { trace };
  }

  /** @throws an Error whose message is for the script */
  async answer(request: unknown): Promise<Json> {
    const asked = scriptRequestSchema.safeParse(request);
    if (!asked.success) throw new Error(`the worker does not understand this canvas: ${z.prettifyError(asked.error)}`);
    if (asked.data.kind === 'revoke') {
      const reason = `revoked by the script of job ${this.#jobId}`;
      for (const job of asked.data.jobs) await this.#patiently(() => this.#deps.cancelJob(job, reason));
      return null;
    }
    return { graphId: await this.#submit(asked.data) };
  }

  /** The script has ended: nothing is started for it any more. */
  close(): void {
    this.#closed = true;
  }

  async #patiently<T>(call: () => Promise<T>): Promise<T> {
    for (;;) {
      if (this.#closed) throw new Error('the script has ended');
      try {
        return await call();
      } catch (error) {
        if (!this.#deps.isUnreachable(error)) throw error;
        await new Promise((resolve) => setTimeout(resolve, patienceMs));
      }
    }
  }

  // --- sending ----------------------------------------------------------------------------------------------------

  async #submit(asked: CanvasSubmission): Promise<string> {
    const nodes = checkedNodes(asked, this.#deps.retry);
    const [only] = nodes;
    const alone = nodes.length === 1 && only !== undefined && only.params.kind === 'text';
    if (asked.taskId !== null) {
      if (!alone || nodeIndexOf(asked.taskId) === 0)
        throw new Error(`task_id ${asked.taskId} cannot be chosen: its last 8 digits are a number from 1 on`);
      return this.#sendAlone(asked, { ...only, index: nodeIndexOf(asked.taskId) }, graphIdOf(asked.taskId));
    }
    const key = `canvas\n${this.#jobId}\n${asked.call}`;
    const digest = structureOf(nodes);
    for (const graphId of [graphIdFromKey(key), graphIdFromKey(`${key}\n${digest}`)]) {
      const sent = alone
        ? await this.#sendIfSame(asked, only, graphId, digest)
        : await this.#sendGraph(asked, nodes, graphId, digest);
      if (sent !== null) return sent;
    }
    throw new Error('this canvas meets an earlier one that is not the same');
  }

  /** A graph with a document. @returns null when another one has this id */
  async #sendGraph(
    asked: CanvasSubmission,
    nodes: readonly NodeSpec[],
    graphId: string,
    digest: string,
  ): Promise<string | null> {
    const { documents, reader } = this.#graphs;
    const header: GraphHeader = {
      version: 1,
      graphId,
      name: asked.name,
      labels: {},
      front: 'script',
      open: false,
      onFailure: 'finish',
      maxParallel: null,
      parent: { jobId: this.#jobId, call: asked.call },
      retryOf: null,
      workflow: null,
      timeRequest: utcWithoutOffset(preciseNow()),
      digest,
      ...this.#traced,
    };
    const incoming = await documents.receive();
    try {
      for (const [name, text] of Object.entries(asked.files)) await writeFile(join(incoming.inputs, name), text);
      if (!(await incoming.commit(header, placeSharedTexts(nodes, graphId)))) {
        if ((await documents.header(graphId))?.digest !== digest) return null;
        // The attempt before may have died between commit and start; a graph that has ended may be forgotten by Temporal.
        if ((await reader.summary(graphId)).endedAt !== null) return graphId;
      }
    } finally {
      await incoming.discard();
    }
    await this.#remember(asked, graphId, null);
    const plan = nodes.length <= inlineNodes ? nodes.map(planNode) : [];
    const inline = plan.length > 0 && JSON.stringify(plan).length <= inlineBytes;
    const input: GraphInput = {
      graphId,
      nodes: inline ? plan : [],
      ...(inline ? {} : { stored: nodes.length }),
      journal: true,
    };
    const labels: RunLabels = { name: asked.name, queue: oneQueue(nodes), process: 'graph', front: 'script' };
    await this.#patiently(() => this.#deps.startGraph(input, labels));
    return graphId;
  }

  async #sendIfSame(asked: CanvasSubmission, node: NodeSpec, graphId: string, digest: string): Promise<string | null> {
    const before = await this.#store.readSpec(jobIdOf(graphId, node.index));
    if (before !== null && before.digest !== digest) return null;
    // Another attempt has sent a larger canvas under this number.
    if (before === null && (await this.#graphs.documents.header(graphId)) !== null) return null;
    return this.#sendAlone(asked, node, graphId, digest);
  }

  /** A task that is sent alone is a job like those of `POST /jobs`: no document, no journal. */
  async #sendAlone(
    asked: CanvasSubmission,
    node: NodeSpec,
    graphId: string,
    digest: string | null = null,
  ): Promise<string> {
    const jobId = jobIdOf(graphId, node.index);
    const incoming = await this.#store.receive();
    try {
      if (!(await incoming.commit({ ...jobSpecOf(node, graphId, this.#jobId, digest), ...this.#traced }))) {
        const record = await this.#store.readRecord(jobId);
        if (record !== null && isTerminal(record.status)) return graphId;
      }
    } finally {
      await incoming.discard();
    }
    await this.#remember(asked, graphId, jobId);
    const labels = { name: node.name, queue: node.queue, process: node.process };
    await this.#patiently(() => this.#deps.startGraph({ graphId, nodes: [planNode(node)] }, labels));
    return graphId;
  }

  // --- memory -----------------------------------------------------------------------------------------------------

  get #memory(): string {
    return this.#store.paths(this.#jobId).canvases;
  }

  /** Before it starts: whoever cancels the job must know of it. */
  async #remember(asked: CanvasSubmission, graphId: string, jobId: string | null): Promise<void> {
    if ((await this.#sent()).some((sent) => sent.graphId === graphId && sent.jobId === jobId)) return;
    await appendFile(this.#memory, `${JSON.stringify({ call: asked.call, graphId, jobId, shape: asked.shape })}\n`);
  }

  #sent(): Promise<Sent[]> {
    return readSent(this.#store, this.#jobId);
  }
}

/** @throws an Error that says which node is wrong */
function checkedNodes(asked: CanvasSubmission, retry: RetryOptions): NodeSpec[] {
  return asked.nodes.map((node, at): NodeSpec => {
    if (node.index !== at + 1) throw new Error(`node ${node.index} stands in the place of node ${at + 1}`);
    const before = [...node.deps, ...(node.params.kind === 'values' ? node.params.of : [])];
    if (node.params.kind === 'value') before.push(node.params.of);
    // Numbers go up along dependencies, so there is no cycle.
    if (before.some((dep) => dep >= node.index)) throw new Error(`task "${node.id}" depends on one that follows it`);
    if (!queueNamePattern.test(node.queue))
      throw new Error(
        `queue ${JSON.stringify(node.queue)} is no name for a queue: letters, digits, dots, dashes, underscores`,
      );
    if (node.kind === 'script' && node.script === null) throw new Error(`task "${node.id}" has no script`);
    return { ...node, retry: retryPolicyOf(maxRetries, node.timeLimit, retry) };
  });
}

/** Key of a context that names a file among the graph's inputs; see `python/pixyz_worker/_canvas/_context.py`. */
const sharedKey = '__canvas__shared';

/** Says where the texts are that several nodes share: a job that is repeated by itself has no such inputs of its own. */
function placeSharedTexts(nodes: readonly NodeSpec[], graphId: string): NodeSpec[] {
  return nodes.map((node) => {
    const name = node.context[sharedKey];
    return typeof name === 'string'
      ? { ...node, context: { ...node.context, [sharedKey]: `${graphId}/inputs/${name}` } }
      : node;
  });
}

/** The same for the same canvas, whatever its parameters: those may hold the time of day. */
function structureOf(nodes: readonly NodeSpec[]): string {
  const hash = createHash('sha256');
  for (const { kind, process, script, entrypoint, deps, trigger, params, handsOn, queue } of nodes) {
    const from = params.kind === 'value' || params.kind === 'values' ? params.of : null;
    hash.update(JSON.stringify([kind, process, script, entrypoint, deps, trigger, params.kind, from, handsOn, queue]));
  }
  return hash.digest('hex');
}

function oneQueue(nodes: readonly NodeSpec[]): string {
  const queues = new Set(nodes.filter((node) => node.kind !== 'barrier').map((node) => node.queue));
  return queues.size === 1 ? ([...queues][0] ?? '') : '';
}

function jobSpecOf(node: NodeSpec, graphId: string, parent: string, digest: string | null): JobSpec {
  return {
    version: 1,
    jobId: jobIdOf(graphId, node.index),
    graphId,
    name: node.name,
    process: node.process,
    script: node.script ?? { path: '' },
    entrypoint: node.entrypoint,
    handsOn: node.handsOn,
    data: node.data === null || 'node' in node.data ? null : node.data,
    paramsText: node.params.kind === 'text' ? node.params.text : '{}',
    queue: node.queue,
    timeLimit: node.timeLimit,
    rootFile: node.rootFile,
    computeOnly: node.computeOnly,
    raw: node.raw,
    context: node.context,
    timeRequest: utcWithoutOffset(preciseNow()),
    callback: null,
    retryOf: null,
    parent,
    dispatch: {
      countdown: node.countdown,
      expires: node.expires,
      priority: node.priority,
      maxRetries: node.retry.maxRetries,
    },
    digest,
  };
}
