import type { GraphNode } from '../contract/graph.js';
import type { RunCommand } from './events.js';
import type { NodeRun, Step } from './node-run.js';
import type { NodeTable } from './node-table.js';
import { ReadyQueue } from './ready-queue.js';

export interface DispatcherOptions {
  readonly window: number;
  /** Number of the first item of the first map to be expanded. */
  readonly firstItem?: number;
}

/** Which of the nodes that are ready goes next, and as what. Keeps invariants 2 (numbers of attempts) and 4 (window) of `GraphRun`. */
export class Dispatcher {
  /** How many may be in flight. */
  window: number;
  /** Nothing more goes out. */
  paused = false;
  readonly #table: NodeTable;
  readonly #ready = new ReadyQueue();
  #nextItem: number;

  constructor(table: NodeTable, options: DispatcherOptions) {
    this.#table = table;
    this.window = options.window;
    this.#nextItem = options.firstItem ?? 0x8000_0000;
  }

  /** Puts a node into the line, for its next step. */
  makeReady(run: NodeRun, step: Step): void {
    run.state = 'ready';
    run.step = step;
    this.#ready.put(run);
  }

  /** The priority of a node that is in the line has changed. */
  reorder(run: NodeRun): void {
    this.#ready.put(run);
  }

  /** Sends what has a place. */
  dispatch(): void {
    while (this.#table.inFlight < this.window && !this.paused) {
      const run = this.#ready.take();
      if (run === undefined) return;
      this.#table.inFlight += 1;
      const node = run.node.index;
      switch (run.step) {
        case 'ask':
          run.state = 'asking';
          this.#table.push({ type: 'ask', node });
          break;
        case 'expand':
          run.state = 'expanding';
          if (run.firstItem === null) {
            // The whole range, since how many there will be is not known, and another map may be expanded meanwhile.
            run.firstItem = this.#nextItem;
            this.#nextItem += run.node.map?.max ?? 0;
          }
          this.#table.push({ type: 'expand', node, first: run.firstItem });
          break;
        case 'run':
          run.state = 'running';
          this.#noteQueued(run);
          this.#table.push(this.#runCommand(run));
          break;
      }
    }
  }

  #runCommand(run: NodeRun): RunCommand {
    run.sent = true;
    return {
      type: 'run',
      node: run.node.index,
      attempt: run.attempt,
      queue: run.queue,
      timeLimit: run.timeLimit,
      retriesUsed: run.retriesUsed,
      lossesUsed: run.lossesUsed,
      // A step ahead of its equals, whose line it has stood in already; not ahead of all that is urgent: most of a batch may come back.
      priority: run.returns > 0 ? Math.max(1, run.priority - 1) : run.priority,
      startWithin: run.rescued ? run.node.retry.rescueWait : run.attempt === 1 ? run.node.expires : null,
      ...(run.origin === null ? {} : { item: { map: run.origin.map.node.index, at: run.origin.at } }),
    };
  }

  /**
   * Sends the node that may travel behind `run`, in the same batch: the only one that waits for it, if it waits for nothing
   * else and may start as soon as `run` has succeeded. Gives a `run` command (with its journal entry), or nothing.
   */
  chainBehind(run: NodeRun, fits: (next: GraphNode) => boolean): void {
    const next = run.successors.length === 1 ? run.successors[0] : undefined;
    if (next === undefined || this.paused || next.state !== 'blocked' || next.waitingFor !== 1) return;
    const { trigger, conditional, countdown, kind, map, expires } = next.node;
    const plain =
      conditional !== true && countdown === 0 && kind !== 'barrier' && map === undefined && expires === null;
    if (!plain || trigger !== 'all_succeeded' || next.attempt > 1 || !fits(next.node)) return;
    if (!next.deps.every((dep) => dep === run || dep.state === 'succeeded')) return;
    next.state = 'chained';
    this.#noteQueued(next);
    this.#table.push(this.#runCommand(next));
  }

  #noteQueued(run: NodeRun): void {
    const again = run.returns === 0 ? {} : { n: run.returns };
    this.#table.noteNode(run, { type: 'queued', attempt: run.attempt, queue: run.queue, ...again });
  }
}
