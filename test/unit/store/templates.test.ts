import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseExact, stringifyExact } from '../../../src/store/exact-json.js';
import { evaluate, evaluateInTurn, referencesOf } from '../../../src/store/expressions.js';
import { checkTemplate, renderTemplate } from '../../../src/store/templates.js';

const scope = {
  nodes: parseExact(`{
    "a": {"result": {"n": 5, "f": 1.0, "big": 12345678901234567890, "list": [1, 2, 3], "name": "dir/part.step", "none": null}},
    "b-1": {"result": [1, 2], "status": "SUCCESS", "error": null}
  }`),
  item: parseExact('{"file": "x.step"}'),
  index: 2n,
};
const render = (value: unknown) => renderTemplate(JSON.stringify(value), scope);

describe('exact JSON', () => {
  it('gives back what it has read, digit by digit', () => {
    for (const text of [
      '1',
      '1.0',
      '-0.0',
      '12345678901234567890',
      '1e+22',
      '[1,1.5,"ü\\n",null,true]',
      '{"__proto__":1}',
      'NaN',
      '-Infinity',
    ])
      expect(stringifyExact(parseExact(text))).toBe(text);
  });

  it('says where a text is not JSON', () => {
    for (const text of ['', '{', '[1,]', '{"a" 1}', '01', '"a', '1 2', 'nul', '{"a":1,}', '"\\x"', '[1 2]', '1.'])
      expect(() => parseExact(text), text).toThrow(/not JSON at character \d+/);
    expect(() => parseExact('['.repeat(100_000))).toThrow(/nested too deeply/);
  });

  it('reads every JSON as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(JSON.parse(stringifyExact(parseExact(text)))).toEqual(JSON.parse(text));
      }),
    );
  });
});

describe('an expression', () => {
  it('mixes integers and other numbers, and keeps their types', () => {
    expect(evaluate('nodes.a.result.n + 1', scope)).toBe(6n);
    expect(evaluate('nodes.a.result.n * 1.5', scope)).toBe(7.5);
    expect(evaluate('nodes.a.result.f + nodes.a.result.n', scope)).toBe(6);
    expect(evaluate('nodes.a.result.big', scope)).toBe(12345678901234567890n);
    expect(evaluate('nodes["b-1"].result.size() > 1 && index % 2 == 0', scope)).toBe(true);
    expect(evaluate('nodes.a.result.list.filter(x, x > 1).map(x, x * 2)', scope)).toEqual([4n, 6n]);
    expect(evaluate('nodes.a.result.name.stem() + ".obj"', scope)).toBe('part.obj');
    expect(evaluate('nodes.a.result.?missing.orValue(3)', scope)).toBe(3n);
  });

  it('tells which nodes it needs, and what of them', () => {
    const { nodes, item } = referencesOf(
      'nodes.a.result.n > 1 ? nodes["b-1"].status : nodes.c.outputs.map(x, nodes.d.error.message + x)[0]',
    );
    expect([...nodes].map(([id, facts]) => [id, [...facts]])).toEqual([
      ['a', ['result']],
      ['b-1', ['status']],
      ['c', ['outputs']],
      ['d', ['error']],
    ]);
    expect(item).toBe(false);
    expect(referencesOf('item.file + string(index)').item).toBe(true);
  });

  it('is refused with a reason', () => {
    const refused = (text: string) => () => referencesOf(text);
    expect(refused('nodes')).toThrow(/name the node/);
    expect(refused('nodes.a')).toThrow(/name the node/);
    expect(refused('nodes[item].result')).toThrow(/not by something computed/);
    expect(refused('nodes.a.reslt')).toThrow(/has no "reslt": it has result, status/);
    expect(refused('1 +')).toThrow(/Unexpected token.*in 1 \+/);
    expect(refused('process.exit(1)')).toThrow(/Unknown variable: process/);
    expect(refused('')).toThrow(/empty/);
    expect(refused(`"${'x'.repeat(5000)}"`)).toThrow(/more than the limit/);
    expect(refused('('.repeat(100) + '1' + ')'.repeat(100))).toThrow();
  });

  it('cannot reach what is not a value', () => {
    for (const key of ['constructor', '__proto__', 'toString'])
      expect(() => evaluate(`nodes.a.result.${key}`, scope)).toThrow(/No such key/);
    expect(() => evaluate('b"x"', scope)).toThrow(/no JSON form/);
  });

  it('is ended when it takes too long', () => {
    const long = { nodes: {}, item: Array.from({ length: 3000 }, (_, at) => BigInt(at)) };
    expect(() => evaluate('item.all(a, item.all(b, item.all(c, a + b + c >= 0)))', long)).toThrow(
      /longer than 1000 ms/,
    );
    expect(() => evaluate(`"${'a'.repeat(60)}b".matches("^(a+)+$")`, { nodes: {} })).toThrow(/longer than 1000 ms/);
    expect(evaluate('1 + 1', { nodes: {} }), 'the next one is not affected').toBe(2n);
  });

  it('lets others have their turn between evaluations that take long, and passes over those nobody waits for', async () => {
    let turns = 0;
    const others = setInterval(() => {
      turns += 1;
    }, 10);
    const evil = `"${'a'.repeat(60)}b".matches("^(a+)+$")`;
    const gone = AbortSignal.abort(new Error('its time is over'));
    const outcomes = Promise.allSettled([
      evaluateInTurn(evil, { nodes: {} }),
      evaluateInTurn(evil, { nodes: {} }, gone),
      evaluateInTurn('[1, 2].all(x, x > 0)', { nodes: {} }),
    ]);
    expect(await evaluateInTurn('1 + 1', { nodes: {} }), 'a quick one waits for nobody').toBe(2n);
    const reasons = (await outcomes).map((one) => (one.status === 'fulfilled' ? one.value : String(one.reason)));
    clearInterval(others);
    expect(reasons).toEqual([
      expect.stringContaining('longer than 1000 ms'),
      expect.stringContaining('its time is over'),
      true,
    ]);
    expect(turns).toBeGreaterThan(20);
  });
});

describe('a template', () => {
  it('gives typed values where an expression stands alone, and text where it stands in text', () => {
    expect(render({ n: '${{ nodes.a.result.n }}', f: '${{nodes.a.result.f}}' })).toBe('{"n":5,"f":1.0}');
    expect(render('${{ nodes.a.result.list }}')).toBe('[1,2,3]');
    expect(render('n=${{ nodes.a.result.n }}, ${{ nodes.a.result.name }}, ${{nodes.a.result.list}}')).toBe(
      '"n=5, dir/part.step, [1,2,3]"',
    );
    expect(render('${{ {"a": {"b": "}}"}} }}')).toBe('{"a":{"b":"}}"}}');
    expect(renderTemplate('{"big": 12345678901234567890, "one": 1.0}', scope)).toBe(
      '{"big":12345678901234567890,"one":1.0}',
    );
  });

  it('leaves alone what is no expression', () => {
    expect(render(['$${{ x }}', '{{ x }}', '$x', '${x}', ''])).toBe('["${{ x }}","{{ x }}","$x","${x}",""]');
  });

  it('is checked as a whole: every problem with its place', () => {
    const text = JSON.stringify({ a: '${{ nope }}', 'b/c': ['x', '${{ nodes.a.result'], ok: '${{ nodes.a.result }}' });
    const { problems, references } = checkTemplate(text);
    expect(problems.map(({ path }) => path)).toEqual(['/a', '/b~1c/1']);
    expect([...references.nodes.keys()]).toEqual(['a']);
    expect(checkTemplate('{').problems.length).toBe(1);
  });

  it('says at which place it failed', () => {
    expect(() => render({ a: { b: '${{ nodes.a.result.zz }}' } })).toThrow('/a/b: No such key: zz');
  });
});
