import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CachedInspector } from '../../../src/compile/cached-inspector.js';
import type { Inspection } from '../../../src/contract/inspection.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pixyz-inspector-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function counting(answers: (Inspection | Error)[]) {
  const asked: string[] = [];
  const inspector = new CachedInspector({
    async inspect(_path, entrypoint) {
      asked.push(entrypoint);
      const answer = answers.shift() ?? { ok: true, settings: {}, doc: null };
      if (answer instanceof Error) throw answer;
      return answer;
    },
  });
  return { asked, inspector };
}

function script(name: string, content: string): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

describe('what was found in a script', () => {
  it('is asked once per content and entrypoint, wherever the file lies', async () => {
    const { asked, inspector } = counting([]);
    await inspector.inspect(script('a.py', 'x = 1'), 'main');
    await inspector.inspect(script('b.py', 'x = 1'), 'main');
    await inspector.inspect(script('a.py', 'x = 1'), 'other');
    expect(asked).toEqual(['main', 'other']);
    await inspector.inspect(script('a.py', 'x = 2'), 'main');
    expect(asked).toEqual(['main', 'other', 'main']);
  });

  it('is asked again after a problem, which may have been one of the interpreter', async () => {
    const { asked, inspector } = counting([{ ok: false, problem: 'ended' }, new Error('away')]);
    const path = script('a.py', 'x = 1');
    expect(await inspector.inspect(path, 'main')).toEqual({ ok: false, problem: 'ended' });
    await expect(inspector.inspect(path, 'main')).rejects.toThrow('away');
    expect(await inspector.inspect(path, 'main')).toMatchObject({ ok: true });
    expect(asked).toHaveLength(3);
  });

  it('is asked once by requests that come at the same time', async () => {
    const { asked, inspector } = counting([]);
    const path = script('a.py', 'x = 1');
    await Promise.all(Array.from({ length: 5 }, () => inspector.inspect(path, 'main')));
    expect(asked).toHaveLength(1);
  });

  it('is asked each time about a file that is too large to be a script, and about one that is not there', async () => {
    const { asked, inspector } = counting([]);
    const large = script('a.py', '#'.repeat(4 * 1024 * 1024 + 1));
    for (const path of [large, large, join(folder, 'no.py'), join(folder, 'no.py')]) {
      await inspector.inspect(path, 'main');
    }
    expect(asked).toHaveLength(4);
  });
});
