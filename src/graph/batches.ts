import type { GraphNode } from '../contract/graph.js';
import type { RunCommand } from './events.js';

/**
 * Which attempts travel together. An activity costs about 10 ms of everybody's time, so attempts that take less than a few
 * times that are sent several at once, to be run one after another in one slot. What takes how long is learned while the
 * graph runs, from what its history tells: a replay learns the same.
 *
 * Many attempts of a kind that nobody knows yet are taken for short: to be wrong costs those behind the first of a batch its
 * budget, once, since the worker hands them back then; to send them one by one would cost each of them an activity.
 */

/** Attempts that take longer than this, in milliseconds, travel alone. */
const shortMs = 50;
/** How long a worker may be busy with a batch before it gives the rest back. */
export const batchBudgetMs = 250;
const largestBatch = 32;
/** So many batches of a kind of work are on their way at least, before any is larger than it must: other slots may be free. */
const spread = 4;
/** So many attempts of an unknown kind are ready together before they are taken for short. */
const manyUnknown = 16;

/** Learns how long kinds of work take. */
export class WorkTimes {
  readonly #known = new Map<string, { results: number; meanMs: number }>();

  observe(work: string, tookMs: number): void {
    const known = this.#known.get(work);
    if (known === undefined) this.#known.set(work, { results: 1, meanMs: tookMs });
    else {
      known.results += 1;
      // Recent ones count more: the same script may meet larger inputs later.
      known.meanMs += (tookMs - known.meanMs) / Math.min(known.results, 8);
    }
  }

  /** One has not ended after so long, or did not end well: a batch of such would only be handed back. */
  warn(work: string, tookMs = batchBudgetMs): void {
    const known = this.#known.get(work);
    if (known === undefined || tookMs > known.meanMs) this.observe(work, tookMs);
  }

  /** How many attempts of this work fit one batch, where so many are ready; 1 when it is long, or unknown and few. */
  batchSize(work: string, ready: number): number {
    const known = this.#known.get(work);
    if (known === undefined) return ready > manyUnknown ? largestBatch : 1;
    if (known.meanMs >= shortMs) return 1;
    return Math.min(largestBatch, Math.floor(batchBudgetMs / Math.max(known.meanMs, 1)));
  }
}

/** The kind of work of a node on a queue; null: it travels alone. */
export function workOf(node: GraphNode, queue: string): string | null {
  return node.work === undefined ? null : `${node.work}\n${queue}`;
}

export interface BatchView {
  readonly times: WorkTimes;
  readonly nodeOf: (run: RunCommand) => GraphNode;
  /** How many activities with attempts of this work are on their way. */
  readonly underWay: (work: string) => number;
  /** Sends the next link of the chain behind a node, if it is of the same work; null where there is none. */
  readonly behind: (last: RunCommand, work: string) => RunCommand | null;
}

/** Cuts attempts that are ready together into batches, in their order. */
export function formBatches(runs: readonly RunCommand[], view: BatchView): RunCommand[][] {
  const alone: RunCommand[][] = [];
  const together = new Map<string, { readonly work: string; readonly runs: RunCommand[] }>();
  for (const run of runs) {
    const work = workOf(view.nodeOf(run), run.queue);
    // One that has lost a worker may have been the reason: it takes no others along. A batch has one waiting time.
    if (work === null || run.startWithin !== null || run.lossesUsed > 0) alone.push([run]);
    else {
      const key = `${run.priority} ${work}`;
      const group = together.get(key) ?? { work, runs: [] };
      together.set(key, group);
      group.runs.push(run);
    }
  }
  const batches = [...together.values()].flatMap(({ work, runs: ready }) => {
    const most = view.times.batchSize(work, ready.length);
    const missing = Math.max(1, spread - view.underWay(work));
    const size = Math.min(most, Math.ceil(ready.length / missing));
    const cut: RunCommand[][] = [];
    for (let at = 0; at < ready.length; at += size) cut.push(ready.slice(at, at + size));
    for (const batch of cut) {
      if (batch.length > 1) continue;
      // Nothing else to fill it with: the links behind it, which would each wait for the one before.
      for (let last = batch[0] as RunCommand; batch.length < most; ) {
        const next = view.behind(last, work);
        if (next === null) break;
        batch.push(next);
        last = next;
      }
    }
    return cut;
  });
  return [...batches, ...alone];
}
