import { ApplicationFailure, TemporalFailure } from '@temporalio/common';
import { CancellationScope, CancelledFailure, proxyLocalActivities, upsertMemo } from '@temporalio/workflow';
import { jobIdOf } from '../contract/ids.js';
import { largestOpenGraph } from '../contract/limits.js';
import { engineQueue } from '../contract/queues.js';
import type { FileRunInput, WorkflowFileActivities } from '../contract/workflow-files.js';
import type { EndState, FinishCommand } from '../graph/events.js';
import { Interpreter } from '../workflows/interpreter.js';
import { nodesOf } from '../workflows/plan.js';
import { listen } from '../workflows/requests.js';
import { asJson } from './as-json.js';
import type { FoundFile } from './files.js';
import { nameOf, nodeOf, type TaskOptions } from './options.js';
import type { RunFacts } from './run.js';
import { type Ended, Task } from './task.js';

/**
 * One run of a workflow file: the tasks that its function starts are nodes of a graph that stays open while the function
 * runs. Everything about attempts, retries, the journal and requests from outside is the interpreter's.
 *
 * 1. A task gets its number when it is started, in the order of the program. Tasks that are started together are declared
 *    together; declarations follow each other, so the graph's document has the nodes in the order of their numbers.
 * 2. A declaration that is refused fails the run: it is a mistake of the program.
 * 3. Nothing here rejects behind the program's back: a promise that nobody looks at must not end the run.
 * 4. The run ends when its function has ended and all its tasks have.
 */

const largestDeclaration = 1000;
/** Attempts in flight, as in any graph. */
const window = 200;

const engine = proxyLocalActivities<WorkflowFileActivities>({
  startToCloseTimeout: '1 minute',
  localRetryThreshold: '5 minutes',
});

interface Declared {
  readonly number: number;
  /** As `POST /graphs` takes it, in JSON. */
  readonly node: string;
}

interface Started {
  readonly task: Task;
  readonly settle: (end: Ended) => void;
  readonly isOver: Promise<Ended>;
  /** Why it did not succeed, once it has ended. */
  message: string;
}

export class FileRun {
  readonly facts: RunFacts;
  readonly #interpreter: Interpreter;
  readonly #tasks = new Map<number, Started>();
  readonly #ids = new Set<string>();
  #waiting: Declared[] = [];
  #weight = 0;
  #declaring: Promise<void> = Promise.resolve();
  #refused: string | null = null;
  #cancelled = false;

  /** To be made in a scope that is not cancelled. */
  constructor(workflow: string, given: FileRunInput) {
    const { graphId, version, name, labels } = given;
    this.facts = { id: graphId, workflow, version, name, labels };
    this.#interpreter = new Interpreter([], {
      graphId,
      window,
      open: true,
      journal: 'all',
      callbackQueue: engineQueue,
      onChange: (node, state) => this.#changed(node, state),
    });
  }

  /** @param root the scope that a request to cancel the run reaches */
  start(root: CancellationScope): void {
    listen((event) => this.#interpreter.dispatch(event), root);
    void root.cancelRequested.catch(() => {
      this.#cancelled = true;
    });
    this.#interpreter.dispatch({ type: 'start' });
  }

  declare(options: TaskOptions): Task {
    if (this.#cancelled) throw new CancelledFailure('the run is cancelled: it starts no more tasks');
    const id = options.id ?? this.#freeName(nameOf(options));
    // Its document would take it for the same one, sent again: then nobody would ever tell of its end.
    if (this.#ids.has(id))
      throw ApplicationFailure.nonRetryable(
        `there is a task "${id}" already: give each task an id of its own, or none`,
        'DUPLICATE_TASK',
      );
    const node = asJson(nodeOf(id, options), `task "${id}"`);
    const number = this.#tasks.size + 1;
    this.#weight += options.map?.max ?? 1;
    if (this.#weight > largestOpenGraph) {
      const limit = `a run has ${largestOpenGraph} tasks at most, a map counted as all the jobs it may become`;
      throw ApplicationFailure.nonRetryable(`${limit}: divide the work between several runs`, 'TOO_MANY_TASKS');
    }
    this.#ids.add(id);
    let settle: (end: Ended) => void = () => undefined;
    const isOver = new Promise<Ended>((resolve) => {
      settle = resolve;
    });
    const task = new Task({
      id,
      job: jobIdOf(this.facts.id, number),
      ended: isOver,
      read: () => inPeace(() => engine.resultOf(this.facts.id, number)),
      cancel: (reason) => this.#cancel(number, reason),
    });
    this.#tasks.set(number, { task, settle, isOver, message: '' });
    this.#waiting.push({ number, node });
    if (this.#waiting.length === 1) void Promise.resolve().then(() => this.#flush());
    return task;
  }

  filesIn(folder: string, pattern: string): Promise<FoundFile[]> {
    return inPeace(() => engine.listFiles(folder, pattern));
  }

  /** Its function has returned: waits for the tasks that are left, then ends the run. */
  async succeeded(result: unknown): Promise<FinishCommand> {
    for (let seen = -1; seen !== this.#tasks.size; ) {
      seen = this.#tasks.size;
      await Promise.all([...this.#tasks.values()].map(({ isOver }) => isOver));
    }
    if (this.#refused !== null) return this.#close('failed', this.#refused);
    if (this.#cancelled) return this.ended;
    // What somebody has looked at is handled; what nobody has would go unnoticed.
    const heeded = this.#heeded();
    for (const [number, { task, isOver }] of this.#tasks) {
      const { state, message } = await isOver;
      if (state === 'failed' && !heeded.has(number)) return this.#close('failed', `${task.id}: ${message}`);
    }
    if (result !== undefined) await inPeace(() => engine.keepResult(this.facts.id, result));
    return this.#close('succeeded', '');
  }

  /** Tasks that somebody has looked at, and those that such ones have waited for: what became of them shows in these. */
  #heeded(): ReadonlySet<number> {
    const heeded = new Set<number>();
    const open = [...this.#tasks].flatMap(([number, { task }]) => (task.heeded ? [number] : []));
    for (let number = open.pop(); number !== undefined; number = open.pop()) {
      if (heeded.has(number)) continue;
      heeded.add(number);
      open.push(...this.#interpreter.core.nodeOf(number).deps);
    }
    return heeded;
  }

  /** Its function has thrown: nobody is left who could use what its tasks make. */
  async failed(error: unknown): Promise<FinishCommand> {
    const message = this.#refused ?? (error instanceof Error ? error.message : String(error));
    const ended = this.#close('failed', message);
    this.#interpreter.dispatch({ type: 'cancel', node: null, reason: `the workflow has failed: ${message}` });
    return ended;
  }

  get isCancelled(): boolean {
    return this.#cancelled;
  }

  get ended(): Promise<FinishCommand> {
    return this.#interpreter.finished;
  }

  async #close(state: 'succeeded' | 'failed', message: string): Promise<FinishCommand> {
    this.#interpreter.dispatch({ type: 'close', end: { state, message } });
    const outcome = await this.#interpreter.finished;
    upsertMemo(this.#interpreter.memo());
    return outcome;
  }

  #freeName(name: string): string {
    if (!this.#ids.has(name)) return name;
    for (let at = 2; ; at++) if (!this.#ids.has(`${name}-${at}`)) return `${name}-${at}`;
  }

  #flush(): void {
    const batch = this.#waiting;
    this.#waiting = [];
    for (let at = 0; at < batch.length; at += largestDeclaration) {
      const part = batch.slice(at, at + largestDeclaration);
      this.#declaring = this.#declaring.then(() => this.#declare(part));
    }
  }

  async #declare(batch: readonly Declared[]): Promise<void> {
    const first = (batch[0] as Declared).number;
    const text = `{"nodes":[${batch.map(({ node }) => node).join(',')}]}`;
    let refused = this.#refused;
    if (refused === null && !this.#cancelled) {
      const answer = await inPeace(() => engine.declareTasks(this.facts.id, first, text)).catch((error: unknown) => ({
        problem: error instanceof TemporalFailure ? (error.cause?.message ?? error.message) : String(error),
      }));
      if (answer.problem === undefined) {
        upsertMemo({ nodes: first + batch.length - 1 });
        // A cancel request may have come meanwhile: then the core takes no more.
        if (!this.#cancelled)
          return CancellationScope.nonCancellable(async () =>
            this.#interpreter.dispatch({ type: 'add', nodes: nodesOf(answer.plan) }),
          );
      } else refused = answer.problem;
    }
    this.#refused = refused;
    const end: Ended =
      refused === null ? { state: 'revoked', message: 'cancelled' } : { state: 'failed', message: refused };
    for (const { number } of batch) this.#tasks.get(number)?.settle(end);
  }

  #changed(node: number, state: EndState | null): void {
    if (state === null) return;
    const started = this.#tasks.get(node);
    if (started === undefined) return; // an item of a map
    started.message = state === 'skipped' ? this.#whySkipped(node) : (this.#interpreter.core.failureOf(node) ?? state);
    started.settle({ state, message: started.message });
  }

  /** The first that did not succeed tells more than that something did not. */
  #whySkipped(node: number): string {
    const { core } = this.#interpreter;
    const { deps } = core.nodeOf(node);
    const cause = deps.find((dep) => core.stateOf(dep) !== 'succeeded');
    const before = cause === undefined ? undefined : this.#tasks.get(cause);
    if (before === undefined) return core.failureOf(node) ?? 'not run';
    return `not run, because ${before.task.id} did not succeed: ${before.message}`;
  }

  /** It may not be declared yet. */
  #cancel(node: number, reason: string): void {
    void Promise.resolve()
      .then(() => this.#declaring)
      .then(() => this.#interpreter.dispatch({ type: 'cancel', node, reason }));
  }
}

/** What the engine does for a run is not stopped in the middle when the run is cancelled. */
function inPeace<T>(work: () => Promise<T>): Promise<T> {
  return CancellationScope.nonCancellable(work);
}
