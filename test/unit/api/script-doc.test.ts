import { describe, expect, it } from 'vitest';
import { parseScriptDoc } from '../../../src/api/script-doc.js';

const convert = `Import the input file and export it under another extension.

Input: one 3D file, or an archive with it (STEP, IGES and more; with
the commercial engine whatever it reads).

Params:
    extension (string, default "pxz"): format to write, case does not matter. The open engine writes
        glb, gltf, obj.
    width, height (int, pixels, default 512): of the pictures.

Output: {"output": "output.<extension>"}.
Files: output.<extension>.`;

describe('a docstring in parts', () => {
  it('has summary, input, output and parameters with type, default and text', () => {
    const size = {
      type: 'integer',
      default: 512,
      required: false,
      description: 'pixels; of the pictures.',
      choices: null,
    };
    expect(parseScriptDoc(convert)).toEqual({
      summary: 'Import the input file and export it under another extension.',
      input: 'one 3D file, or an archive with it (STEP, IGES and more; with the commercial engine whatever it reads).',
      output: '{"output": "output.<extension>"}.',
      params: [
        {
          name: 'extension',
          type: 'string',
          default: 'pxz',
          required: false,
          description: 'format to write, case does not matter. The open engine writes glb, gltf, obj.',
          choices: null,
        },
        { name: 'width', ...size },
        { name: 'height', ...size },
      ],
      paramsNote: null,
    });
  });

  it.each<[string, object]>([
    ['quality ("low" | "high", default "low"): x', { type: 'string', default: 'low', choices: ['low', 'high'] }],
    ['level (one of 1 | 2 | 3): x', { type: 'integer', default: null, choices: [1, 2, 3] }],
    ['merge (bool, default True): x', { type: 'boolean', default: true }],
    ["name (str, default 'a, b'): x", { type: 'string', default: 'a, b' }],
    ['axis (list, default [0, 1, 0]): x', { type: 'array', default: [0, 1, 0] }],
    ['ratio (required): x', { type: 'any', required: true }],
    ['tolerance (default 0.1): x', { type: 'number', default: 0.1 }],
    ['free: x', { type: 'any', required: false, description: 'x' }],
    ['thing (Foo): x', { type: 'any', description: 'Foo; x' }],
  ])('understands %s', (line, expected) => {
    const [param] = parseScriptDoc(`S.\n\nArgs:\n    ${line}`).params;
    expect(param).toMatchObject(expected);
  });

  it('keeps a note in place of parameters, and makes nothing of what it does not understand', () => {
    expect(parseScriptDoc('S.\n\nParams: none.')).toMatchObject({ params: [], paramsNote: 'none.' });
    expect(parseScriptDoc('S.\n\nParams:\n    see the manual')).toMatchObject({ params: [] });
    expect(parseScriptDoc('')).toEqual({ summary: '', input: null, output: null, params: [], paramsNote: null });
  });
});
