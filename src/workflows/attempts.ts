import { CancellationScope, proxyActivities } from '@temporalio/workflow';
import type { RecordActivities, ScriptActivities } from '../activities/index.js';
import type { AttemptInput, AttemptResult, GraphNode, JobOutcome } from '../contract/graph.js';
import { jobIdOf, nodeIndexOf } from '../contract/ids.js';
import { batchBudgetMs, formBatches, WorkTimes, workOf } from '../graph/batches.js';
import type { GraphEvent, RunCommand } from '../graph/events.js';
import { failureOf, heartbeatTimeout } from './faults.js';

/**
 * Attempts as activities: one alone (`runScript`), or short ones together (`runScripts`). Rules:
 * 1. Every attempt that is sent reports exactly one event. Of a batch, whoever tells first of a member counts: the worker's
 *    `handBack` or the batch's result. A member that has been told of is not the batch's any more.
 * 2. A batch that fails as a whole (worker lost, cancelled) is settled from the records: what had ended has ended, what had
 *    begun is lost or cancelled, the rest runs again under new numbers, since a lost worker may still begin it.
 * 3. A member that is to stop while others go on waits until it is the batch's last: a batch runs longer than its budget only
 *    with one member, the others having been handed back.
 */

/** Unpacking, waiting for a slot and writing results come on top of the script's own limit, which the runner keeps. */
const overheadSeconds = 3600;
const unlimitedSeconds = 365 * 24 * 3600;

export interface AttemptDeps {
  readonly graphId: string;
  /** The graph has a document: attempts make the folders of their jobs from it. */
  readonly stored: boolean;
  readonly nodeOf: (node: number) => GraphNode;
  /** Tells the core of something: by itself, or (results of activities) together with what else comes now. */
  readonly dispatch: (event: GraphEvent) => void;
  readonly gather: (event: GraphEvent) => void;
  /** Sends the next link of a chain, where it fits. */
  readonly behind: (node: number, fits: (next: GraphNode) => boolean) => RunCommand | null;
  /** Resolves when what was decided about a job before is in its record. */
  readonly written: (node: number) => Promise<void>;
  readonly records: Pick<RecordActivities, 'hasWorkers' | 'settleBatch'>;
}

interface Batch {
  readonly scope: CancellationScope;
  /** Those that have not been told of: number of the attempt by node. */
  readonly members: Map<number, number>;
  readonly stopping: Set<number>;
  readonly work: string | null;
}

export class Attempts {
  readonly #deps: AttemptDeps;
  readonly #times = new WorkTimes();
  readonly #alone = new Map<number, CancellationScope>();
  readonly #batches = new Map<number, Batch>();
  /** Activities by kind of work. */
  readonly #underWay = new Map<string, number>();
  readonly #home = CancellationScope.current();

  /** To be made in the scope that the attempts shall live in, whoever asks for them. */
  constructor(deps: AttemptDeps) {
    this.#deps = deps;
  }

  send(runs: readonly RunCommand[]): void {
    const batches = formBatches(runs, {
      times: this.#times,
      nodeOf: (run) => this.#deps.nodeOf(run.node),
      underWay: (work) => this.#underWay.get(work) ?? 0,
      behind: (last, work) => this.#deps.behind(last.node, (next) => workOf(next, next.queue) === work),
    });
    for (const batch of batches) {
      const [run] = batch as [RunCommand];
      void (batch.length === 1 ? this.#runAlone(run) : this.#runTogether(batch));
    }
  }

  stop(node: number): void {
    this.#alone.get(node)?.cancel();
    const batch = this.#batches.get(node);
    if (batch === undefined) return;
    batch.stopping.add(node);
    this.#stopIfDue(batch);
  }

  /** Outcomes of members of batches, from the worker or the records. Whatever is known already is passed over. */
  settle(jobs: readonly JobOutcome[], begun: 'lost' | 'cancelled' | null = null): void {
    // What has not begun goes first: it must be free before the end of the one before it decides about it.
    const untouched = jobs.filter((job) => job.outcome.kind === 'not-begun').reverse();
    for (const job of [...untouched, ...jobs.filter((one) => one.outcome.kind !== 'not-begun')]) {
      const node = nodeIndexOf(job.jobId);
      const batch = this.#batches.get(node);
      if (batch?.members.get(node) !== job.attempt) continue;
      batch.members.delete(node);
      this.#batches.delete(node);
      this.#tell(node, job.outcome, begun);
      this.#stopIfDue(batch);
    }
  }

  /** The worker tells that a batch takes longer than its budget: `settle`, and a lesson about the one that runs. */
  handBack(jobs: readonly JobOutcome[]): void {
    const touched = new Set(jobs.map((job) => this.#batches.get(nodeIndexOf(job.jobId))));
    const spentMs = jobs.reduce(
      (sum, { outcome }) => sum + (outcome.kind === 'succeeded' ? (outcome.tookMs ?? 0) : 0),
      0,
    );
    // Before what is handed back is sent again.
    for (const batch of touched)
      if (batch !== undefined && batch.work !== null) this.#times.warn(batch.work, batchBudgetMs - spentMs);
    this.settle(jobs);
  }

  #tell(node: number, outcome: JobOutcome['outcome'], begun: 'lost' | 'cancelled' | null): void {
    const dispatch = begun === null ? this.#deps.gather : this.#deps.dispatch;
    switch (outcome.kind) {
      case 'succeeded':
        this.#learn(node, outcome.tookMs);
        return dispatch({ type: 'succeeded', node });
      case 'fault':
        this.#warn(node);
        return dispatch({ type: 'faulted', node, fault: outcome.fault.kind, message: outcome.fault.message });
      case 'not-begun':
        return dispatch({ type: 'returned', node, ...(begun === null ? {} : { fenced: true }) });
      case 'begun': {
        const message = begun === 'cancelled' ? 'cancelled' : 'the worker of its batch is gone';
        return dispatch({ type: 'faulted', node, fault: begun ?? 'lost', message });
      }
    }
  }

  #stopIfDue(batch: Batch): void {
    if (batch.members.size > 0 && [...batch.members.keys()].every((node) => batch.stopping.has(node)))
      batch.scope.cancel();
  }

  #workOf(node: number): string | null {
    const plan = this.#deps.nodeOf(node);
    return workOf(plan, plan.queue);
  }

  #learn(node: number, tookMs: number | undefined): void {
    const work = this.#workOf(node);
    if (work !== null && tookMs !== undefined) this.#times.observe(work, tookMs);
  }

  /** It ended its batch: those behind it came for nothing. */
  #warn(node: number): void {
    const work = this.#workOf(node);
    if (work !== null) this.#times.warn(work);
  }

  /** Counts an activity that begins with this attempt, until the returned function is called. */
  #count({ node, queue }: RunCommand): () => void {
    const work = workOf(this.#deps.nodeOf(node), queue);
    if (work === null) return () => undefined;
    const change = (by: number): unknown => this.#underWay.set(work, (this.#underWay.get(work) ?? 0) + by);
    change(1);
    return () => change(-1);
  }

  async #runAlone(run: RunCommand): Promise<void> {
    const { dispatch, gather, nodeOf, written, records } = this.#deps;
    const { node } = run;
    const ended = this.#count(run);
    const scope = this.#newScope();
    this.#alone.set(node, scope);
    // The record must say "lost" before the next attempt reads it.
    await written(node);
    const { label } = nodeOf(node);
    const { runScript } = proxyActivities<ScriptActivities>({
      ...this.#options([run]),
      ...(run.startWithin === null ? {} : { scheduleToStartTimeout: Math.max(1, run.startWithin * 1000) }),
      summary: run.attempt === 1 ? label : `${label} (attempt ${run.attempt})`,
    });
    let result: AttemptResult;
    try {
      result = await scope.run(() => runScript(this.#input(run)));
    } catch (error) {
      const failure = failureOf(error, `attempt ${run.attempt}`);
      this.#alone.delete(node);
      ended();
      switch (failure.kind) {
        case 'fault':
          return gather({ type: 'faulted', node, fault: failure.fault, message: failure.message });
        case 'returned':
          return gather({ type: 'returned', node });
        case 'not-started': {
          const served = await CancellationScope.nonCancellable(() => records.hasWorkers(run.queue));
          return dispatch({ type: 'not-started', node, served });
        }
      }
    }
    this.#alone.delete(node);
    ended();
    this.#learn(node, result.tookMs);
    gather({ type: 'succeeded', node });
  }

  async #runTogether(runs: readonly RunCommand[]): Promise<void> {
    const { nodeOf, written, records } = this.#deps;
    const [first] = runs as [RunCommand];
    const over = this.#count(first);
    const batch: Batch = {
      scope: this.#newScope(),
      members: new Map(runs.map((run) => [run.node, run.attempt])),
      stopping: new Set(),
      work: workOf(nodeOf(first.node), first.queue),
    };
    for (const run of runs) this.#batches.set(run.node, batch);
    await Promise.all(runs.map((run) => written(run.node)));
    const { runScripts } = proxyActivities<ScriptActivities>({
      ...this.#options(runs),
      summary: `${nodeOf(first.node).label} and ${runs.length - 1} more`,
    });
    const inputs = runs.map((run) => this.#input(run));
    try {
      const { jobs } = await batch.scope.run(() => runScripts({ inputs, budgetMs: batchBudgetMs }));
      over();
      this.settle(jobs);
    } catch (error) {
      over();
      const failure = failureOf(error, `a batch of ${runs.length}`);
      if (failure.kind === 'fault') {
        const left = inputs.filter((input) => batch.members.get(nodeIndexOf(input.jobId)) === input.attempt);
        const jobs = await CancellationScope.nonCancellable(() =>
          records.settleBatch(left.map(({ jobId, attempt }) => ({ jobId, attempt }))),
        );
        this.settle(jobs, failure.fault === 'cancelled' ? 'cancelled' : 'lost');
      }
    }
    // Given back as a whole; or a worker forgot one.
    this.settle(
      [...batch.members].map(([node, attempt]) => ({
        jobId: jobIdOf(this.#deps.graphId, node),
        attempt,
        outcome: { kind: 'not-begun' },
      })),
    );
  }

  #input(run: RunCommand): AttemptInput {
    return {
      jobId: jobIdOf(this.#deps.graphId, run.node),
      attempt: run.attempt,
      queue: run.queue,
      timeLimit: run.timeLimit,
      retry: this.#deps.nodeOf(run.node).retry,
      retriesUsed: run.retriesUsed,
      lossesUsed: run.lossesUsed,
      ...(this.#deps.stored ? { graph: true } : {}),
      ...(run.item === undefined ? {} : { item: run.item }),
    };
  }

  #options(runs: readonly RunCommand[]): Parameters<typeof proxyActivities>[0] {
    const [{ queue, priority }] = runs as [RunCommand];
    const limits = runs.map(({ timeLimit }) => (timeLimit === null ? unlimitedSeconds : timeLimit + overheadSeconds));
    return {
      taskQueue: queue,
      startToCloseTimeout:
        Math.min(
          limits.reduce((sum, seconds) => sum + seconds, 0),
          unlimitedSeconds,
        ) * 1000,
      heartbeatTimeout,
      cancellationType: 'WAIT_CANCELLATION_COMPLETED',
      retry: { maximumAttempts: 1 },
      priority: { priorityKey: priority },
    };
  }

  #newScope(): CancellationScope {
    return new CancellationScope({ cancellable: true, parent: this.#home });
  }
}
