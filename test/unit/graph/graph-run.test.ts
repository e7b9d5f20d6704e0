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

  it('an attempt that a worker gave back keeps its number and goes first', () => {
    const { core } = start([node(1)]);
    expect(core.handle({ type: 'returned', node: 1 })).toMatchObject([
      { type: 'run', attempt: 1, queue: 'cpu', priority: 1 },
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
