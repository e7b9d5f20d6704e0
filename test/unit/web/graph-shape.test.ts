import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstItemNumber } from '../../../src/contract/ids.js';
import { careful } from '../../../web/src/graph/layout/careful.js';
import { layered } from '../../../web/src/graph/layout/layered.js';
import type { GraphModel } from '../../../web/src/graph/model/graph-model.js';
import { type Box, boxTreeOf, mostBoxes, opened, visibleOf } from '../../../web/src/graph/shape/boxes.js';
import { classesOf, levelsOf } from '../../../web/src/graph/shape/classes.js';
import { criticalPath } from '../../../web/src/graph/shape/critical-path.js';
import { event, modelOf } from '../../support/web-graphs.js';

const range = (count: number) => Array.from({ length: count }, (_, at) => at);

function seen(model: GraphModel, open: readonly string[] = []) {
  const tree = boxTreeOf(model.all());
  return { tree, ...visibleOf(tree, new Set(open), model) };
}

describe('boxes', () => {
  it('are the nodes themselves as long as there are few', () => {
    const { boxes, deps } = seen(modelOf({ a: [], b: ['a'], c: ['a'], d: ['b', 'c'] }));
    expect(boxes.map(({ title }) => title)).toEqual(['a', 'b', 'c', 'd']);
    expect(deps).toEqual([[], [0], [0], [1, 2]]);
  });

  it('bring together what stands in the same place: a thousand chains of ten are ten boxes', () => {
    const chains = range(10_000).map((at) => {
      const [chain, link] = [Math.floor(at / 10), at % 10];
      return [`c${chain}-${link}`, link === 0 ? ['start'] : [`c${chain}-${link - 1}`]] as const;
    });
    const { boxes, deps } = seen(modelOf({ start: [], ...Object.fromEntries(chains) }));
    expect(boxes.map(({ members }) => members.length)).toEqual([1, ...range(10).map(() => 1000)]);
    expect(deps.slice(1)).toEqual(range(10).map((at) => [at]));
  });

  it('keep apart what is called otherwise, where there is room', () => {
    const names = [...range(100).map((at) => `left-${at}`), ...range(100).map((at) => `right-${at}`)];
    const { boxes } = seen(modelOf({ start: [], ...Object.fromEntries(names.map((name) => [name, ['start']])) }));
    expect(boxes.map(({ title }) => title)).toEqual(['start', 'left-0 … 99', 'right-0 … 99']);
  });

  it('open into a hundred at most, down to the single node', () => {
    const model = modelOf({ start: [], ...Object.fromEntries(range(9000).map((at) => [`f${at}`, ['start']])) });
    const tree = boxTreeOf(model.all());
    const number = (model.named('f4321') as { number: number }).number;
    const keys = opened(tree, number);
    expect(keys).toHaveLength(2);
    const { boxes, frames } = visibleOf(tree, new Set(keys), model);
    expect(boxes.some(({ members }) => members.length === 1 && members[0] === number)).toBe(true);
    expect(boxes.length).toBeLessThanOrEqual(1 + 2 * 100);
    expect(frames).toHaveLength(2);
  });

  it('show a map as one, and open it into its items, which have its place', () => {
    const model = modelOf({ split: [], weigh: ['split'], total: ['weigh'] }, (id) =>
      id === 'weigh' ? { kind: 'map' } : {},
    );
    model.apply(event('mapped', 2, 'weigh', { first: firstItemNumber, count: 3 }));
    const closed = seen(model);
    expect(closed.boxes.map(({ kind, members }) => [kind, members.length])).toEqual([
      ['node', 1],
      ['map', 4],
      ['node', 1],
    ]);
    const { boxes, deps, tree } = seen(model, ['n2']);
    expect(boxes.map(({ title }) => title)).toEqual(['split', 'weigh[0]', 'weigh[1]', 'weigh[2]', 'total']);
    expect(deps).toEqual([[], [0], [0], [0], [1, 2, 3]]);
    expect(opened(tree, firstItemNumber)).toEqual(['n2']);
    expect(opened(tree, 2), 'the map is drawn when it is closed').toEqual([]);
  });

  it('are bounded, without cycles, and have every node once, whatever the graph, closed and with any box open', () => {
    const graphs = fc
      .array(fc.array(fc.nat(), { maxLength: 3 }), { maxLength: 600, size: 'max' })
      .map((lists) =>
        Object.fromEntries(
          lists.map((list, at) => [`n${at}`, at === 0 ? [] : [...new Set(list.map((nat) => `n${nat % at}`))]]),
        ),
      );
    fc.assert(
      fc.property(graphs, fc.nat(), (deps, pick) => {
        const model = modelOf(deps);
        const tree = boxTreeOf(model.all());
        expect(tree.roots.length).toBeLessThanOrEqual(mostBoxes);
        const open = tree.roots.filter(({ children }) => children.length > 0).map(({ key }) => key);
        for (const keys of [[], open.length === 0 ? [] : [open[pick % open.length] as string], open]) {
          const shown = visibleOf(tree, new Set(keys), model);
          const all = shown.boxes.flatMap(({ members }: Box) => members);
          expect(all.toSorted((a, b) => a - b)).toEqual(range(model.size).map((at) => at + 1));
          const levels = levelsOf(shown.deps);
          for (const [box, list] of shown.deps.entries())
            for (const dep of list) expect(levels[dep]).toBeLessThan(levels[box] as number);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('bound a chain of ten thousand, too', () => {
    const model = modelOf(Object.fromEntries(range(10_000).map((at) => [`n${at}`, at === 0 ? [] : [`n${at - 1}`]])));
    expect(seen(model).boxes.length).toBeLessThanOrEqual(mostBoxes);
  });
});

describe('classes', () => {
  it('tell apart what differs further away', () => {
    // Three chains of three; two of them are joined at their ends.
    const deps = [[], [0], [1], [], [3], [4], [], [6], [7], [2, 5]];
    const classes = classesOf(
      deps,
      levelsOf(deps),
      deps.map(() => ''),
    );
    expect(classes[0]).toBe(classes[3]);
    expect(classes[0]).not.toBe(classes[6]);
  });
});

describe('the careful layout', () => {
  it('keeps the boxes of a frame together, long edges around boxes, and the order of the document from top to bottom', () => {
    // A chain of three past a fan of five that lies in a frame.
    const deps = [[], [0], [0], [0], [0], [0], [1, 2, 3, 4, 5], [0], [7], [8, 6]];
    const input = { deps, width: 100, height: 40, frames: [[1, 2, 3, 4, 5]] };
    const { places, frames, bends } = careful(input);
    const at = (box: number) => ({ x: places[2 * box] as number, y: places[2 * box + 1] as number });
    const tops = [1, 2, 3, 4, 5].map((box) => at(box).y);
    expect(tops).toEqual(tops.toSorted((a, b) => a - b));
    const [left, top, width, height] = frames as unknown as [number, number, number, number];
    for (const box of deps.keys()) {
      const isInside = box >= 1 && box <= 5;
      const { x, y } = at(box);
      expect(x >= left && x < left + width && y >= top && y < top + height, `box ${box}`).toBe(isInside);
      for (const dep of deps[box] as number[]) expect(at(dep).x + 100).toBeLessThan(x);
    }
    expect(bends.size).toBe(deps.flat().length);
  });
});

describe('the plain layout', () => {
  it('places no two boxes on each other, and each right of what it waits for', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.nat(), { maxLength: 3 }), { minLength: 1, maxLength: 300, size: 'max' }),
        (lists) => {
          const deps = lists.map((list, at) => (at === 0 ? [] : [...new Set(list.map((nat) => nat % at))]));
          const [width, height] = [100, 40];
          const { places } = layered({ deps, width, height, frames: [] });
          const taken = new Set<string>();
          for (const [box, list] of deps.entries()) {
            const [x, y] = [places[2 * box] as number, places[2 * box + 1] as number];
            taken.add(`${x} ${y}`);
            for (const dep of list) expect(places[2 * dep] as number).toBeLessThan(x - width);
          }
          expect(taken.size).toBe(deps.length);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('folds a wide level, and puts frames around what is inside, outer ones wider', () => {
    const deps = [[], ...range(300).map(() => [0])];
    const inner = range(20).map((at) => at + 1);
    const { places, frames, height } = layered({
      deps,
      width: 100,
      height: 40,
      frames: [range(300).map((at) => at + 1), inner],
    });
    expect(height).toBeLessThan(61 * 58);
    expect(frames).toHaveLength(8);
    expect(frames[0]).toBeLessThan(frames[4] as number);
    expect(new Set(range(301).map((at) => `${places[2 * at]},${places[2 * at + 1]}`)).size).toBe(301);
  });
});

describe('the critical path', () => {
  const path = (model: GraphModel, spans: Record<string, [number, number | null]>, now = 100_000) =>
    criticalPath(
      [...model.all()],
      ({ id }) => (spans[id] === undefined ? null : { from: spans[id][0], to: spans[id][1] }),
      now,
    ).map((number) => model.node(number)?.id);
  const diamond = { a: [], b: ['a'], c: ['a'], d: ['b', 'c'] };

  it('follows what took longest', () => {
    const spans: Record<string, [number, number]> = { a: [0, 10], b: [10, 30], c: [10, 90], d: [90, 95] };
    expect(path(modelOf(diamond), spans)).toEqual(['a', 'c', 'd']);
    expect(path(modelOf(diamond), { ...spans, b: [10, 200] })).toEqual(['a', 'b', 'd']);
  });

  it('counts what runs by the time so far, and what is to come like the others', () => {
    expect(path(modelOf(diamond), { a: [0, 10], b: [10, null] }, 5000)).toEqual(['a', 'b', 'd']);
    expect(path(modelOf({ ...diamond, e: ['c'], f: ['e'] }), {})).toEqual(['a', 'c', 'e', 'f']);
  });

  it('does not go over what was skipped where another way is longer', () => {
    const model = modelOf({ a: [], b: ['a'], c: ['b'], x: ['a'] }, (id) =>
      id === 'b' || id === 'c' ? { state: 'skipped' } : {},
    );
    expect(path(model, { a: [0, 10], x: [10, 40] })).toEqual(['a', 'x']);
  });
});
