import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../../src/contract/journal.js';
import { GraphFold } from '../../../src/store/graph-fold.js';

const at = '2026-11-21T11:49:05.570Z';
type Short = Omit<JournalEntry, 'at'>;

function folded(...entries: Short[]): GraphFold {
  const fold = new GraphFold();
  for (const entry of entries) fold.apply({ at, ...entry });
  return fold;
}

describe('the state of a graph', () => {
  it('is pending, runs, is paused, and ends', () => {
    expect(folded().state).toBe('pending');
    expect(folded({ type: 'started' }).state).toBe('running');
    expect(folded({ type: 'started' }, { type: 'paused' }).state).toBe('paused');
    expect(folded({ type: 'started' }, { type: 'paused' }, { type: 'resumed' }).state).toBe('running');
    const ended = folded({ type: 'started' }, { type: 'ended', state: 'failed', message: 'a: boom' });
    expect([ended.state, ended.message, ended.endedAt]).toEqual(['failed', 'a: boom', at]);
  });
});

describe('the state of a node', () => {
  it('follows its attempts', () => {
    const fold = folded(
      { type: 'queued', node: 1, attempt: 1, queue: 'cpu' },
      { type: 'retrying', node: 1, attempt: 1, fault: 'exit', message: '3', queue: 'gpuhigh' },
    );
    expect(fold.node(1)).toMatchObject({ state: 'waiting', attempt: 1, queue: 'gpuhigh', fault: 'exit', message: '3' });
    fold.apply({ at, type: 'queued', node: 1, attempt: 2, queue: 'gpuhigh' });
    expect(fold.node(1)).toMatchObject({ state: 'queued', attempt: 2 });
    expect([...fold.queued]).toEqual([1]);
    fold.apply({ at, type: 'succeeded', node: 1, attempt: 2 });
    expect(fold.node(1)).toMatchObject({ state: 'succeeded', fault: null, message: null, endedAt: at });
    expect(fold.counts(3)).toMatchObject({ total: 3, waiting: 2, queued: 0, succeeded: 1 });
  });

  it('is queued once more after a worker gave it back', () => {
    const queued: Short = { type: 'queued', node: 1, attempt: 1, queue: 'cpu' };
    const fold = folded(queued, { type: 'returned', node: 1, attempt: 1 });
    expect(fold.node(1).state).toBe('waiting');
    fold.apply({ at, ...queued, n: 1 });
    expect(fold.node(1).state).toBe('queued');
  });

  it('begins again when it is revived, and counts follow', () => {
    const fold = folded(
      { type: 'failed', node: 1, attempt: 1, fault: 'exception', message: 'boom' },
      { type: 'skipped', node: 2, message: 'not run' },
      { type: 'revived', node: 1 },
      { type: 'revived', node: 2 },
    );
    expect(fold.counts(2)).toMatchObject({ waiting: 2, failed: 0, skipped: 0 });
    fold.apply({ at, type: 'queued', node: 1, attempt: 2, queue: 'cpu' });
    expect(fold.node(1)).toMatchObject({ state: 'queued', attempt: 2, fault: null, endedAt: null });
  });

  it('tells of which map it is an item', () => {
    const fold = folded(
      { type: 'mapped', node: 2, first: 10, count: 3 },
      { type: 'mapped', node: 1, first: 5, count: 2 },
      { type: 'mapped', node: 3, first: 13, count: 0 },
    );
    expect(fold.itemOf(4)).toBe(null);
    expect(fold.itemOf(5)).toEqual({ map: 1, at: 0 });
    expect(fold.itemOf(7)).toBe(null);
    expect(fold.itemOf(12)).toEqual({ map: 2, at: 2 });
    expect(fold.itemOf(13)).toBe(null);
    expect(fold.counts(4).total).toBe(9);
  });
});

describe('any journal', () => {
  const entry: fc.Arbitrary<Short> = fc.record({
    type: fc.constantFrom('queued', 'returned', 'retrying', 'succeeded', 'failed', 'revoked', 'skipped', 'revived'),
    node: fc.integer({ min: 1, max: 4 }),
    attempt: fc.integer({ min: 1, max: 3 }),
    n: fc.integer({ min: 0, max: 3 }),
  });

  it('adds up: every node is in one state', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 60 }), (entries) => {
        const fold = folded(...entries);
        const { total, ...states } = fold.counts(4);
        expect(Object.values(states).reduce((sum, count) => sum + count, 0)).toBe(total);
        for (let node = 1; node <= 4; node += 1) expect(fold.queued.has(node)).toBe(fold.node(node).state === 'queued');
      }),
    );
  });

  it('says the same when some lines stand twice', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(entry, { maxLength: 40, selector: (e) => `${e.type}:${e.node}:${e.attempt}:${e.n}` }),
        (entries) => {
          // As when two writers met: each line once more, right after itself.
          const twice = entries.flatMap((one) => [one, one]);
          for (let node = 1; node <= 4; node += 1)
            expect(folded(...twice).node(node)).toEqual(folded(...entries).node(node));
        },
      ),
    );
  });
});
