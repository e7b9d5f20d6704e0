import { describe, expect, it } from 'vitest';
import type { Param } from '../../../web/src/submit/entry-facts.js';
import { paramsText } from '../../../web/src/submit/params-text.js';
import { schemaParams } from '../../../web/src/submit/schema-params.js';
import { durationText, shortTime, sizeText, timeOf } from '../../../web/src/ui/format.js';
import { indented } from '../../../web/src/ui/indent-json.js';
import { type Place, placeOf } from '../../../web/src/ui/json-place.js';
import { LogText } from '../../../web/src/ui/log-text.js';

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

describe('JSON of megabytes', () => {
  it('is broken into lines at once, and a part of it found', () => {
    const list = JSON.stringify(Array.from({ length: 20_000 }, (_, at) => ({ at, name: `item ${at}`, v: [at, 1.5] })));
    const text = `{"a": "{\\"result\\"", "result": ${list}, "big": 12345678901234567890}`;
    const began = performance.now();
    const lines = indented(text).split('\n');
    const { start, end } = placeOf(text, 'result') as Place;
    expect(performance.now() - began).toBeLessThan(3000);
    expect(lines).toHaveLength(20_000 * 8 + 6);
    expect(lines.at(-2)).toBe('  "big": 12345678901234567890');
    expect(text.slice(start, end)).toBe(list);
  });
});

describe('the text of a log', () => {
  const logOf = (...pieces: string[]) => {
    const log = new LogText();
    for (const piece of pieces) log.add(1, piece);
    return log.text();
  };

  it('has of a line that is written over the last version, wherever its pieces were cut', () => {
    expect(logOf('start\r\n10 %\r50', ' %\r100 %\r', '\ndone\n')).toBe('start\n100 %\ndone\n');
    expect(logOf('one\r', 'two', ' more\r\r\n')).toBe('two more\n');
  });

  it('has no colours, a line between attempts, and the last two thousand lines', () => {
    const log = new LogText();
    log.add(1, '\u001b[31mred\u001b[0m');
    log.add(2, 'blue');
    expect(log.text()).toBe('red\n── attempt 2 ──\nblue');
    log.add(2, Array.from({ length: 5000 }, (_, at) => `\n${at}`).join(''));
    expect(log.text().split('\n')).toHaveLength(2000);
    expect(log.text()).toMatch(/^3000\n.*\n4999$/s);
  });

  it('has the ends of a line that would keep a browser busy, and takes megabytes of it at once', () => {
    const began = performance.now();
    const text = logOf(`${'a'.repeat(3_000_000)}\r`, 'b'.repeat(1_000_000), `${'\r'.repeat(1_000_000)}c`, 'end');
    expect(text).toBe('cend');
    const [first = '', second] = logOf('a'.repeat(1_000_000), `${'b'.repeat(1_000_000)}\nnext`).split('\n');
    expect(first.length).toBeLessThan(11_000);
    expect(first).toMatch(/^a+ … b+$/);
    expect(second).toBe('next');
    expect(performance.now() - began).toBeLessThan(2000);
  });
});
