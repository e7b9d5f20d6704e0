import { Context } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import { afterEach, describe, expect, it } from 'vitest';
import type { GraphNode } from '../../src/contract/graph.js';
import { firstItemNumber, jobIdOf } from '../../src/contract/ids.js';
import { node } from '../support/graphs.js';
import { failureOf, fault, latch, type Play, play, signal } from '../support/play.js';
import { waitFor } from '../support/wait-for.js';

// Each case runs twice: with the run kept in memory, and replayed from its history at every step.
describe.each([
  ['kept in memory', 100],
  ['replayed at every step', 0],
])('graphs, %s', (_, cached) => {
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

  it('asks for a condition, skips where it is false, and says so in the journal', async () => {
    const asked: number[] = [];
    const { engine, graphId, ran, journalOf, at } = await start({
      records: { evaluateWhen: async (_graph, index) => (asked.push(index), index === 2) },
    });
    const nodes = [at(1), at(2, { deps: [1], conditional: true }), at(3, { deps: [1], conditional: true })];
    await (await engine.start({ graphId, nodes, journal: true })).result();
    expect(ran).toEqual([1, 2]);
    expect(asked.toSorted((a, b) => a - b)).toEqual([2, 3]);
    expect(journalOf('started', 'ended', 'skipped', 'succeeded')).toEqual([
      'started',
      'succeeded 1',
      'skipped 3',
      'succeeded 2',
      'ended',
    ]);
    // No attempt, no record: the journal has it.
    expect(engine.changes).toEqual([]);
  });

  it('a condition that cannot be evaluated fails its node with the reason', async () => {
    const { engine, graphId, at } = await start({
      records: {
        evaluateWhen: async () => {
          throw fault('invalid');
        },
      },
    });
    const handle = await engine.start({ graphId, nodes: [at(1, { conditional: true })], journal: true });
    expect((await failureOf(handle))?.message).toBe('node 1: it was invalid');
  });

  it('a map runs an item for each place of its list, and what follows waits for all of them', async () => {
    const items: unknown[] = [];
    const { engine, graphId, ran, at } = await start({ records: { expandMap: async () => 3 } }, (_index, { item }) => {
      items.push(item);
      return undefined;
    });
    const nodes = [at(1, { map: { max: 5 } }), at(2, { deps: [1] })];
    await (await engine.start({ graphId, nodes, journal: true })).result();
    const first = firstItemNumber;
    expect(ran.slice(0, 3).toSorted((a, b) => a - b)).toEqual([first, first + 1, first + 2]);
    expect(ran.slice(3)).toEqual([2]);
    expect(items.slice(0, 3)).toEqual(expect.arrayContaining([0, 1, 2].map((at) => ({ map: 1, at }))));
    expect(engine.journal).toContainEqual(expect.objectContaining({ type: 'mapped', node: 1, first, count: 3 }));
  });

  it('reads a large plan from the document', async () => {
    const stored = Array.from({ length: 30 }, (_, i) => node(i + 1, i % 10 === 0 ? {} : { deps: [i] }));
    const { engine, graphId, ranSorted } = await start({
      records: {
        loadPlan: async (_graph, first, count) => {
          const rows = stored.slice(first - 1, first - 1 + count);
          const { index: _index, label: _label, deps: _deps, ...template } = node(1);
          return {
            first,
            templates: [{ ...template, queue: engine.queue('cpu') }],
            rows: rows.map(({ label, deps }) => [0, label, deps]),
          };
        },
      },
    });
    await (await engine.start({ graphId, nodes: [], stored: 30, journal: true })).result();
    expect(ranSorted()).toEqual(stored.map(({ index }) => index));
  });

  it('an open graph takes nodes until it is closed, however late or often it is told of them', async () => {
    const stored: GraphNode[] = [];
    const { engine, graphId, ran, ranSorted, journalOf, at } = await start({ stored });
    stored.push(at(1), at(2, { deps: [1] }), at(3, { deps: [1] }));
    const handle = await engine.start({ graphId, nodes: [], stored: 1, open: true, journal: true });
    await waitFor(() => expect(ran).toEqual([1]));
    await signal(handle, 'addNodes', { first: 3, count: 1 });
    await waitFor(() => expect(ranSorted()).toEqual([1, 2, 3]));
    await signal(handle, 'addNodes', { first: 2, count: 1 });
    await signal(handle, 'closeGraph');
    await handle.result();
    expect(ran).toHaveLength(3);
    expect(journalOf('added', 'closed', 'ended')).toEqual(['added 2', 'closed', 'ended']);
  });

  it('a paused graph starts nothing until it is resumed', async () => {
    const first = latch();
    const { engine, graphId, ran, journalOf, at } = await start({}, (index) =>
      index === 1 ? first.opened : undefined,
    );
    const handle = await engine.start({ graphId, nodes: [at(1), at(2, { deps: [1] })], journal: true });
    await waitFor(() => expect(ran).toEqual([1]));
    await signal(handle, 'pauseGraph');
    first.open();
    await waitFor(() => expect(journalOf('paused', 'succeeded')).toEqual(['paused', 'succeeded 1']));
    expect(ran).toEqual([1]);
    await signal(handle, 'resumeGraph');
    await handle.result();
    expect(ran).toEqual([1, 2]);
  });

  it('with the policy "stop", the first failure stops what runs and revokes what waits', async () => {
    const { engine, graphId, ran, ranSorted, journalOf, at } = await start({}, async (index) => {
      if (index === 1) {
        await waitFor(() => expect(ran).toContain(2));
        throw fault('exception');
      }
      const context = Context.current();
      const beat = setInterval(() => context.heartbeat(), 50);
      await context.cancelled.finally(() => clearInterval(beat));
    });
    const nodes = [at(1), at(2), at(3, { deps: [2], trigger: 'all_done' })];
    const handle = await engine.start({ graphId, nodes, onFailure: 'stop', journal: true });
    expect((await failureOf(handle))?.message).toContain('node 1: it was exception');
    expect(ranSorted()).toEqual([1, 2]);
    expect(journalOf('revoked').sort()).toEqual(['revoked 2', 'revoked 3']);
  });

  it('a failed node that is sent again runs under the next attempt number, and so do those it had held up', async () => {
    const attempts: number[] = [];
    const long = latch();
    const { engine, graphId, ran, journalOf, at } = await start({}, (index, { attempt }) => {
      if (index === 3) return long.opened;
      if (index === 1) attempts.push(attempt);
      if (index === 1 && attempt === 1) throw fault('exception');
      return undefined;
    });
    const nodes = [at(1), at(2, { deps: [1] }), at(3)];
    const handle = await engine.start({ graphId, nodes, journal: true });
    await waitFor(() => expect(journalOf('failed', 'skipped')).toEqual(['failed 1', 'skipped 2']));
    await signal(handle, 'retryNode', null);
    await waitFor(() => expect(ran).toContain(2));
    long.open();
    await handle.result();
    expect(attempts).toEqual([1, 2]);
    expect(engine.changes).toEqual([
      { jobId: jobIdOf(graphId, 1), change: { kind: 'revived', attempt: 2, queue: engine.queue('cpu') } },
    ]);
    expect(journalOf('revived').sort()).toEqual(['revived 1', 'revived 2']);
  });

  it('shows a person which nodes have failed', async () => {
    const { engine, graphId, at } = await start({}, (index) => {
      if (index === 1) throw fault('exception');
      return undefined;
    });
    const nodes = [at(1, { label: 'convert *wheel*' }), at(2, { deps: [1] }), at(3)];
    const handle = await engine.start({ graphId, nodes, journal: true });
    expect((await failureOf(handle))?.message).toBe('convert *wheel*: it was exception');
    expect((await handle.describe()).memo).toMatchObject({
      counts: { succeeded: 1, failed: 1, skipped: 1, revoked: 0 },
      failed: ['convert *wheel*'],
    });
    const shown = JSON.stringify(await handle.query('__temporal_workflow_metadata'));
    expect(shown).toContain('1 of 3 nodes have succeeded');
    expect(shown).toContain('wheel');
  });

  it('a cancel of the whole graph ends an open one, too', async () => {
    const { engine, graphId } = await start({});
    const handle = await engine.start({ graphId, nodes: [], open: true, journal: true });
    await handle.cancel();
    expect(await failureOf(handle)).toBeInstanceOf(CancelledFailure);
    expect(engine.journal.at(-1)).toMatchObject({ type: 'ended', state: 'revoked' });
  });
});
