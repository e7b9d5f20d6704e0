import { describe, expect, it } from 'vitest';
import { firstItemNumber } from '../../../src/contract/ids.js';
import { GraphModel } from '../../../web/src/graph/model/graph-model.js';
import { event, nodeState } from '../../support/web-graphs.js';

const loaded = (...nodes: Parameters<typeof nodeState>[]) => {
  const model = new GraphModel();
  model.refresh(nodes.map((node) => nodeState(...node)));
  return model;
};

describe('the nodes of a graph on the page', () => {
  it('follow the events, and are counted by state', () => {
    const model = loaded([1, 'a'], [2, 'b', { deps: ['a'] }]);
    model.apply(event('queued', 1, 'a', { attempt: 1, queue: 'gpu' }));
    expect(model.named('a')).toMatchObject({ state: 'queued', queue: 'gpu', attempt: 1 });
    model.apply(event('failed', 1, 'a', { attempt: 1, fault: 'exit', message: 'exit code 3' }));
    model.apply(event('skipped', 2, 'b'));
    expect(model.named('a')).toMatchObject({ state: 'failed', fault: 'exit', message: 'exit code 3' });
    expect(model.counts).toMatchObject({ failed: 1, skipped: 1, waiting: 0, queued: 0 });
    model.apply(event('revived', 1, 'a'));
    expect(model.named('a')).toMatchObject({ state: 'waiting', message: null });
  });

  it('wait again while their next attempt is to come, and know why the last one failed', () => {
    const model = loaded([1, 'a', { state: 'running', attempt: 1 }]);
    model.apply(event('retrying', 1, 'a', { attempt: 1, fault: 'memory', message: 'no memory', queue: 'gpuhigh' }));
    expect(model.named('a')).toMatchObject({ state: 'waiting', queue: 'gpuhigh', message: 'no memory' });
    model.apply(event('queued', 1, 'a', { attempt: 2, queue: 'gpuhigh' }));
    expect(model.named('a')).toMatchObject({ state: 'queued', attempt: 2 });
  });

  it('keep what a later read told when an event comes that was before it', () => {
    const model = loaded([1, 'a', { state: 'running', attempt: 2, progress: 40 }]);
    model.apply(event('queued', 1, 'a', { attempt: 1 }));
    model.apply(event('queued', 1, 'a', { attempt: 2 }));
    expect(model.named('a')).toMatchObject({ state: 'running', attempt: 2, progress: 40 });
    model.apply(event('succeeded', 1, 'a'));
    model.apply(event('queued', 1, 'a', { attempt: 2 }));
    expect(model.named('a')).toMatchObject({ state: 'succeeded', progress: 100 });
  });

  it('get the items of a map when it has become them', () => {
    const model = loaded([1, 'weigh', { kind: 'map', queue: 'cpu' }]);
    const shape = model.shape;
    const mapped = event('mapped', 1, 'weigh', { first: firstItemNumber, count: 2 });
    model.apply(mapped);
    model.apply(mapped);
    expect(model.shape).toBeGreaterThan(shape);
    expect([...model.all()].map(({ id, itemOf }) => [id, itemOf])).toEqual([
      ['weigh', null],
      ['weigh[0]', 'weigh'],
      ['weigh[1]', 'weigh'],
    ]);
    model.apply(event('queued', firstItemNumber + 1, 'weigh[1]', { attempt: 1, queue: 'cpu' }));
    expect(model.counts).toMatchObject({ waiting: 1, queued: 1, running: 1 });
    // The API has it as waiting until all have ended.
    model.refresh([nodeState(1, 'weigh', { kind: 'map', queue: 'cpu' })]);
    expect(model.named('weigh')).toMatchObject({ state: 'running' });
    model.apply(event('succeeded', 1, 'weigh'));
    expect(model.named('weigh')).toMatchObject({ state: 'succeeded' });
  });

  it('ask for what an event tells too little of', () => {
    const model = loaded([1, 'a'], [firstItemNumber, 'x']);
    expect(model.apply({ seq: 3, at: '', type: 'added' })).toEqual({ after: firstItemNumber });
    expect(model.apply(event('queued', 9, 'new'))).toEqual({ after: 8 });
    expect(model.apply(event('succeeded', 1, 'a'))).toBe(null);
  });

  it('change their shape only when there are other nodes or dependencies', () => {
    const model = loaded([1, 'a'], [2, 'b', { deps: ['a'] }]);
    const { shape, version } = model;
    model.refresh([nodeState(2, 'b', { deps: ['a'], state: 'running', progress: 3 })]);
    expect(model.shape).toBe(shape);
    expect(model.version).toBeGreaterThan(version);
    model.refresh([nodeState(2, 'b', { deps: [] })]);
    expect(model.shape).toBeGreaterThan(shape);
  });
});
