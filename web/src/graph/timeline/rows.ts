/** One attempt on the time axis; times are milliseconds since 1970. */
export interface Bar {
  readonly node: number;
  readonly title: string;
  readonly attempt: number;
  readonly queue: string;
  readonly from: number;
  /** null while it runs. */
  readonly to: number | null;
  readonly outcome: string | null;
}

/** Bars that do not overlap: what one slot of a worker has done. */
export interface Lane {
  readonly worker: string;
  /** From 0: a worker has as many lanes as it did things at the same time. */
  readonly slot: number;
  /** By time. */
  readonly bars: readonly Bar[];
}

/** Attempts as lanes, worker by worker. Which slot did what nobody wrote down: a bar takes the first lane that is free. */
export function lanesOf(byWorker: ReadonlyMap<string, readonly Bar[]>, now: number): Lane[] {
  return [...byWorker.keys()].sort(naturally).flatMap((worker) => {
    const lanes: { bars: Bar[]; free: number }[] = [];
    const bars = [...(byWorker.get(worker) as readonly Bar[])].sort((a, b) => a.from - b.from);
    for (const bar of bars) {
      let lane = lanes.find(({ free }) => free <= bar.from);
      if (lane === undefined) lanes.push((lane = { bars: [], free: 0 }));
      lane.bars.push(bar);
      lane.free = bar.to ?? now;
    }
    return lanes.map((lane, slot) => ({ worker, slot, bars: lane.bars }));
  });
}

const naturally = (a: string, b: string) => a.localeCompare(b, 'en', { numeric: true });

/** Marks of a time axis: round steps, so that about `wanted` of them fit. */
export function ticksOf(spanMs: number, wanted: number): { readonly stepMs: number; readonly at: readonly number[] } {
  const least = spanMs / Math.max(1, wanted);
  const stepMs = steps.find((step) => step >= least) ?? Math.ceil(least / day) * day;
  return { stepMs, at: Array.from({ length: Math.floor(spanMs / stepMs) + 1 }, (_, at) => at * stepMs) };
}

const [second, minute, hour, day] = [1000, 60_000, 3_600_000, 86_400_000] as const;
const steps: readonly number[] = [
  [1, 2, 5, 10, 20, 50, 100, 200, 500],
  [1, 2, 5, 10, 20, 30].map((count) => count * second),
  [1, 2, 5, 10, 20, 30].map((count) => count * minute),
  [1, 2, 3, 6, 12].map((count) => count * hour),
  [day],
].flat();
