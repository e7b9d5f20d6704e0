import { describe, expect, it } from 'vitest';
import { formBatches, WorkTimes } from '../../../src/graph/batches.js';
import type { RunCommand } from '../../../src/graph/events.js';
import { node } from '../../support/graphs.js';

const run = (index: number, more: Partial<RunCommand> = {}): RunCommand => ({
  type: 'run',
  node: index,
  attempt: 1,
  queue: 'cpu',
  timeLimit: null,
  retriesUsed: 0,
  lossesUsed: 0,
  priority: 3,
  startWithin: null,
  ...more,
});
const key = 'short\ncpu';

function learned(...tookMs: number[]): WorkTimes {
  const times = new WorkTimes();
  for (const took of tookMs) times.observe(key, took);
  return times;
}

const cut = (
  runs: RunCommand[],
  times: WorkTimes,
  { underWay = 0, behind = () => null }: { underWay?: number; behind?: (last: RunCommand) => RunCommand | null } = {},
) =>
  formBatches(runs, {
    times,
    nodeOf: ({ node: index }) => node(index, { work: 'short' }),
    underWay: () => underWay,
    behind,
  }).map((batch) => batch.map((one) => one.node));
const runs = (count: number): RunCommand[] => Array.from({ length: count }, (_, i) => run(i + 1));

describe('what travels together', () => {
  it('nothing that is known to be long, or unknown and few', () => {
    expect(cut(runs(3), learned())).toEqual([[1], [2], [3]]);
    expect(cut(runs(16), learned()).length).toBe(16);
    expect(cut(runs(3), learned(60, 70))).toEqual([[1], [2], [3]]);
  });

  it('many of an unknown kind, until one takes long or fails', () => {
    expect(cut(runs(100), learned()).map((batch) => batch.length)).toEqual([25, 25, 25, 25]);
    const long = learned();
    long.warn(key, 240);
    expect(cut(runs(100), long).length).toBe(100);
    const failing = learned();
    failing.warn(key);
    expect(cut(runs(100), failing).length).toBe(100);
  });

  it('whole batches, once enough are on their way for other slots', () => {
    expect(cut(runs(32), learned(5, 5), { underWay: 3 }).map((batch) => batch.length)).toEqual([32]);
    expect(cut(runs(32), learned(5, 5), { underWay: 2 }).map((batch) => batch.length)).toEqual([16, 16]);
    expect(cut(runs(10), learned(25, 25), { underWay: 19 }).map((batch) => batch.length)).toEqual([10]);
  });

  it('a warning that is no news teaches nothing', () => {
    const times = learned(30, 30);
    times.warn(key, 10);
    expect(times.batchSize(key, 1)).toBe(8);
  });

  it('as many as fit the budget, over four batches at least', () => {
    expect(cut(runs(8), learned(5, 5))).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
      [7, 8],
    ]);
    expect(cut(runs(100), learned(25, 25)).map((batch) => batch.length)).toEqual(Array.from({ length: 10 }, () => 10));
    expect(cut(runs(1000), learned(1, 1)).every((batch) => batch.length <= 32)).toBe(true);
  });

  it('the links of a chain, up to the budget', () => {
    const next = (last: RunCommand): RunCommand | null => (last.node < 9 ? run(last.node + 1) : null);
    expect(cut([run(1)], learned(10, 10), { behind: next })).toEqual([[1, 2, 3, 4, 5, 6, 7, 8, 9]]);
    expect(cut([run(1)], learned(45, 45), { behind: next })).toEqual([[1, 2, 3, 4, 5]]);
  });

  it('not with one that has lost a worker, may expire, or goes at another priority', () => {
    const mixed = [run(1), run(2, { lossesUsed: 1 }), run(3, { startWithin: 5 }), run(4, { priority: 1 }), run(5)];
    const five = [...mixed, ...[6, 7, 8, 9, 10, 11, 12].map((index) => run(index))];
    const batches = cut(five, learned(2, 2));
    for (const alone of [2, 3, 4]) expect(batches).toContainEqual([alone]);
    expect(batches.flat().toSorted((a, b) => a - b)).toEqual(five.map(({ node: index }) => index));
  });

  it('stops when the work becomes long, as recent results count more', () => {
    const times = learned(2, 2, 2);
    expect(times.batchSize(key, 1)).toBeGreaterThan(1);
    for (let i = 0; i < 4; i += 1) times.observe(key, 200);
    expect(times.batchSize(key, 1)).toBe(1);
  });
});
