import { CancelledFailure } from '@temporalio/common';
import { afterEach, describe, expect, it } from 'vitest';
import type { GraphNode } from '../../src/contract/graph.js';
import { failureOf, fault, latch, type Play, play, signal } from '../support/play.js';
import { waitFor } from '../support/wait-for.js';

/**
 * Without a cache, a run that is evicted while a local activity of it is under way loses that workflow task (the SDK's core
 * calls it a bug of its own): it goes on after the task's 10 seconds. Several runs at once meet that now and then.
 */
const patienceMs = 120_000;
const patience = { timeoutMs: patienceMs / 2 };

// Graphs in parts of a few nodes, so that most dependencies cross a border.
describe.each([
  ['kept in memory', 100],
  ['replayed at every step', 0],
])('a graph in parts, %s', { timeout: patienceMs }, (_, cached) => {
  let played: Play | undefined;
  afterEach(async () => {
    await played?.engine.stop();
    played = undefined;
  });
  const start = async (
    options: Omit<Parameters<typeof play>[0], 'cached'>,
    script?: Parameters<typeof play>[1],
  ): Promise<Play> => {
    played = await play({ cached, ...options }, script);
    return played;
  };

  /** Three rows of four: each node waits for the two nearest of the row before. */
  const lattice = (at: Play['at']): GraphNode[] =>
    Array.from({ length: 12 }, (_unused, i) => {
      const [row, column] = [Math.floor(i / 4), i % 4];
      return at(i + 1, row === 0 ? {} : { deps: [i - 3, (row - 1) * 4 + ((column + 1) % 4) + 1] });
    });

  it('runs every node once, after what it waits for, whichever part that is in', async () => {
    const { engine, graphId, ran, ranSorted, journalOf, at } = await start({});
    const nodes = lattice(at);
    await (await engine.start({ graphId, nodes, journal: true, partSize: 3 })).result();
    expect(ranSorted()).toEqual(nodes.map(({ index }) => index));
    for (const { index, deps } of nodes)
      for (const dep of deps) expect(ran.indexOf(dep), `${dep} before ${index}`).toBeLessThan(ran.indexOf(index));
    expect(journalOf('started', 'ended')).toEqual(['started', 'ended']);
    expect(journalOf('succeeded')).toHaveLength(12);
  });

  it('a failure skips what depends on it in other parts, and the rest goes on', async () => {
    const { engine, graphId, ranSorted, journalOf, at } = await start({}, (index) => {
      if (index === 2) throw fault('exception');
      return undefined;
    });
    const nodes = [
      at(1),
      at(2),
      at(3, { deps: [1] }),
      at(4, { deps: [2] }),
      at(5, { deps: [4] }),
      at(6, { deps: [3] }),
    ];
    const handle = await engine.start({ graphId, nodes, journal: true, partSize: 2 });
    expect((await failureOf(handle))?.message).toBe('node 2: it was exception');
    expect(ranSorted()).toEqual([1, 2, 3, 6]);
    expect(journalOf('skipped')).toEqual(['skipped 4', 'skipped 5']);
    expect((await handle.describe()).memo).toMatchObject({ counts: { succeeded: 3, failed: 1, skipped: 2 } });
  });

  it('with the policy "stop", a failure in one part stops the others', async () => {
    const held = latch();
    const { engine, graphId, ran, journalOf, at } = await start({}, async (index) => {
      if (index === 1) throw fault('exception');
      await held.opened;
    });
    const nodes = [at(1), at(2, { deps: [1] }), at(3), at(4, { deps: [3] })];
    const handle = await engine.start({ graphId, nodes, journal: true, partSize: 2, onFailure: 'stop' });
    await waitFor(() => expect(journalOf('revoked')).toEqual(expect.arrayContaining(['revoked 2', 'revoked 4'])));
    held.open();
    expect((await failureOf(handle))?.message).toBe('node 1: it was exception');
    expect(ran).not.toContain(4);
  });

  it('a cancel reaches all parts', async () => {
    const held = latch();
    const { engine, graphId, ran, journalOf, at } = await start({}, () => held.opened);
    const nodes = [at(1), at(2, { deps: [1] }), at(3), at(4, { deps: [3] })];
    const handle = await engine.start({ graphId, nodes, journal: true, partSize: 2 });
    await waitFor(() => expect(ran).toHaveLength(2));
    await handle.cancel();
    await waitFor(() => expect(journalOf('revoked')).toEqual(expect.arrayContaining(['revoked 2', 'revoked 4'])));
    held.open();
    expect(await failureOf(handle)).toBeInstanceOf(CancelledFailure);
  });

  it('a node that is sent again brings back what was skipped in other parts', async () => {
    const held = latch();
    const { engine, graphId, ran, journalOf, at } = await start({}, async (index, { attempt }) => {
      if (index === 1 && attempt === 1) throw fault('exception');
      if (index === 5) await held.opened;
    });
    const nodes = [at(1), at(2, { deps: [1] }), at(3, { deps: [2] }), at(4, { deps: [3] }), at(5)];
    const handle = await engine.start({ graphId, nodes, journal: true, partSize: 1 });
    await waitFor(() => expect(journalOf('skipped')).toHaveLength(3), patience);
    await signal(handle, 'retryNode', 1);
    await waitFor(() => expect(ran).toContain(4), patience);
    held.open();
    await handle.result();
    expect(ran.filter((index) => index !== 5)).toEqual([1, 1, 2, 3, 4]);
  });

  it('maps in several parts number their items apart, and what follows waits for them', async () => {
    const { engine, graphId, ran, at } = await start({ records: { expandMap: async () => 2 } });
    const nodes = [at(1, { map: { max: 5 } }), at(2, { map: { max: 5 } }), at(3, { deps: [1, 2] })];
    await (await engine.start({ graphId, nodes, journal: true, partSize: 1 })).result();
    expect(new Set(ran).size).toBe(5);
    expect(ran.at(-1)).toBe(3);
  });

  it('keeps to the limit of attempts in flight over all parts', async () => {
    let running = 0;
    let most = 0;
    const { engine, graphId, ranSorted, at } = await start({}, async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise(setImmediate);
      running -= 1;
    });
    const nodes = Array.from({ length: 12 }, (_unused, i) => at(i + 1));
    await (await engine.start({ graphId, nodes, journal: true, partSize: 3, maxParallel: 2 })).result();
    expect(ranSorted()).toHaveLength(12);
    expect(most).toBeLessThanOrEqual(2);
  });

  it('a part that somebody ends fails the graph with its name', async () => {
    const held = latch();
    const { engine, graphId, ran, at } = await start({}, () => held.opened);
    const handle = await engine.start({ graphId, nodes: [at(1), at(2)], journal: true, partSize: 1 });
    await waitFor(() => expect(ran).toHaveLength(2));
    await engine.client.workflow.getHandle(`${graphId}/part-2`).terminate('by hand');
    held.open();
    expect((await failureOf(handle))?.message).toContain('part 2 of the graph');
  });
});
