import { statfs } from 'node:fs/promises';
import { AggregatorRegistry, Gauge, Registry } from 'prom-client';
import type { WorkerReport } from '../contract/worker-report.js';
import type { GraphShare } from '../store/graph-share.js';
import type { ApiDeps } from './deps.js';
import type { QueueWatch } from './queue-watch.js';
import { shownQueues } from './shown-queues.js';
import { liveWorkers } from './worker-reports.js';

/** Open graphs whose nodes are counted, the newest. */
const maxGraphs = 100;
const sharePatienceMs = 1000;
/** A Temporal that hangs must be told before Prometheus gives the scrape up, by default after ten seconds. */
const temporalPatienceMs = 2000;

/**
 * State of the scheduler at the moment of a scrape: jobs by state, queues, workers. Made anew each time, so a worker or a
 * queue that is gone leaves no stale line. Labels are bounded: queues that exist, workers that live.
 */
export class SchedulerMetrics {
  readonly #deps: ApiDeps;
  readonly #queues: QueueWatch;
  readonly #graphs: GraphShare;

  constructor(deps: ApiDeps, queues: QueueWatch, graphs: GraphShare) {
    this.#deps = deps;
    this.#graphs = graphs;
    this.#queues = queues;
  }

  async text(): Promise<string> {
    const workers = await liveWorkers(this.#deps.store.root).catch((): WorkerReport[] => []);
    const own = await this.#own(workers);
    const theirs = fromWorkers(workers);
    return `${await own.metrics()}\n${await theirs.metrics()}`;
  }

  /** null when the share does not tell in time: one on the network that is away answers never. */
  async #room(): Promise<{ readonly size: number; readonly free: number } | null> {
    const timeout = new Promise<null>((resolve) => setTimeout(() => resolve(null), sharePatienceMs).unref());
    const told = statfs(this.#deps.store.root).then(
      ({ bsize, blocks, bavail }) => ({ size: bsize * blocks, free: bsize * bavail }),
      () => null,
    );
    return Promise.race([told, timeout]);
  }

  /** From journals that are read once and then only followed. */
  async #openNodes(): Promise<OpenNodes> {
    const { graphIds } = await this.#deps.engine.ofGraphs.list({ states: ['OPEN'], limit: maxGraphs });
    const open: OpenNodes = { waiting: 0, queued: 0 };
    for (const graphId of graphIds) {
      const [fold, declared] = await Promise.all([
        this.#graphs.reader.summary(graphId),
        this.#graphs.documents.count(graphId),
      ]);
      const { waiting, queued } = fold.counts(declared);
      open.waiting += waiting;
      open.queued += queued;
    }
    return open;
  }

  async #own(workers: readonly WorkerReport[]): Promise<Registry> {
    const registry = new Registry();
    const gauge = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
      new Gauge<L>({ name, help, labelNames, registers: [registry] });

    const up = gauge('pixyz_temporal_up', 'Whether the Temporal server answers.');
    const jobs = gauge('pixyz_jobs', 'Jobs by state, as long as Temporal keeps them.', ['state']);
    const graphs = gauge('pixyz_graphs', 'Graphs by state, as long as Temporal keeps them.', ['state']);
    const nodes = gauge('pixyz_graph_nodes', 'Nodes of the newest graphs that have not ended, by state.', ['state']);
    const backlog = gauge('pixyz_queue_backlog', 'Jobs that wait for a worker.', ['queue']);
    const age = gauge('pixyz_queue_oldest_age_seconds', 'Age of the oldest of them.', ['queue']);
    const pollers = gauge('pixyz_queue_pollers', 'Worker processes that poll the queue.', ['queue']);
    const paused = gauge('pixyz_queue_paused', 'Whether nothing of the queue is handed out, 1 or 0.', ['queue']);
    const draining = gauge('pixyz_workers_draining', 'Workers that finish what they run and take nothing new.');
    const alive = gauge('pixyz_workers', 'Workers that are alive.');
    const slots = gauge('pixyz_slots', 'Slots of all live workers.', ['kind']);
    const children = gauge('pixyz_children', 'Python children of all live workers.', ['kind']);
    const memory = gauge('pixyz_children_resident_bytes', 'Resident memory of all Python hosts and children.');

    const room = await this.#room();
    if (room !== null) {
      gauge('pixyz_share_size_bytes', 'Size of the disk of the share.').set(room.size);
      gauge('pixyz_share_free_bytes', 'Room on it that we may use.').set(room.free);
    }

    const sum = (read: (report: WorkerReport) => number) => workers.reduce((total, report) => total + read(report), 0);
    alive.set(workers.length);
    draining.set(workers.filter((worker) => worker.draining).length);
    for (const kind of ['limit', 'used', 'lent'] as const)
      slots.set(
        { kind },
        sum((report) => report.slots[kind]),
      );
    for (const kind of ['warm', 'running'] as const)
      children.set(
        { kind },
        sum((report) => report.runner[kind]),
      );
    memory.set(sum((report) => report.runner.residentBytes));

    try {
      const answers = await this.#deps.engine.ping(temporalPatienceMs);
      up.set(answers ? 1 : 0);
      if (!answers) return registry;
      const counts = await this.#deps.engine.countByState();
      for (const [state, count] of Object.entries(counts)) jobs.set({ state }, count);
      for (const [state, count] of Object.entries(await this.#deps.engine.ofGraphs.count()))
        graphs.set({ state }, count);
      // A journal that cannot be read says nothing about Temporal.
      const open = await this.#openNodes().catch(() => ({}));
      for (const [state, count] of Object.entries(open)) nodes.set({ state }, count);
      const stats = await Promise.all(shownQueues(workers).map((queue) => this.#queues.stats(queue)));
      for (const { queue, ...values } of stats) {
        backlog.set({ queue }, values.backlog);
        age.set({ queue }, values.oldestAgeSeconds);
        pollers.set({ queue }, values.pollers);
        paused.set({ queue }, values.paused === null ? 0 : 1);
      }
    } catch {
      // A scrape must not fail when Temporal is away: that is when the other metrics are needed.
      up.set(0);
    }
    return registry;
  }
}

/** Nodes that have not ended: `queued` ones have been given to a queue, and may run. */
type OpenNodes = Record<'waiting' | 'queued', number>;

interface MetricJson {
  readonly name: string;
  readonly values: readonly { readonly labels?: Record<string, unknown> }[];
}

/** Counters and histograms of the workers, each line with the worker's name: a restart is then a reset of its own series. */
function fromWorkers(workers: readonly WorkerReport[]): Registry {
  const labelled = workers.map(({ name: worker, metrics }) =>
    metrics.filter(isMetric).map((metric) => ({
      ...metric,
      values: metric.values.map((value) => ({ ...value, labels: { ...value.labels, worker } })),
    })),
  );
  return AggregatorRegistry.aggregate(labelled);
}

function isMetric(value: unknown): value is MetricJson {
  if (typeof value !== 'object' || value === null) return false;
  const { name, values } = value as Partial<MetricJson>;
  return typeof name === 'string' && name.startsWith('pixyz_') && Array.isArray(values);
}
