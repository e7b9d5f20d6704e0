import { describe, expect, it } from 'vitest';
import { type Bar, lanesOf, ticksOf } from '../../../web/src/graph/timeline/rows.js';

const bar = (from: number, to: number | null): Bar => ({
  node: from,
  title: `at ${from}`,
  attempt: 1,
  queue: 'cpu',
  from,
  to,
  outcome: null,
});

describe('lanes of the timeline', () => {
  it('are as many for a worker as it did things at the same time', () => {
    const workers = new Map([
      ['worker-10', [bar(0, 5)]],
      ['worker-2', [bar(3, null), bar(0, 10), bar(10, 12), bar(1, 3)]],
    ]);
    const lanes = lanesOf(workers, 20);
    expect(lanes.map(({ worker, slot, bars }) => [worker, slot, bars.map(({ from }) => from)])).toEqual([
      ['worker-2', 0, [0, 10]],
      ['worker-2', 1, [1, 3]],
      ['worker-10', 0, [0]],
    ]);
  });
});

describe('the time axis', () => {
  it('has round steps', () => {
    expect(ticksOf(9000, 5)).toEqual({ stepMs: 2000, at: [0, 2000, 4000, 6000, 8000] });
    expect(ticksOf(3_600_000, 6).stepMs).toBe(600_000);
    expect(ticksOf(30 * 86_400_000, 10).stepMs).toBe(3 * 86_400_000);
    expect(ticksOf(0, 5).at).toEqual([0]);
  });
});
