import { describe, expect, it } from 'vitest';
import type { GraphNode } from '../../../src/contract/graph.js';
import type { GraphCommand } from '../../../src/graph/events.js';
import { GraphRun } from '../../../src/graph/graph-run.js';
import { node, retryPolicy } from '../../support/graphs.js';

function start(nodes: GraphNode[], window = 200): { core: GraphRun; first: GraphCommand[] } {
  const core = new GraphRun(nodes, { window });
  return { core, first: core.handle({ type: 'start' }) };
}

const runs = (commands: GraphCommand[]): number[] =>
  commands.filter((command) => command.type === 'run').map((command) => command.node);
const finish = (commands: GraphCommand[]): unknown => commands.find((command) => command.type === 'finish')?.state;

describe('a graph of one node', () => {
  it('runs it once and finishes with it', () => {
    const { core, first } = start([node(1)]);
    expect(first).toEqual([
      {
        type: 'run',
        node: 1,
        attempt: 1,
        queue: 'cpu',
        timeLimit: 60,
        retriesUsed: 0,
        lossesUsed: 0,
        priority: 3,
        startWithin: null,
      },
    ]);
    expect(core.handle({ type: 'succeeded', node: 1 })).toEqual([
      { type: 'ended', node: 1, state: 'succeeded' },
      { type: 'finish', state: 'succeeded', message: '' },
    ]);
  });

  it('tries a crash again under the next attempt number, and fails after the second', () => {
    const { core } = start([node(1)]);
    expect(core.handle({ type: 'faulted', node: 1, fault: 'signal', message: 'SIGSEGV' })).toMatchObject([
      { type: 'run', attempt: 2, queue: 'gpuhigh', timeLimit: 3600, retriesUsed: 1, startWithin: 60 },
    ]);
    const last = core.handle({ type: 'faulted', node: 1, fault: 'exit', message: 'PixyzExitFault: 3' });
    expect(last).toEqual([
      { type: 'ended', node: 1, state: 'failed' },
      { type: 'finish', state: 'failed', message: 'node 1: PixyzExitFault: 3' },
    ]);
  });

  it('falls back to its own queue when nobody serves the rescue queue, and keeps waiting when somebody does', () => {
    const unserved = start([node(1, { queue: 'gpu' })]).core;
    unserved.handle({ type: 'faulted', node: 1, fault: 'memory', message: '' });
    expect(unserved.handle({ type: 'not-started', node: 1, served: false })).toMatchObject([
      { type: 'record', change: { kind: 'moved', queue: 'gpu' } },
      { type: 'run', attempt: 2, queue: 'gpu', startWithin: null },
    ]);
    const busy = start([node(1, { queue: 'gpu' })]).core;
    busy.handle({ type: 'faulted', node: 1, fault: 'memory', message: '' });
    expect(busy.handle({ type: 'not-started', node: 1, served: true })).toMatchObject([
      { type: 'run', attempt: 2, queue: 'gpuhigh', startWithin: null },
    ]);
  });

  it('writes down a lost attempt before the next one runs, because a dead worker cannot', () => {
    const { core } = start([node(1)]);
    expect(core.handle({ type: 'faulted', node: 1, fault: 'lost', message: 'gone' })).toMatchObject([
      { type: 'record', change: { kind: 'lost', attempt: 1, nextQueue: 'cpu' } },
      { type: 'run', attempt: 2, queue: 'cpu', retriesUsed: 0, lossesUsed: 1 },
    ]);
  });

  it('gives up after the bound on lost workers, and says so in the record', () => {
    const { core } = start([node(1, { retry: { ...retryPolicy, maxLosses: 0 } })]);
    expect(core.handle({ type: 'faulted', node: 1, fault: 'lost', message: 'gone' })).toMatchObject([
      { type: 'record', change: { kind: 'failed' } },
      { type: 'ended', state: 'failed' },
      { type: 'finish', state: 'failed' },
    ]);
  });

  it('an attempt that a worker gave back keeps its number and goes before those as urgent as it, not before more urgent ones', () => {
    for (const [priority, next] of [
      [1, 1],
      [3, 2],
      [5, 4],
    ] as const) {
      const { core } = start([node(1, { priority })]);
      for (let times = 0; times < 3; times += 1)
        expect(core.handle({ type: 'returned', node: 1 })).toMatchObject([
          { type: 'run', attempt: 1, queue: 'cpu', priority: next },
        ]);
    }
  });

  it('the others of a batch that were given back wait for what is more urgent, and go before what is not', () => {
    const low = { priority: 5 };
    const { core } = start([node(1, low), node(2, low), node(3, low), node(4, { deps: [1], priority: 2 })], 2);
    const pause = core.handle({ type: 'pause' });
    core.handle({ type: 'returned', node: 2 });
    core.handle({ type: 'succeeded', node: 1 });
    expect(pause.concat(core.handle({ type: 'resume' }))).toMatchObject([
      { type: 'run', node: 4, priority: 2 },
      { type: 'run', node: 2, priority: 4 },
    ]);
  });

  it('is revoked when it expires before it starts', () => {
    const { core, first } = start([node(1, { expires: 5 })]);
    expect(first).toMatchObject([{ startWithin: 5 }]);
    expect(core.handle({ type: 'not-started', node: 1, served: true })).toMatchObject([
      { type: 'record', change: { kind: 'revoked', message: 'expired' } },
      { type: 'ended', state: 'revoked' },
      { type: 'finish', state: 'revoked' },
    ]);
  });

  it('waits for its countdown, and a cancel during the wait revokes it', () => {
    const { core, first } = start([node(1, { countdown: 9 })]);
    expect(first).toEqual([{ type: 'wait', node: 1, seconds: 9 }]);
    expect(finish(core.handle({ type: 'cancel', node: null, reason: 'no longer needed' }))).toBe('revoked');
    expect(core.handle({ type: 'due', node: 1 })).toEqual([]);
  });

  it('when cancelled while it runs, is stopped first and ends when the script has', () => {
    const { core } = start([node(1)]);
    expect(core.handle({ type: 'cancel', node: 1, reason: 'enough' })).toEqual([{ type: 'stop', node: 1 }]);
    expect(core.handle({ type: 'cancel', node: 1, reason: 'enough' })).toEqual([]);
    expect(finish(core.handle({ type: 'faulted', node: 1, fault: 'cancelled', message: 'cancelled' }))).toBe('revoked');
  });

  it('a crash of a script that was told to stop is not retried', () => {
    const { core } = start([node(1)]);
    core.handle({ type: 'cancel', node: 1, reason: 'enough' });
    expect(runs(core.handle({ type: 'faulted', node: 1, fault: 'signal', message: 'SIGTERM' }))).toEqual([]);
  });

  it('a success that was quicker than the cancel counts', () => {
    const { core } = start([node(1)]);
    core.handle({ type: 'cancel', node: 1, reason: 'enough' });
    expect(finish(core.handle({ type: 'succeeded', node: 1 }))).toBe('succeeded');
  });
});

describe('dependencies', () => {
  it('a node starts when all it depends on have succeeded', () => {
    const { core, first } = start([node(1), node(2), node(3, { deps: [1, 2] })]);
    expect(runs(first)).toEqual([1, 2]);
    expect(runs(core.handle({ type: 'succeeded', node: 1 }))).toEqual([]);
    expect(runs(core.handle({ type: 'succeeded', node: 2 }))).toEqual([3]);
  });

  it('a node with a failed parent is skipped, and its siblings still run', () => {
    const { core } = start([node(1), node(2), node(3, { deps: [1] }), node(4, { deps: [2] })]);
    core.handle({ type: 'faulted', node: 1, fault: 'exception', message: 'ValueError: x' });
    expect(core.stateOf(3)).toBe('skipped');
    expect(runs(core.handle({ type: 'succeeded', node: 2 }))).toEqual([4]);
  });

  it('"any_failed" runs only after a failure, "all_done" after any end', () => {
    const nodes = [node(1), node(2, { deps: [1], trigger: 'any_failed' }), node(3, { deps: [1], trigger: 'all_done' })];
    expect(runs(start(nodes).core.handle({ type: 'succeeded', node: 1 }))).toEqual([3]);
    expect(runs(start(nodes).core.handle({ type: 'faulted', node: 1, fault: 'exception', message: '' }))).toEqual([
      2, 3,
    ]);
  });

  it('goes by priority, then by the longest chain behind', () => {
    const { first } = start([node(1), node(2, { priority: 1 }), node(3), node(4, { deps: [3] })]);
    expect(runs(first)).toEqual([2, 3, 1]);
  });

  it('keeps at most the window in flight', () => {
    const { core, first } = start([node(1), node(2), node(3)], 2);
    expect(runs(first)).toEqual([1, 2]);
    expect(runs(core.handle({ type: 'succeeded', node: 1 }))).toEqual([3]);
  });

  it('skips a chain of ten thousand without running out of stack', () => {
    const nodes = Array.from({ length: 10_000 }, (_, i) => node(i + 1, i === 0 ? {} : { deps: [i] }));
    const { core } = start(nodes);
    expect(finish(core.handle({ type: 'faulted', node: 1, fault: 'exception', message: '' }))).toBe('failed');
  });
});

describe('conditions, maps and barriers', () => {
  it('a condition is asked only when the rule holds, and "no" skips the node', () => {
    const nodes = [node(1), node(2, { deps: [1], conditional: true }), node(3, { deps: [2] })];
    const { core, first } = start(nodes);
    expect(first.map(({ type }) => type)).toEqual(['run']);
    expect(core.handle({ type: 'succeeded', node: 1 })).toContainEqual({ type: 'ask', node: 2 });
    const commands = core.handle({ type: 'answered', node: 2, yes: false });
    expect(commands).toContainEqual({ type: 'ended', node: 2, state: 'skipped' });
    expect(core.stateOf(3)).toBe('skipped');
    expect(finish(commands)).toBe('succeeded');
  });

  it('the items of a map run as it would, and it ends as the worst of them', () => {
    const nodes = [
      node(1, { map: { max: 9 }, label: 'lod', queue: 'gpu' }),
      node(2, { deps: [1], trigger: 'any_failed' }),
    ];
    const { core, first } = start(nodes);
    expect(first).toEqual([{ type: 'expand', node: 1, first: 0x8000_0000 }]);
    expect(core.handle({ type: 'expanded', node: 1, count: 2 })).toMatchObject([
      { type: 'run', node: 0x8000_0000, queue: 'gpu', item: { map: 1, at: 0 } },
      { type: 'run', node: 0x8000_0001, queue: 'gpu', item: { map: 1, at: 1 } },
    ]);
    expect(core.nodeOf(0x8000_0001).label).toBe('lod [1]');
    core.handle({ type: 'faulted', node: 0x8000_0000, fault: 'exception', message: 'too large' });
    expect(core.stateOf(1)).toBe('mapped');
    expect(runs(core.handle({ type: 'succeeded', node: 0x8000_0001 }))).toEqual([2]);
    expect(core.failureOf(1)).toBe('1 of 2 items failed, first lod [0]: too large');
  });

  it('two maps number their items apart, before they know how many there will be', () => {
    const { first } = start([node(1, { map: { max: 5 } }), node(2, { map: { max: 5 } })]);
    expect(first).toMatchObject([{ first: 0x8000_0000 }, { first: 0x8000_0005 }]);
  });

  it('a map of nothing has succeeded, and a barrier ends when it is reached', () => {
    const { core } = start([node(1, { map: { max: 5 } }), node(2, { deps: [1], kind: 'barrier' })]);
    expect(finish(core.handle({ type: 'expanded', node: 1, count: 0 }))).toBe('succeeded');
  });
});

describe('what people ask for', () => {
  it('a retry runs a failed node under the next number, and what was skipped because of it waits again', () => {
    const { core } = start([node(1), node(2, { deps: [1] }), node(3)]);
    core.handle({ type: 'faulted', node: 1, fault: 'exception', message: '' });
    expect(core.stateOf(2)).toBe('skipped');
    const commands = core.handle({ type: 'retry', node: 1 });
    expect(commands).toContainEqual({ type: 'record', node: 1, change: { kind: 'revived', attempt: 2, queue: 'cpu' } });
    expect(commands).toContainEqual(expect.objectContaining({ type: 'run', node: 1, attempt: 2, retriesUsed: 0 }));
    expect(core.stateOf(2)).toBe('blocked');
    expect(runs(core.handle({ type: 'succeeded', node: 1 }))).toEqual([2]);
  });

  it('a changed priority holds for what waits', () => {
    const { core } = start([node(1), node(2), node(3)], 1);
    core.handle({ type: 'priority', node: 3, priority: 1 });
    expect(core.handle({ type: 'succeeded', node: 1 })).toContainEqual(
      expect.objectContaining({ type: 'run', node: 3, priority: 1 }),
    );
  });

  it('a changed limit holds for what comes: more start at once, or none until enough have ended', () => {
    const core = new GraphRun(
      Array.from({ length: 6 }, (_, at) => node(at + 1)),
      { window: 1, widest: 4 },
    );
    expect(runs(core.handle({ type: 'start' }))).toEqual([1]);
    expect(runs(core.handle({ type: 'limit', max: 3 }))).toEqual([2, 3]);
    expect(runs(core.handle({ type: 'limit', max: 2 }))).toEqual([]);
    expect(runs(core.handle({ type: 'succeeded', node: 1 }))).toEqual([]);
    expect(runs(core.handle({ type: 'succeeded', node: 2 }))).toEqual([4]);
    expect(runs(core.handle({ type: 'limit', max: null }))).toEqual([5, 6]);
  });

  it('an open graph ends when it is closed, and nodes may wait for such as have ended', () => {
    const core = new GraphRun([node(1)], { window: 10, open: true });
    core.handle({ type: 'start' });
    expect(finish(core.handle({ type: 'succeeded', node: 1 }))).toBe(undefined);
    expect(runs(core.handle({ type: 'add', nodes: [node(2, { deps: [1] }), node(1)] }))).toEqual([2]);
    expect(finish(core.handle({ type: 'close' }))).toBe(undefined);
    expect(finish(core.handle({ type: 'succeeded', node: 2 }))).toBe('succeeded');
  });

  it('a node of an open graph that waits for one it has not fails, instead of waiting for ever', () => {
    const core = new GraphRun([], { window: 10, open: true });
    core.handle({ type: 'start' });
    core.handle({ type: 'add', nodes: [node(2, { deps: [7] })] });
    expect(core.stateOf(2)).toBe('failed');
  });

  it('a link that was sent along runs when the one before has succeeded, and is free again when it has not', () => {
    const chain = [node(1), node(2, { deps: [1] })];
    const good = start(chain).core;
    expect(runs(good.chainBehind(1, () => true))).toEqual([2]);
    expect(runs(good.handle({ type: 'succeeded', node: 1 }))).toEqual([]);
    expect(good.stateOf(2)).toBe('running');
    const bad = start(chain).core;
    bad.chainBehind(1, () => true);
    bad.handle({ type: 'faulted', node: 1, fault: 'exception', message: '' });
    expect(bad.stateOf(2)).toBe('skipped');
  });

  it('with the policy "stop" a failure revokes what waits, and a retry goes on', () => {
    const core = new GraphRun([node(1), node(2, { deps: [1] }), node(3)], { window: 1, onFailure: 'stop', open: true });
    core.handle({ type: 'start' });
    core.handle({ type: 'faulted', node: 1, fault: 'exception', message: 'x' });
    expect([core.stateOf(2), core.stateOf(3)]).toEqual(['revoked', 'revoked']);
    core.handle({ type: 'retry', node: null });
    core.handle({ type: 'close' });
    core.handle({ type: 'succeeded', node: 1 });
    core.handle({ type: 'succeeded', node: 2 });
    expect(finish(core.handle({ type: 'succeeded', node: 3 }))).toBe('succeeded');
  });
});
