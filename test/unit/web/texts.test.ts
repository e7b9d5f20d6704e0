import { describe, expect, it } from 'vitest';
import type { Param } from '../../../web/src/submit/entry-facts.js';
import { paramsText } from '../../../web/src/submit/params-text.js';
import { schemaParams } from '../../../web/src/submit/schema-params.js';
import { durationText, shortTime, sizeText, timeOf } from '../../../web/src/ui/format.js';
import { indented } from '../../../web/src/ui/indent-json.js';

/** What the page makes of texts, and texts of what is known. */

const param = (name: string, type: Param['type'], more: Partial<Param> = {}): Param => ({
  name,
  type,
  default: null,
  required: false,
  description: '',
  choices: null,
  ...more,
});

describe('the fields of a form', () => {
  it('become JSON that keeps every digit, without what was left empty', () => {
    const params = [
      param('name', 'string'),
      param('big', 'integer'),
      param('ratio', 'number'),
      param('exact', 'boolean'),
      param('parts', 'array'),
      param('quality', 'string', { choices: ['low', 'high'] }),
      param('left', 'string'),
    ];
    const typed = {
      name: 'a "b"',
      big: '0012345678901234567890',
      ratio: '1.0',
      exact: 'true',
      parts: ' [1, 2] ',
      quality: '"high"',
      left: '',
    };
    expect(paramsText(params, typed)).toEqual({
      text: '{"name": "a \\"b\\"", "big": 12345678901234567890, "ratio": 1.0, "exact": true, "parts": [1, 2], "quality": "high"}',
      problems: {},
    });
  });

  it.each([
    ['integer', '1.5', 'must be a whole number'],
    ['number', '"1"', 'must be a number'],
    ['number', '0x10', 'must be a number'],
    ['boolean', 'yes', 'must be true or false'],
    ['array', '{}', 'must be a JSON list, such as [1, 2]'],
    ['object', 'null', 'must be a JSON object, such as {"key": "value"}'],
    ['any', 'word', 'must be JSON: a text needs quotes'],
  ] as const)('say what is wrong: %s as %s', (type, value, problem) => {
    expect(paramsText([param('x', type)], { x: value }).problems).toEqual({ x: problem });
  });

  it('say what is needed', () => {
    expect(paramsText([param('x', 'string', { required: true })], {}).problems).toEqual({ x: 'is needed' });
  });

  it('come from a JSON Schema, too', () => {
    const schema = {
      properties: {
        size: { type: 'integer', default: 512, description: 'of pictures' },
        format: { enum: ['glb', 'obj'] },
        file: { type: 'string' },
      },
      required: ['file', 'size'],
    };
    expect(schemaParams(schema)).toEqual([
      param('size', 'integer', { default: 512, description: 'of pictures' }),
      param('format', 'any', { choices: ['glb', 'obj'] }),
      param('file', 'string', { required: true }),
    ]);
    expect(schemaParams(null)).toEqual([]);
  });
});

describe('JSON text to read', () => {
  it('is indented as JSON.stringify does, and keeps its numbers as they stand', () => {
    for (const value of [{}, [], { a: [] }, [1, { b: 'x, {y}: "z"\\' }, [[null, true]]], 'text', 1.5]) {
      expect(indented(JSON.stringify(value))).toBe(JSON.stringify(value, null, 2));
    }
    expect(indented('{"big":12345678901234567890,"one":1.0}')).toBe(
      '{\n  "big": 12345678901234567890,\n  "one": 1.0\n}',
    );
  });
});

describe('times, durations and sizes', () => {
  it('are told as people say them', () => {
    const now = Date.UTC(2026, 10, 21, 12);
    expect([0, 1, 30, 300].map((seconds) => shortTime(now - seconds * 1000, now))).toEqual([
      'just now',
      'just now',
      '30 s ago',
      '5 min ago',
    ]);
    expect([4, 4200, 59_000, 61_000, 7_260_000, 90_000_000].map(durationText)).toEqual([
      '4 ms',
      '4.2 s',
      '59 s',
      '1 min 1 s',
      '2 h 1 min',
      '1 d 1 h',
    ]);
    expect([0, 999, 1000, 123_456, 1e12].map(sizeText)).toEqual(['0 B', '999 B', '1.0 kB', '123 kB', '1.0 TB']);
  });

  it('are UTC where they have no offset', () => {
    expect(timeOf('2026-11-21T11:49:05.570674')).toBe(timeOf('2026-11-21T11:49:05.570674+00:00'));
    expect(timeOf('2026-11-21T12:49:05+01:00')).toBe(timeOf('2026-11-21T11:49:05Z'));
  });
});
