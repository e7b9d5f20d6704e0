import { randomUUID } from 'node:crypto';
import type { GraphInput, RunLabels } from '../../src/contract/graph.js';
import { graphIdOf, jobIdOf } from '../../src/contract/ids.js';
import type { CancelOutcome, Engine, ListQuery, QueueStats, RunPage, RunSummary } from '../../src/engine/engine.js';
import type { GraphEngine, SignalOutcome } from '../../src/engine/graph-engine.js';
import { placeOf, type Timestamp } from '../../src/engine/visibility.js';
import { EngineError } from '../../src/errors/engine-error.js';

/** An engine in memory for tests of the API: remembers what it was asked, runs nothing. */
export class FakeEngine implements Engine {
  readonly graphs = new Map<string, { input: GraphInput; labels: RunLabels; startedAt: Date; open: boolean }>();
  readonly archives: { jobId: string; fingerprint: string }[] = [];
  readonly cancelled: string[] = [];
  readonly stats = new Map<string, Partial<QueueStats>>();
  /** Signals of graphs, in the order they came. */
  readonly signals: { graphId: string; name: string; args: readonly unknown[] }[] = [];
  /** Called for each of them, before it is answered: plays the interpreter. */
  onSignal: (graphId: string, name: string, args: readonly unknown[]) => void | Promise<void> = () => undefined;
  readonly ofGraphs: GraphEngine = {
    signal: (graphId, name, ...args) => this.#tell(graphId, name, args),
    cancel: (graphId) => this.#tell(graphId, 'cancel', []),
    failureOf: async () => null,
    list: async (query) => {
      this.#reach();
      const ids = [...this.graphs.entries()]
        .reverse()
        .filter(
          ([, { labels, open }]) =>
            labels.front !== undefined && (query.states.length === 0 || query.states.includes('OPEN') === open),
        )
        .filter(([, { labels }]) => query.name === undefined || labels.name === query.name)
        .filter(([, { labels }]) => query.front === undefined || labels.front === query.front)
        .map(([graphId]) => graphId);
      const from = Number(query.cursor ?? 0);
      const graphIds = ids.slice(from, from + query.limit);
      const names = graphIds.map((graphId) => this.graphs.get(graphId)?.labels.name ?? null);
      return { graphIds, names, next: from + graphIds.length < ids.length ? String(from + graphIds.length) : null };
    },
    count: async () => {
      this.#reach();
      const graphs = [...this.graphs.values()].filter(({ labels }) => labels.front !== undefined);
      const open = graphs.filter((graph) => graph.open).length;
      return { open, success: graphs.length - open, failure: 0, revoked: 0 };
    },
  };
  /** How often `startGraph` was called, repeated ones too. */
  starts = 0;
  /** The server cannot be reached. */
  down = false;
  /** What is asked for is done, and the answer to a start does not come. */
  losesAnswers = false;

  async startGraph(input: GraphInput, labels: RunLabels): Promise<void> {
    this.#reach();
    this.starts += 1;
    if (!this.graphs.has(input.graphId)) {
      this.graphs.set(input.graphId, { input, labels, startedAt: new Date(Date.now() + this.graphs.size), open: true });
    }
    if (this.losesAnswers) this.#unreachable();
  }

  async continueAsGraph(input: GraphInput, labels: RunLabels): Promise<void> {
    await this.startGraph(input, labels);
  }

  /** The run of a job, for assertions. @throws when it was never started */
  graphOf(jobId: string): GraphInput {
    const graph = this.graphs.get(graphIdOf(jobId));
    if (graph === undefined) throw new Error(`no graph was started for job ${jobId}`);
    return graph.input;
  }

  endRun(jobId: string): void {
    const graph = this.graphs.get(graphIdOf(jobId));
    if (graph !== undefined) graph.open = false;
  }

  async cancelJob(jobId: string): Promise<CancelOutcome> {
    this.#reach();
    const graph = this.graphs.get(graphIdOf(jobId));
    if (graph === undefined) return 'unknown';
    if (!graph.open) return 'already-ended';
    this.cancelled.push(jobId);
    return 'cancelling';
  }

  async isOpen(jobId: string): Promise<boolean | null> {
    this.#reach();
    return this.graphs.get(graphIdOf(jobId))?.open ?? null;
  }

  async list(query: ListQuery): Promise<RunPage> {
    this.#reach();
    const all = [...this.graphs.entries()]
      .reverse()
      .map(([graphId, { input, labels, startedAt, open }]): RunSummary & { open: boolean; startedAt: Date } => ({
        graphId,
        jobIds: labels.front === undefined ? input.nodes.map((node) => jobIdOf(graphId, node.index)) : [],
        isGraph: labels.front !== undefined,
        ...labels,
        startedAt,
        place: placeOf(timestamp(startedAt), open ? null : timestamp(startedAt), graphId),
        open,
      }))
      .sort((a, b) => (a.place < b.place ? -1 : 1))
      .filter(
        (run) =>
          (query.states.length === 0 || run.isGraph || query.states.includes('OPEN') === run.open || !run.open) &&
          (query.queue === undefined || run.queue === query.queue) &&
          (query.queuesBeside === undefined || !query.queuesBeside.includes(run.queue)) &&
          (query.graphs === undefined || run.isGraph === query.graphs) &&
          (query.name === undefined || run.name === query.name) &&
          (query.process === undefined || run.process === query.process) &&
          (query.since === undefined || run.startedAt >= query.since) &&
          (query.until === undefined || run.startedAt < query.until),
      );
    const from = Number(query.cursor ?? 0);
    const runs = all.slice(from, from + query.limit);
    return { runs, next: from + runs.length < all.length ? String(from + runs.length) : null };
  }

  async countByState() {
    this.#reach();
    const open = [...this.graphs.values()].filter((graph) => graph.open).length;
    return { open, success: this.graphs.size - open, failure: 0, revoked: 0 };
  }

  async startArchive(jobId: string, fingerprint: string): Promise<string> {
    this.#reach();
    this.archives.push({ jobId, fingerprint });
    return `archive-${randomUUID().slice(0, 8)}`;
  }

  async queueStats(queue: string): Promise<QueueStats> {
    this.#reach();
    return { queue, backlog: 0, oldestAgeSeconds: 0, pollers: 1, paused: null, ...this.stats.get(queue) };
  }

  async pauseQueue(queue: string, by: string, reason: string): Promise<void> {
    this.#reach();
    this.stats.set(queue, {
      ...this.stats.get(queue),
      paused: { since: new Date().toISOString(), by, reason: reason || null },
    });
  }

  async resumeQueue(queue: string): Promise<void> {
    this.#reach();
    this.stats.set(queue, { ...this.stats.get(queue), paused: null });
  }

  async ping(): Promise<boolean> {
    return !this.down;
  }

  async close(): Promise<void> {}

  async #tell(graphId: string, name: string, args: readonly unknown[]): Promise<SignalOutcome> {
    this.#reach();
    const graph = this.graphs.get(graphId);
    if (graph === undefined) return 'unknown';
    if (!graph.open) return 'already-ended';
    this.signals.push({ graphId, name, args });
    await this.onSignal(graphId, name, args);
    return 'sent';
  }

  #reach(): void {
    if (this.down) this.#unreachable();
  }

  #unreachable(): never {
    throw new EngineError('UNAVAILABLE', 'the Temporal server cannot be reached: start it, or check TEMPORAL_ADDRESS');
  }
}

function timestamp(date: Date): Timestamp {
  return { seconds: Math.floor(date.getTime() / 1000), nanos: (date.getTime() % 1000) * 1e6 };
}
