import { Heap } from './heap.js';
import type { NodeRun } from './node-run.js';

/** A node's place in the queue, as it was when it was put there. */
interface Entry {
  readonly run: NodeRun;
  readonly ticket: number;
  readonly returned: boolean;
  readonly priority: number;
}

/**
 * Nodes that wait for room in the window, in the order: priority, given back by a worker, longest chain behind, number.
 * A heap cannot move what is in it, so a node whose priority changes is put in again, and the older entry is dropped when
 * it comes up.
 */
export class ReadyQueue {
  readonly #heap = new Heap<Entry>(goesBefore);

  put(run: NodeRun): void {
    run.ticket += 1;
    this.#heap.push({ run, ticket: run.ticket, returned: run.returns > 0, priority: run.priority });
  }

  take(): NodeRun | undefined {
    for (let entry = this.#heap.pop(); entry !== undefined; entry = this.#heap.pop()) {
      if (entry.run.state === 'ready' && entry.ticket === entry.run.ticket) return entry.run;
    }
    return undefined;
  }
}

function goesBefore(a: Entry, b: Entry): boolean {
  if (a.priority !== b.priority) return a.priority < b.priority;
  if (a.returned !== b.returned) return a.returned;
  if (a.run.height !== b.run.height) return a.run.height > b.run.height;
  return a.run.node.index < b.run.node.index;
}
