import { describe, expect, it } from 'vitest';
import { scriptKey } from '../../../src/compile/compile.js';
import { nodeSpecSchema } from '../../../src/contract/graph-document.js';
import { compile, compileText } from './support.js';

const one = (node: Record<string, unknown>, changes = {}) => compile({ nodes: [{ id: 'a', ...node }] }, changes);

describe('a graph that is right', () => {
  it('becomes nodes with numbers in the order of the request, whatever they wait for', () => {
    const { specs, told } = compile({
      nodes: [
        { id: 'both', barrier: true, deps: ['convert', 'crunch'] },
        { id: 'convert', process: 'convert_file', data: 'model', params: { extension: 'glb' } },
        { id: 'crunch', script: 'steps', entrypoint: 'crunch', deps: ['convert'], label: 'crunch it' },
      ],
    });
    expect(told).toEqual([]);
    expect(specs.map(({ index, id, name, kind, process, deps }) => [index, id, name, kind, process, deps])).toEqual([
      [1, 'both', 'both', 'barrier', 'barrier', [2, 3]],
      [2, 'convert', 'convert', 'script', 'convert_file', []],
      [3, 'crunch', 'crunch it', 'script', 'custom', [2]],
    ]);
    expect(specs[1]).toMatchObject({
      script: { process: 'convert_file' },
      data: { share: 'g/inputs/model/pump.step' },
      params: { kind: 'text', text: '{"extension":"glb"}' },
      queue: 'cpu',
      timeLimit: 3600,
    });
    for (const spec of specs) expect(nodeSpecSchema.parse(spec)).toEqual(spec);
  });

  it('hands parameters on digit by digit, templates or not', () => {
    const { specs } = compileText(
      '{"nodes": [{"params": {"n": 1}, "id": "a", "process": "sleep", "params": {"big": 12345678901234567890, "one": 1.0}},' +
        ' {"id": "b", "process": "sleep", "params":  ["${{ nodes.a.result }}", 1.0] },' +
        ' {"id": "c", "process": "sleep", "par\\u0061ms": null}, {"id": "d", "process": "sleep"}]}',
    );
    expect(specs.map(({ params }) => params)).toEqual([
      { kind: 'text', text: '{"big": 12345678901234567890, "one": 1.0}' },
      { kind: 'template', text: '["${{ nodes.a.result }}", 1.0]' },
      { kind: 'text', text: 'null' },
      { kind: 'text', text: '{}' },
    ]);
  });

  it('waits for every node that it names, in whatever field', () => {
    const { specs } = compile({
      nodes: [
        ...['a', 'b', 'c', 'd', 'e'].map((id) => ({ id, process: 'sleep' })),
        {
          id: 'z',
          process: 'sleep',
          deps: ['a'],
          data: { node: 'b', output: 'x.glb' },
          params: { deep: [{ text: 'a ${{ nodes.c.result }} and ${{ nodes.a.result }}' }] },
          when: '${{ nodes.d.result > 1 }}',
          map: { over: 'nodes.e.result.parts', max: 3 },
        },
      ],
    });
    expect(specs.at(-1)).toMatchObject({
      deps: [1, 2, 3, 4, 5],
      data: { node: 2, output: 'x.glb' },
      when: 'nodes.d.result > 1',
      map: { over: 'nodes.e.result.parts', max: 3 },
    });
  });

  it('takes the node over the decorator, the decorator over the defaults, the defaults over what is built in', () => {
    const key = scriptKey({ kind: 'script', upload: 'steps' }, 'main') as string;
    const { specs, told } = compile(
      {
        defaults: { script: 'steps', queue: 'gpu', time_limit: 5, retries: 3, tags: { a: '1', b: '2' } },
        nodes: [
          { id: 'a', queue: 'wine' },
          { id: 'b', tags: { b: '3' } },
        ],
      },
      {
        inspections: new Map([
          [key, { ok: true, doc: null, settings: { queue: 'gpuhigh', time_limit: 7, retries: null } }],
        ]),
      },
    );
    expect(told).toEqual([]);
    expect(specs[0]).toMatchObject({ queue: 'wine', timeLimit: 7, tags: { a: '1', b: '2' } });
    expect(specs[1]).toMatchObject({ queue: 'gpuhigh', timeLimit: 7, tags: { a: '1', b: '3' } });
    expect(specs[1]?.retry.maxRetries, 'null in the decorator means not given').toBe(3);
  });

  it('takes null as not given', () => {
    expect(one({ process: 'sleep', queue: null, deps: null, script: null }).told).toEqual([]);
  });

  it.each([
    [['convert', '-i', 'a b'], false, 'convert', ['-i', 'a b']],
    ['convert -i "a b" \'c d\' e\\ f', false, 'convert', ['-i', 'a b', 'c d', 'e f']],
    ['convert ${{ nodes.x.outputs["a b"] }}/z', false, 'convert', ['${{ nodes.x.outputs["a b"] }}/z']],
    ['cat a | sort > b', true, 'cat a | sort > b', []],
  ])('takes the command %j', (command, shell, program, args) => {
    const { specs, told } = compile({
      nodes: [
        { id: 'x', process: 'sleep' },
        { id: 'c', command, shell, env: { A: 'b' }, env_unset: ['C'], ok_exit_codes: [0, 3], cwd: '/tmp' },
      ],
    });
    expect(told).toEqual([]);
    expect(specs[1]).toMatchObject({ kind: 'command', process: 'command', script: null });
    expect(specs[1]?.command).toEqual({
      program,
      args,
      shell,
      env: { A: 'b', C: null },
      cwd: '/tmp',
      okExitCodes: [0, 3],
      expectedOutputs: [],
    });
  });

  it('may expect outputs below its own, at absolute places, and where only an expression tells', () => {
    const expected_outputs = [
      'a/b.glb',
      'a/../b',
      '...',
      '/mnt/p/x',
      'P:\\x',
      '__PDG_DIR__/geo/1.bgeo',
      '${{ item }}/../x',
    ];
    expect(one({ command: 'true', expected_outputs, map: { over: '[1]', max: 1 } }).told).toEqual([]);
  });

  it('may be empty when it is open', () => {
    expect(compile({ mode: 'open' }).told).toEqual([]);
    expect(compile({ nodes: [] }).told).toEqual(['empty nodes']);
  });

  it('may name nodes that an open graph has already, and numbers go on', () => {
    const { specs } = compile(
      { nodes: [{ id: 'b', process: 'sleep', deps: ['old'] }] },
      { known: new Map([['old', 7]]), first: 8 },
    );
    expect(specs[0]).toMatchObject({ index: 8, deps: [7] });
  });
});

describe('a problem', () => {
  it.each([
    ['nothing to run', {}, 'no-task nodes[0]'],
    ['two things to run', { script: 'steps', process: 'sleep' }, 'several-tasks nodes[0]'],
    ['an unknown process', { process: 'slep' }, 'unknown-process nodes[0].process'],
    ['a script that did not come', { script: 'other' }, 'unknown-file nodes[0].script'],
    ['data that did not come', { process: 'sleep', data: 'other' }, 'unknown-file nodes[0].data'],
    ['an unknown dependency', { process: 'sleep', deps: ['nope'] }, 'unknown-node nodes[0].deps[0]'],
    ['itself', { process: 'sleep', deps: ['a'] }, 'self-dependency nodes[0].deps[0]'],
    [
      'itself in a template',
      { process: 'sleep', params: { x: '${{ nodes.a.result }}' } },
      'self-dependency nodes[0].params.x',
    ],
    [
      'an unknown node in a template',
      { process: 'sleep', params: ['${{ nodes.b.x }}'] },
      'unknown-node nodes[0].params[0]',
    ],
    [
      'an unknown node as the source',
      { process: 'sleep', data: { node: 'b', output: 'x' } },
      'unknown-node nodes[0].data.node',
    ],
    [
      'an output above the outputs',
      { process: 'sleep', data: { node: 'b', output: '../x' } },
      'malformed nodes[0].data.output',
    ],
    [
      'a template that is wrong',
      { process: 'sleep', params: { 'a b': '${{ !! }}' } },
      'bad-template nodes[0].params["a b"]',
    ],
    ['a condition that is wrong', { process: 'sleep', when: '!!' }, 'bad-template nodes[0].when'],
    ['a list that is wrong', { process: 'sleep', map: { over: '!!', max: 1 } }, 'bad-template nodes[0].map.over'],
    ['a map without a bound', { process: 'sleep', map: { over: 'x' } }, 'malformed nodes[0].map.max'],
    ['a queue that cannot be', { process: 'sleep', queue: 'a b' }, 'malformed nodes[0].queue'],
    ['an unknown field', { process: 'sleep', depends_on: [] }, 'unknown-field nodes[0].depends_on'],
    ['a field for commands', { process: 'sleep', cwd: '/' }, 'misplaced nodes[0].cwd'],
    ['a field for scripts', { command: 'true', params: {} }, 'misplaced nodes[0].params'],
    ['work for a barrier', { barrier: true, queue: 'cpu' }, 'misplaced nodes[0].queue'],
    ['an open quote', { command: 'echo "x' }, 'malformed nodes[0].command'],
    ...['../x', 'a/../../x', 'a\\..\\..\\x', '..', '__PDG_DIR__/../x'].map(
      (path): [string, Record<string, unknown>, string] => [
        `an output outside of its outputs, ${path}`,
        { command: 'true', expected_outputs: ['a/../b', path] },
        'malformed nodes[0].expected_outputs[1]',
      ],
    ),
    ['a list for the shell', { command: ['a'], shell: true }, 'malformed nodes[0].command'],
    ['an empty command', { command: '  ' }, 'malformed nodes[0].command'],
  ])('is found: %s', (_, node, expected) => {
    expect(one(node).told).toEqual([expected]);
  });

  it('is found in every node, with a hint where a name was nearly right', () => {
    const { told, problems } = compile({
      name: 7,
      nodes: [
        { id: 'convert', process: 'sleep', timelimit: 1 },
        { id: 'convert', process: 'sleep', deps: ['convrt'] },
        { id: 5, process: 'sleep' },
        'text',
        { id: 'd', process: 'sleep', deps: ['convert', 'nope'], queue: '' },
      ],
    });
    expect(new Set(told)).toEqual(
      new Set([
        'malformed name',
        'unknown-field nodes[0].timelimit',
        'duplicate-id nodes[1].id',
        'unknown-node nodes[1].deps[0]',
        'malformed nodes[2].id',
        'malformed nodes[3]',
        'malformed nodes[4].queue',
        'unknown-node nodes[4].deps[1]',
      ]),
    );
    const messages = problems.list.map(({ message }) => message).join('\n');
    expect(messages).toContain('did you mean "time_limit"?');
    expect(messages).toContain('did you mean "convert"?');
  });

  it('does not hide another one of the same node', () => {
    const { told } = compile({
      nodes: [
        { id: 7, process: 'nope', params: ['${{ !! }}'], deps: ['gone'], timeout: 1, queue: ' ', when: '!!' },
        { id: 'b', process: 5, deps: ['gone'] },
      ],
    });
    expect(new Set(told)).toEqual(
      new Set([
        'malformed nodes[0].id',
        'malformed nodes[0].queue',
        'unknown-field nodes[0].timeout',
        'unknown-process nodes[0].process',
        'bad-template nodes[0].params[0]',
        'bad-template nodes[0].when',
        'unknown-node nodes[0].deps[0]',
        'malformed nodes[1].process',
        'unknown-node nodes[1].deps[0]',
      ]),
    );
  });

  it('is found for scripts that cannot be used, and for what their decorators say', () => {
    const key = (entrypoint: string) => scriptKey({ kind: 'script', upload: 'steps' }, entrypoint) as string;
    const { told } = compile(
      {
        nodes: [
          { id: 'a', script: 'steps' },
          { id: 'b', script: 'steps', entrypoint: 'other' },
        ],
      },
      {
        inspections: new Map([
          [key('main'), { ok: false as const, problem: 'there is no function main' }],
          [key('other'), { ok: true as const, doc: null, settings: { time_limit: 'long' } }],
        ]),
      },
    );
    expect(told).toEqual(['bad-script nodes[0].script', 'bad-script nodes[1].entrypoint']);
  });

  it('names each cycle, and only what is in it', () => {
    const sleep = (id: string, ...deps: string[]) => ({ id, process: 'sleep', deps });
    const { problems } = compile({
      nodes: [
        sleep('a', 'b'),
        sleep('b', 'c'),
        sleep('c', 'a'),
        sleep('behind', 'a'),
        sleep('x', 'y'),
        sleep('y', 'x'),
        sleep('free'),
      ],
    });
    expect(problems.list).toEqual([
      { path: 'nodes[0].deps', code: 'cycle', message: expect.stringContaining('"a" → "b" → "c" → "a"') },
      { path: 'nodes[4].deps', code: 'cycle', message: expect.stringContaining('"x" → "y" → "x"') },
    ]);
  });

  it('is told a thousand times at most, and counted beyond', () => {
    const { problems } = compile({ nodes: Array.from({ length: 1500 }, (_, at) => ({ id: `n${at}` })) });
    expect(problems.list).toHaveLength(1000);
    expect(problems.count).toBe(1500);
  });
});

describe('ten thousand nodes', () => {
  it.each([
    ['in a chain', (at: number) => (at === 0 ? [] : [`n${at - 1}`])],
    ['in a chain told backwards', (at: number) => (at === 9999 ? [] : [`n${at + 1}`])],
    ['behind one', (at: number) => (at === 0 ? [] : ['n0'])],
    ['in a lattice', (at: number) => (at < 100 ? [] : [`n${at - 100}`, `n${at - 99}`])],
    ['in one cycle', (at: number) => [`n${(at + 1) % 10_000}`]],
  ])('%s are checked in linear time', (title, deps) => {
    const nodes = Array.from({ length: 10_000 }, (_, at) => ({
      id: `n${at}`,
      process: 'sleep',
      deps: deps(at),
      params: { at },
    }));
    const text = JSON.stringify({ nodes });
    const began = performance.now();
    const { told } = compileText(text);
    // A second would do here; a quadratic way takes minutes.
    expect(performance.now() - began).toBeLessThan(8000);
    expect(told).toEqual(title === 'in one cycle' ? ['cycle nodes[0].deps'] : []);
  });
});
