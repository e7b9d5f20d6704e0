import type { GraphNode } from '../contract/graph.js';
import type { RunCommand } from './events.js';

/**
 * Which attempts travel together. An activity costs about 10 ms of everybody's time, so attempts that take less than a few
 * times that are sent several at once, to be run one after another in one slot. What takes how long is learned while the
 * graph runs, from the results in its history: a replay learns the same.
 */

/** Attempts that take longer than this, in milliseconds, travel alone. */
const shortMs = 50;
/** How long a worker may be busy with a batch before it gives the rest back. */
export const batchBudgetMs = 250;
const largestBatch = 32;
/** Attempts that are ready together are spread over so many batches at least: other slots may be free. */
const spread = 4;
/** So many results of a kind of work are waited for before any of it travels together. */
const enoughResults = 2;

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

  /** How many attempts of this work fit one batch; 1 when it is long, or not known well enough. */
  batchSize(work: string): number {
    const known = this.#known.get(work);
    if (known === undefined || known.results < enoughResults || known.meanMs >= shortMs) return 1;
    return Math.min(largestBatch, Math.floor(batchBudgetMs / Math.max(known.meanMs, 1)));
  }
}

/** The kind of work of a node on a queue; null: it travels alone. */
export function workOf(node: GraphNode, queue: string): string | null {
  return node.work === undefined ? null : `${node.work}\n${queue}`;
}

/**
 * Cuts attempts that are ready together into batches, in their order.
 * @param nodeOf the node of an attempt
 * @param behind sends the next link of the chain behind a node, if it is of the same work; null where there is none
 */
export function formBatches(
  runs: readonly RunCommand[],
  times: WorkTimes,
  nodeOf: (run: RunCommand) => GraphNode,
  behind: (last: RunCommand, work: string) => RunCommand | null,
): RunCommand[][] {
  const alone: RunCommand[][] = [];
  const together = new Map<string, { readonly work: string; readonly runs: RunCommand[] }>();
  for (const run of runs) {
    const work = workOf(nodeOf(run), run.queue);
    // One that has lost a worker may have been the reason: it takes no others along. A batch has one waiting time.
    if (work === null || run.startWithin !== null || run.lossesUsed > 0 || times.batchSize(work) < 2) alone.push([run]);
    else {
      const key = `${run.priority} ${work}`;
      const group = together.get(key) ?? { work, runs: [] };
      together.set(key, group);
      group.runs.push(run);
    }
  }
  const batches = [...together.values()].flatMap(({ work, runs: ready }) => {
    const most = times.batchSize(work);
    const size = Math.max(1, Math.min(most, Math.ceil(ready.length / spread)));
    const cut: RunCommand[][] = [];
    for (let at = 0; at < ready.length; at += size) cut.push(ready.slice(at, at + size));
    for (const batch of cut) {
      if (batch.length > 1) continue;
      // Nothing else to fill it with: the links behind it, which would each wait for the one before.
      for (let last = batch[0] as RunCommand; batch.length < most; ) {
        const next = behind(last, work);
        if (next === null) break;
        batch.push(next);
        last = next;
      }
    }
    return cut;
  });
  return [...batches, ...alone];
}
