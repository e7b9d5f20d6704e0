import { describe, expect, it } from 'vitest';
import { partName, sorted } from '../../../web/src/graph/plan/document-file.js';
import { brokenAt, placeOf } from '../../../web/src/ui/json-place.js';

const text = `{
  "name": "a \\"quoted\\" ] name",
  "nodes": [
    {"id": "a", "params": {"x": [1, 2.5e3, {"deep value": null}]}},
    {"id": "b", "deps": ["a"]}
  ]
}`;
const at = (path: string) => {
  const place = placeOf(text, path);
  return place === null ? null : text.slice(place.start, place.end);
};

describe('the place of a value in a JSON text', () => {
  it('is found by its path', () => {
    expect(at('name')).toBe('"a \\"quoted\\" ] name"');
    expect(at('nodes[1].deps[0]')).toBe('"a"');
    expect(at('nodes[0].params.x[1]')).toBe('2.5e3');
    expect(at('nodes[0].params.x[2]["deep value"]')).toBe('null');
    expect(at('nodes[1]')).toBe('{"id": "b", "deps": ["a"]}');
  });

  it('is that of the innermost part that is there', () => {
    expect(at('nodes[1].queue')).toBe('{"id": "b", "deps": ["a"]}');
    expect(at('nodes[7]')).toContain('"deps"');
    expect(at('')).toBe(text);
  });

  it('is told where the text breaks off', () => {
    expect(placeOf('{"nodes": [', 'nodes[0]')).toBe(null);
    expect(brokenAt('{"nodes": [')).toMatchObject({ at: 10 });
    expect(brokenAt('{"a": 1,, }')?.at).toBe(8);
    expect(brokenAt(text)).toBe(null);
  });
});

describe('files that are dropped', () => {
  it('are told apart: the document, and what its nodes name', async () => {
    const file = (name: string, content: string) => new File([content], name);
    const graph = file('graph.json', '{"nodes": []}');
    const params = file('params.json', '{}');
    const script = file('steps.py', '');
    expect(await sorted([params, script, graph])).toEqual({ document: graph, files: [params, script] });
    expect(await sorted([script])).toEqual({ document: null, files: [script] });
  });

  it('have the names by which nodes call them', () => {
    expect(partName('steps.py', '{"script": "steps"}')).toBe('steps');
    expect(partName('steps.py', '{"script": "steps.py"}')).toBe('steps.py');
    expect(partName('pump.step', '{"data": "pump"}')).toBe('pump');
  });
});
