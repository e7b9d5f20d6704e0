import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { projectRoot } from '../../../src/config/project-root.js';
import { createScriptInspector, type ScriptInspector } from '../../../src/runner/script-inspector.js';
import { python, temporaryFolder } from './support.js';

const pythonPath = [join(projectRoot, 'python')];
let inspector: ScriptInspector;
let folder: string;
beforeAll(() => {
  inspector = createScriptInspector({ python, pythonPath });
});
afterAll(() => inspector.close());
beforeEach(() => {
  folder = temporaryFolder();
});

function script(source: string | Uint8Array): string {
  const path = join(folder, 'script.py');
  writeFileSync(path, source);
  return path;
}

describe('settings', () => {
  test.each([
    [
      '@pixyz_schedule(queue="gpu", time_limit=2.5, raw=True, root_file=None)',
      { queue: 'gpu', time_limit: 2.5, raw: true, root_file: null },
    ],
    ['@pixyz_schedule(a=-1, b=[1, -2], c={"d": (1, 2)}, e=NAME, f=g(), h=1j)', { a: -1, b: [1, -2], c: { d: [1, 2] } }],
    ['@pixyz_schedule()', {}],
    ['@pixyz_schedule', {}],
    ['@script.pixyz_schedule(queue="a")', { queue: 'a' }],
    ['@staticmethod\n@other(queue="no")', {}],
    ['@pixyz_schedule(queue="outer")\n@other\n@pixyz_schedule(queue="inner")', { queue: 'inner' }],
    ['@pixyz_schedule(queue="gpu", **MORE)', { queue: 'gpu' }],
    ['', {}],
  ])('of %s', async (decorator, settings) => {
    const path = script(`${decorator}\ndef main(pc, params):\n    """Does it.\n\n       Well.\n    """\n`);
    expect(await inspector.inspect(path, 'main')).toEqual({ ok: true, settings, doc: 'Does it.\n\nWell.' });
  });

  test('a decorator may name another function, which has to be there', async () => {
    const source = '@pixyz_schedule(entrypoint="other")\ndef main(pc, params): ...\n';
    expect(await inspector.inspect(script(`${source}def other(pc, params): ...\n`), 'main')).toMatchObject({
      ok: true,
      settings: { entrypoint: 'other' },
    });
    expect(await inspector.inspect(script(source), 'main')).toEqual({
      ok: false,
      problem: "the script has no function 'other': its functions are main",
    });
  });

  test('the last definition of a name counts, also under if and try', async () => {
    const path = script('try:\n    import x\nexcept ImportError:\n    def main(pc, params):\n        "here"\n');
    expect(await inspector.inspect(path, 'main')).toMatchObject({ ok: true, doc: 'here' });
  });

  test('the file is not run', async () => {
    const path = script('import os\nos._exit(1)\ndef main(pc, params): ...\n');
    expect(await inspector.inspect(path, 'main')).toMatchObject({ ok: true });
  });
});

describe('problems', () => {
  test.each([
    ['a syntax error', 'x = 1\ndef main(:\n', /^the script has a syntax error in line 2: /],
    [
      'a missing function',
      'def a(): ...\ndef b(): ...\n',
      /^the script has no function 'main': its functions are a, b$/,
    ],
    ['no function at all', '', /it has no function at all/],
    ['an async function', 'async def main(pc, params): ...', /'main' is async/],
    ['a nested function', 'class A:\n    def main(self): ...', /inside another function or class/],
    ['too deep nesting', `x = ${'('.repeat(5000)}${')'.repeat(5000)}`, /nested|syntax error/],
  ])('%s', async (_, source, problem) => {
    expect(await inspector.inspect(script(source), 'main')).toEqual({
      ok: false,
      problem: expect.stringMatching(problem),
    });
  });

  test('NUL bytes, other encodings and missing files', async () => {
    expect(await inspector.inspect(script('def main(): ...\n\0'), 'main')).toMatchObject({
      problem: expect.stringContaining('NUL bytes'),
    });
    const latin = Buffer.from('def main(pc, params):\n    "\xe9"\n', 'latin1');
    expect(await inspector.inspect(script(latin), 'main')).toMatchObject({
      problem: expect.stringContaining('not UTF-8'),
    });
    const declared = Buffer.concat([Buffer.from('# coding: latin-1\n'), latin]);
    expect(await inspector.inspect(script(declared), 'main')).toMatchObject({ ok: true, doc: 'é' });
    expect(await inspector.inspect(join(folder, 'none.py'), 'main')).toMatchObject({
      problem: expect.stringContaining('cannot be read'),
    });
  });
});

describe('documentation', () => {
  test('is empty without a docstring and null without main', async () => {
    expect(await inspector.doc(script('def main(pc, params): ...'))).toEqual({ ok: true, doc: '' });
    expect(await inspector.doc(script('def other(pc, params): ...'))).toEqual({ ok: true, doc: null });
    expect(await inspector.doc(script('def main(:'))).toMatchObject({ ok: false });
  });
});

describe('the helper', () => {
  test('is started again when it dies, and questions that it had not answered are asked again', async () => {
    const path = script('def main(pc, params): ...');
    const asked = Array.from({ length: 20 }, () => inspector.inspect(path, 'main'));
    for (const pid of helpers()) process.kill(pid, 'SIGKILL');
    for (const answer of await Promise.all(asked)) expect(answer).toMatchObject({ ok: true });
    expect(await inspector.inspect(path, 'main')).toMatchObject({ ok: true });
  });

  test('that hangs is given up after the time-out, and the next question has a new one', async () => {
    const slow = createScriptInspector({ python, pythonPath, timeoutMs: 1500 });
    try {
      const path = script('def main(pc, params): ...');
      await slow.inspect(path, 'main');
      for (const pid of helpers()) process.kill(pid, 'SIGSTOP');
      await expect(slow.inspect(path, 'main')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      expect(await slow.inspect(path, 'main')).toMatchObject({ ok: true });
    } finally {
      for (const pid of helpers()) process.kill(pid, 'SIGCONT');
      await slow.close();
    }
  });

  test('that cannot be started is told with the setting to check', async () => {
    const missing = createScriptInspector({ python: '/no/such/python', pythonPath });
    await expect(missing.inspect(script(''), 'main')).rejects.toThrow('check PYTHON');
    await missing.close();
  });
});

/** Helpers that descend from this process. */
function helpers(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const parent = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ')[1];
        const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1');
        return parent === String(process.pid) && command.includes('pixyz_worker._inspect');
      } catch {
        return false;
      }
    });
}
