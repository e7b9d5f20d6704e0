import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { together } from '../../../src/cli/dag/collapse.js';
import { drawGraph } from '../../../src/cli/dag/draw.js';
import { inOrder, type RailNode, rails } from '../../../src/cli/dag/rails.js';
import { fitted } from '../../../src/cli/watch-graph.js';

const graph = (shape: Record<string, string[]>): RailNode[] =>
  Object.entries(shape).map(([id, deps]) => ({ id, deps }));
const drawn = (shape: Record<string, string[]>) =>
  rails(graph(shape)).map(({ node, before, after }) => `${before}●${after} ${node.id}`);
const paint = (_colour: string, text: string) => text;

describe('rails', () => {
  it('a chain is one column', () => {
    expect(drawn({ a: [], b: ['a'], c: ['b'] })).toEqual(['● a', '● b', '● c']);
  });

  it('a diamond parts and comes together', () => {
    expect(drawn({ convert: [], pictures: ['convert'], facts: ['convert'], all: ['pictures', 'facts'] })).toEqual([
      '● convert',
      '├─● pictures',
      '● │ facts',
      '●─╯ all',
    ]);
  });

  it('graphs that have nothing to do with each other do not look like one', () => {
    expect(drawn({ a: [], b: [], c: ['a'] })).toEqual(['● a', '● c', '  ● b']);
  });

  it('a connection passes behind a rail', () => {
    expect(drawn({ a: [], b: ['a'], c: ['a'], d: ['a', 'b'], e: ['a', 'c', 'd'] })).toEqual([
      '● a',
      '├─● b',
      '├─● d',
      '├─│─● c',
      '●─┴─╯ e',
    ]);
  });

  it('names of nodes that are not there are left out', () => {
    expect(drawn({ a: ['gone'], b: ['a'] })).toEqual(['● a', '● b']);
  });

  it('any graph: each node has one line, after its parents, and rails end where nothing is waited for', () => {
    const graphs = fc.array(fc.array(fc.nat(), { maxLength: 4 }), { minLength: 1, maxLength: 25 }).map((lists) =>
      lists.map((deps, at) => ({
        id: String(at),
        deps: at === 0 ? [] : [...new Set(deps.map((dep) => String(dep % at)))],
      })),
    );
    fc.assert(
      fc.property(graphs, (nodes) => {
        const rows = rails(nodes);
        expect(rows.map(({ node }) => node.id).sort()).toEqual(nodes.map(({ id }) => id).sort());
        const lines = new Map(rows.map(({ node }, line) => [node.id, line]));
        for (const { id, deps } of nodes)
          for (const dep of deps) expect(lines.get(dep)).toBeLessThan(lines.get(id) as number);
        const { before, after } = rows.at(-1) as { before: string; after: string };
        expect(before + after).not.toMatch(/[│├┤┼]/);
      }),
    );
  });

  it('ten thousand nodes are put in order in a moment', () => {
    const nodes = [{ id: 'root', deps: [] as string[] }];
    for (let n = 0; n < 10_000; n += 1) nodes.push({ id: `n${n}`, deps: ['root'] });
    const began = performance.now();
    expect(inOrder(nodes)).toHaveLength(10_001);
    expect(performance.now() - began).toBeLessThan(2000);
  });
});

describe('siblings', () => {
  const fan = [
    { id: 'split', deps: [] },
    ...[1, 2, 3, 4].map((n) => ({ id: `part-${n}`, deps: ['split'] })),
    { id: 'join', deps: [1, 2, 3, 4].map((n) => `part-${n}`) },
  ];

  it('become one line, and what waits for them waits for that line', () => {
    expect(together(fan).map(({ id, deps, members }) => [id, deps, members.length])).toEqual([
      ['split', [], 1],
      ['part-1', ['split'], 4],
      ['join', ['part-1'], 1],
    ]);
  });
});

describe('the drawing', () => {
  it('tells state, progress, attempt and reason', () => {
    const nodes = [
      { id: 'convert', deps: [], state: 'succeeded' as const },
      { id: 'pictures', deps: ['convert'], state: 'running' as const, progress: 40, attempt: 2 },
      { id: 'facts', deps: ['convert'], state: 'failed' as const, message: 'Traceback\nValueError: boom' },
      { id: 'all', deps: ['pictures', 'facts'], state: 'waiting' as const },
    ];
    expect(drawGraph(nodes, paint)).toEqual([
      '● convert  succeeded',
      '├─◐ pictures  running  ████░░░░░░ 40 %  attempt 2',
      '✖ │ facts  failed  ValueError: boom',
      '○─╯ all  waiting',
    ]);
  });

  it('has the items of a map in the line of their node', () => {
    const item = (n: number, state: 'succeeded' | 'running') => ({ id: `weigh[${n}]`, deps: [], state });
    const nodes = [{ id: 'weigh', deps: [], state: 'running' as const }, item(0, 'succeeded'), item(1, 'running')];
    expect(drawGraph(nodes, paint)).toEqual(['◐ weigh  ×2  █████░░░░░ 1 running, 1 succeeded']);
  });

  it('brings the siblings of a large graph together unless every line is asked for', () => {
    const nodes = [
      { id: 'split', deps: [] as string[], state: 'succeeded' as const },
      ...Array.from({ length: 100 }, (_, n) => ({ id: `p${n}`, deps: ['split'], state: 'waiting' as const })),
    ];
    expect(drawGraph(nodes, paint)).toHaveLength(2);
    expect(drawGraph(nodes, paint)[1]).toContain('p0 … p99  ×100');
    expect(drawGraph(nodes, paint, { all: true })).toHaveLength(101);
  });

  it('that is longer than the screen shows what is going on', () => {
    const lines = ['head', ...Array.from({ length: 50 }, (_, n) => (n === 30 ? '◐ n30' : `● n${n}`))];
    const shown = fitted(lines, 10);
    expect(shown).toHaveLength(10);
    expect(shown[0]).toBe('head');
    expect(shown).toContain('◐ n30');
    expect(shown.at(-1)).toContain('50 lines in all');
  });
});
