import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contentDisposition } from '../../../src/api/http/content-disposition.js';
import { parseRange } from '../../../src/api/http/range.js';
import { exceptionText } from '../../../src/api/presenters/job-state.js';
import { placeNames, safeName } from '../../../src/api/uploads/safe-name.js';

describe('the name of an uploaded file', () => {
  it.each([
    ['model.step', 'model.step'],
    ['../../etc/passwd', 'passwd'],
    ['C:\\models\\pump.step', 'pump.step'],
    ['..', 'fallback'],
    ['', 'fallback'],
    ['a\u0000b\n.step', 'ab.step'],
    ['a:b?.step', 'a_b_.step'],
    ['CON.step', '_CON.step'],
    ['trailing. ', 'trailing'],
    ['.hidden', '.hidden'],
    ['Prüfung 1.step', 'Prüfung 1.step'],
    ['evil\u202Efdp.exe', 'evilfdp.exe'],
  ])('%j becomes %j', (sent, expected) => {
    expect(safeName(sent, 'fallback')).toBe(expected);
  });

  it('stays inside its folder, short enough, and the same when made safe again, whatever was sent', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (sent) => {
        const name = safeName(sent, 'fallback');
        expect(name).not.toMatch(/[/\\\0]/);
        expect(['', '.', '..']).not.toContain(name);
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(201);
        expect(safeName(name, 'fallback')).toBe(name);
      }),
    );
  });

  it('keeps the extension of a long one', () => {
    expect(safeName(`${'ü'.repeat(300)}.step`, 'x')).toMatch(/^ü+\.step$/);
  });

  it('is found at once, however long the one sent is', () => {
    const started = performance.now();
    for (const sent of [' '.repeat(80_000), `${' '.repeat(80_000)}x`, '.'.repeat(80_000), '😀'.repeat(40_000)]) {
      expect(Buffer.byteLength(safeName(sent, 'fallback'))).toBeLessThanOrEqual(201);
    }
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it('never meets that of the other upload', () => {
    expect(placeNames('a.step', 's.py')).toEqual({ data: 'a.step', script: 's.py' });
    expect(placeNames('same.py', 'SAME.PY')).toEqual({ data: 'same.py', script: 'script/SAME.PY' });
    expect(placeNames('script', 'script')).toEqual({ data: 'script', script: 'script_/script' });
    expect(placeNames(null, 's.py')).toEqual({ data: null, script: 's.py' });
  });
});

describe('a range', () => {
  it('never leaves the file, whatever the header says', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat(1000), fc.constantFrom('a-b', 'a-', '-b'), (a, b, size, form) => {
        const range = parseRange(`bytes=${form.replace('a', String(a)).replace('b', String(b))}`, size);
        if (typeof range === 'string') return;
        expect(range.start).toBeGreaterThanOrEqual(0);
        expect(range.end).toBeGreaterThanOrEqual(range.start);
        expect(range.end).toBeLessThan(size);
      }),
    );
  });

  it('of an empty file cannot be had', () => {
    expect(parseRange('bytes=0-', 0)).toBe('unsatisfiable');
    expect(parseRange('bytes=-5', 0)).toBe('unsatisfiable');
  });
});

describe('the header of a download', () => {
  it('is one that every client reads, whatever the name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        expect(contentDisposition(name)).toMatch(/^attachment; filename(?:="[^"]*"|\*=utf-8''[\w.~!%-]*)$/);
      }),
    );
  });
});

describe('the text of an exception', () => {
  it.each([
    ['boom', "ValueError('boom')"],
    ['', 'ValueError()'],
    ["it's", 'ValueError("it\'s")'],
    ['a\nb\\', "ValueError('a\\nb\\\\')"],
  ])('of %j is as Python shows it', (message, text) => {
    expect(exceptionText({ type: 'ValueError', message })).toBe(text);
  });
});
