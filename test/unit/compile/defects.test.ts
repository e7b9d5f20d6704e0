import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitCommand } from '../../../src/compile/command-line.js';
import { rawParams } from '../../../src/compile/raw-params.js';
import { topologyOf } from '../../../src/compile/topology.js';
import { compile, compileText } from './support.js';

// Random documents that are right, and the same with a random mistake in a random place.

type Node = Record<string, unknown> & { id: string; deps: string[] };

/** Each node waits for some of those before it; then they are shuffled, since the order of a request means nothing. */
const rightNodes = fc
  .array(
    fc.record({
      task: fc.constantFrom({ process: 'sleep' }, { script: 'steps' }, { command: ['true'] }, { barrier: true }),
      deps: fc.array(fc.nat(40), { maxLength: 4 }),
      trigger: fc.constantFrom('all_succeeded', 'all_done', 'any_failed'),
      names: fc.option(fc.nat(40), { nil: null }),
      order: fc.double({ noNaN: true }),
    }),
    { minLength: 2, maxLength: 30 },
  )
  .map((drafts): Node[] =>
    drafts
      .map(({ task, deps, trigger, names, order }, at) => {
        const before = (number: number) => `n${number % at}`;
        const ids = at === 0 ? [] : [...new Set(deps.map(before))];
        const isScript = 'process' in task || 'script' in task;
        const params =
          names === null || at === 0 || !isScript ? {} : { params: { x: `\${{ nodes.${before(names)}.result }}` } };
        return { order, node: { id: `n${at}`, ...task, ...params, deps: ids, trigger } };
      })
      .sort((a, b) => a.order - b.order)
      .map(({ node }) => node),
  );

interface Defect {
  readonly code: string;
  /** Puts the mistake into the nodes and says where it is. */
  readonly apply: (nodes: Node[], at: number) => string;
}

const defects: readonly Defect[] = [
  { code: 'unknown-node', apply: (nodes, at) => `nodes[${at}].deps[${(nodes[at] as Node).deps.push('nowhere') - 1}]` },
  {
    code: 'self-dependency',
    apply: (nodes, at) => `nodes[${at}].deps[${(nodes[at] as Node).deps.push((nodes[at] as Node).id) - 1}]`,
  },
  { code: 'malformed', apply: change((node) => (node['trigger'] = 'sometimes'), 'trigger') },
  { code: 'unknown-field', apply: change((node) => (node['dependz'] = []), 'dependz') },
  {
    code: 'duplicate-id',
    apply: (nodes, at) => {
      nodes.push({ id: (nodes[at] as Node).id, process: 'sleep', deps: [] });
      return `nodes[${nodes.length - 1}].id`;
    },
  },
  { code: 'unknown-process', apply: retask((node) => (node['process'] = 'nope'), '.process') },
  { code: 'unknown-file', apply: retask((node) => (node['script'] = 'nope'), '.script') },
  { code: 'no-task', apply: retask(() => undefined, '') },
  {
    code: 'bad-template',
    apply: retask((node) => Object.assign(node, { process: 'sleep', params: ['${{ !! }}'] }), '.params[0]'),
  },
  {
    code: 'cycle',
    apply: (nodes, at) => {
      const other = { id: 'other', process: 'sleep', deps: [(nodes[at] as Node).id] };
      (nodes[at] as Node).deps.push('other');
      nodes.push(other);
      return '';
    },
  },
];

function change(alter: (node: Node) => void, field: string): Defect['apply'] {
  return (nodes, at) => {
    alter(nodes[at] as Node);
    return `nodes[${at}].${field}`;
  };
}

function retask(alter: (node: Node) => void, path: string): Defect['apply'] {
  return (nodes, at) => {
    const { id, deps } = nodes[at] as Node;
    const node: Node = { id, deps };
    alter(node);
    nodes[at] = node;
    return `nodes[${at}]${path}`;
  };
}

describe('a random graph', () => {
  it('is accepted, and every number is where it belongs', () => {
    fc.assert(
      fc.property(rightNodes, (nodes) => {
        const { specs, told } = compile({ nodes });
        expect(told).toEqual([]);
        expect(specs.map(({ index }) => index)).toEqual(nodes.map((_, at) => at + 1));
        const idOf = new Map(specs.map(({ index, id }) => [index, id]));
        for (const [at, node] of nodes.entries()) {
          const named = [...JSON.stringify(node['params'] ?? '').matchAll(/nodes\.(\w+)/g)].map(([, id]) => id);
          expect(new Set(specs[at]?.deps.map((dep) => idOf.get(dep)))).toEqual(new Set([...node.deps, ...named]));
        }
      }),
    );
  });

  it('with mistakes is refused, and each is named with its place', () => {
    fc.assert(
      fc.property(
        rightNodes,
        fc.uniqueArray(fc.record({ defect: fc.constantFrom(...defects), at: fc.nat(29) }), {
          minLength: 1,
          maxLength: 3,
          selector: ({ at }) => at,
        }),
        (nodes, chosen) => {
          const broken = structuredClone(nodes);
          const places = new Set(chosen.map(({ at }) => at % nodes.length));
          fc.pre(places.size === chosen.length);
          fc.pre(chosen.filter(({ defect }) => defect.code === 'cycle').length <= 1);
          const expected = chosen.map(({ defect, at }) => ({
            code: defect.code,
            path: defect.apply(broken, at % nodes.length),
          }));
          const { told } = compile({ nodes: broken });
          for (const { code, path } of expected) {
            if (code === 'cycle') expect(told.some((one) => one.startsWith('cycle '))).toBe(true);
            else expect(told).toContain(`${code} ${path}`);
          }
          const codes = new Set(expected.map(({ code }) => code));
          for (const one of told) expect(codes, 'nothing else is found').toContain(one.split(' ')[0]);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('of any JSON never makes the reader stumble', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        try {
          compileText(text);
        } catch (error) {
          expect((error as Error).message).toMatch(/must be a JSON object/);
        }
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.dictionary(fc.string(), fc.jsonValue())), (nodes) => {
        compileText(JSON.stringify({ nodes }));
      }),
    );
  });
});

describe('the shape of a graph', () => {
  it('is an order in which all dependencies come first, or a real cycle', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.nat(19), { maxLength: 3 }), { minLength: 20, maxLength: 20 }), (edges) => {
        const deps = edges.map((list, at) => list.filter((dep) => dep !== at));
        const { order, cycles, level } = topologyOf(deps);
        const place = new Map(order.map((node, index) => [node, index]));
        for (const node of order)
          for (const dep of deps[node] ?? []) {
            expect(place.get(dep)).toBeLessThan(place.get(node) as number);
            expect(level[dep]).toBeLessThan(level[node] as number);
          }
        expect(cycles.length > 0).toBe(order.length < deps.length);
        for (const cycle of cycles)
          for (const [index, node] of cycle.entries()) expect(deps[node]).toContain(cycle[(index + 1) % cycle.length]);
      }),
    );
  });
});

describe('the parameters of a request', () => {
  it('are found as they stand there, whatever JSON is around them', () => {
    const value = fc.jsonValue().map((json) => JSON.stringify(json));
    const blank = fc.constantFrom('', ' ', '\n\t');
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value, blank)), value, (nodes, other) => {
        const texts = nodes.map(
          ([params, more, space]) => `{"a":${space}${more},${space}"params"${space}:${space}${params}${space}}`,
        );
        const text = `{"x": ${other}, "nodes": [${texts.join(' , ')}], "params": ${other} , "y": ${other}}`;
        expect(rawParams(text)).toEqual({ graph: other, nodes: nodes.map(([params]) => params) });
      }),
    );
  });
});

describe('a command that is one text', () => {
  it('is split into the words that were quoted', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.string().filter((word) => !word.includes('${{')),
          { minLength: 1 },
        ),
        (words) => {
          const line = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
          expect(splitCommand(line)).toEqual(words);
        },
      ),
    );
  });
});
