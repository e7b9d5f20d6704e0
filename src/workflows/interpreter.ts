import {
  CancellationScope,
  defineSignal,
  log,
  ParentClosePolicy,
  proxyLocalActivities,
  proxySinks,
  setCurrentDetails,
  setHandler,
  sleep,
  startChild,
} from '@temporalio/workflow';
import type { RecordActivities } from '../activities/index.js';
import type { GraphNode, GraphSignals } from '../contract/graph.js';
import { jobIdOf } from '../contract/ids.js';
import type { JournalEntry, JournalSinks } from '../contract/journal.js';
import type { EndState, FinishCommand, GraphCommand, GraphEvent, RunCommand } from '../graph/events.js';
import { GraphRun, type GraphRunOptions } from '../graph/graph-run.js';
import { Attempts } from './attempts.js';
import { deliverCallback } from './deliver-callback.js';
import { detailsText, memoOf } from './details.js';
import { failureOf } from './faults.js';

/**
 * Carries out the commands of one scheduling core and tells it what came of them. All decisions are in `src/graph`; this
 * file owns timing, order of writes, and the journal.
 */

export const records = proxyLocalActivities<RecordActivities>({
  startToCloseTimeout: '30 seconds',
  localRetryThreshold: '5 minutes',
});

const { journal } = proxySinks<JournalSinks>();
const handBackSignal = defineSignal<GraphSignals['handBack']>('handBack');

export interface InterpreterOptions extends GraphRunOptions {
  readonly graphId: string;
  /** Told of nodes that end, or (null) are to run again. */
  readonly onChange?: (node: number, state: EndState | null) => void;
  /** The task queue of the interpreter, where the run itself is on another one. */
  readonly callbackQueue?: string;
}

export class Interpreter {
  readonly core: GraphRun;
  /** The core's last command, once all records and notices are written. */
  readonly finished: Promise<FinishCommand>;
  readonly #options: InterpreterOptions;
  readonly #attempts: Attempts;
  readonly #failures = new Map<number, { readonly label: string }>();
  /** Writes to one job's record happen in the order they were decided in. */
  readonly #writes = new Map<number, Promise<void>>();
  readonly #notices: Promise<unknown>[] = [];
  readonly #runs: RunCommand[] = [];
  readonly #entries: JournalEntry[] = [];
  readonly #journals: boolean;
  #flushing = false;
  #finish: (outcome: FinishCommand) => void = () => undefined;

  /** To be made in a scope that is not cancelled: a cancel request is an event for the core, not an exception. */
  constructor(nodes: readonly GraphNode[], options: InterpreterOptions) {
    this.#options = options;
    this.#journals = options.journal !== undefined && options.journal !== 'none';
    this.core = new GraphRun(nodes, options);
    this.#attempts = new Attempts({
      graphId: options.graphId,
      stored: this.#journals,
      nodeOf: (node) => this.core.nodeOf(node),
      dispatch: (event) => this.dispatch(event),
      gather: (event) => this.gather(event),
      behind: (node, fits) => this.#behind(node, fits),
      written: (node) => this.#writes.get(node) ?? Promise.resolve(),
      records,
    });
    this.finished = new Promise<FinishCommand>((resolve) => {
      this.#finish = resolve;
    }).then(async (outcome) => {
      await Promise.all([...this.#writes.values(), ...this.#notices]);
      return outcome;
    });
    setHandler(handBackSignal, ({ jobs }) => this.#attempts.handBack(jobs));
  }

  /**
   * Tells the core, and carries out at once what it decides. What waits to be sent together goes first: a replay may bring
   * the answers of several local activities in one activation that came one by one, and must form the same batches.
   */
  dispatch(event: GraphEvent): void {
    this.#flush();
    this.#tell(event);
    this.#flush();
  }

  /**
   * The same for results of activities, which come in the same activations in a replay: what they make ready is sent
   * together, so that short attempts can share an activity.
   */
  gather(event: GraphEvent): void {
    this.#tell(event);
    if (this.#flushing) return;
    this.#flushing = true;
    void Promise.resolve().then(() => this.#flush());
  }

  #tell(event: GraphEvent): void {
    for (const command of this.core.handle(event)) this.#carryOut(command);
  }

  /** What a list of runs can show of it. */
  memo(): Record<string, unknown> {
    return memoOf(this.core.counts, this.#failures);
  }

  #flush(): void {
    this.#flushing = false;
    if (this.#runs.length > 0) this.#attempts.send(this.#runs.splice(0));
    if (this.#entries.length > 0) journal.append(this.#options.graphId, this.#entries.splice(0));
    if (this.#journals) setCurrentDetails(detailsText(this.core.counts, this.#failures));
  }

  #carryOut(command: GraphCommand): void {
    switch (command.type) {
      case 'wait':
        void sleep(command.seconds * 1000).then(
          () => this.dispatch({ type: 'due', node: command.node }),
          () => undefined,
        );
        break;
      case 'run':
        this.#runs.push(command);
        break;
      case 'ask':
        void this.#answer(command.node, records.evaluateWhen(this.#options.graphId, command.node), (yes) => ({
          type: 'answered',
          node: command.node,
          yes,
        }));
        break;
      case 'expand':
        void this.#answer(
          command.node,
          records.expandMap(this.#options.graphId, command.node, command.first),
          (count) => ({ type: 'expanded', node: command.node, count }),
        );
        break;
      case 'stop':
        this.#stop(command.node);
        break;
      case 'record': {
        const jobId = jobIdOf(this.#options.graphId, command.node);
        const before = this.#writes.get(command.node) ?? Promise.resolve();
        const write = (): Promise<void> => records.recordChange(jobId, command.change);
        this.#writes.set(
          command.node,
          before.then(() => CancellationScope.nonCancellable(write)),
        );
        break;
      }
      case 'journal':
        this.#entries.push({ at: new Date().toISOString(), ...command.note });
        break;
      case 'ended':
        this.#options.onChange?.(command.node, command.state);
        if (command.state === 'failed') this.#failures.set(command.node, this.core.nodeOf(command.node));
        this.#notices.push(this.#notify(command.node, command.state));
        break;
      case 'revived':
        this.#options.onChange?.(command.node, null);
        this.#failures.delete(command.node);
        break;
      case 'finish':
        this.#finish(command);
        break;
    }
  }

  /** A node that is to be stopped may be waiting for the flush: then it is never sent. */
  #stop(node: number): void {
    const at = this.#runs.findIndex((run) => run.node === node);
    if (at < 0) return this.#attempts.stop(node);
    this.#runs.splice(at, 1);
    void Promise.resolve().then(() => this.dispatch({ type: 'returned', node }));
  }

  async #answer<T>(node: number, asked: Promise<T>, event: (answer: T) => GraphEvent): Promise<void> {
    let answer: T;
    try {
      answer = await asked;
    } catch (error) {
      const failure = failureOf(error, `the evaluation for ${this.core.nodeOf(node).label}`);
      const message = failure.kind === 'fault' ? failure.message : failure.kind;
      return this.dispatch({ type: 'faulted', node, fault: 'invalid', message });
    }
    this.dispatch(event(answer));
  }

  #behind(node: number, fits: (next: GraphNode) => boolean): RunCommand | null {
    let sent: RunCommand | null = null;
    for (const command of this.core.chainBehind(node, fits)) {
      if (command.type === 'run') sent = command;
      else this.#carryOut(command);
    }
    return sent;
  }

  async #notify(index: number, state: EndState): Promise<void> {
    const node = this.core.nodeOf(index);
    // A map is no job: its items are.
    if (!node.hasCallback || node.map !== undefined || node.kind === 'barrier') return;
    await this.#writes.get(index);
    // A child that outlives the run: a receiver that is down for a day must not keep the job open.
    const jobId = jobIdOf(this.#options.graphId, index);
    await CancellationScope.nonCancellable(() =>
      startChild(deliverCallback, {
        workflowId: `callback-${jobId}`,
        args: [jobId],
        ...(this.#options.callbackQueue === undefined ? {} : { taskQueue: this.#options.callbackQueue }),
        parentClosePolicy: ParentClosePolicy.ABANDON,
        staticSummary: `callback of ${node.label}`,
      }),
    ).catch((error: unknown) =>
      log.error('the callback could not be started', { job: jobId, state, error: String(error) }),
    );
  }
}
