import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Build } from '../../../src/workflow-files/build.js';
import { Catalogue } from '../../../src/workflow-files/catalogue.js';
import { WorkflowFolder } from '../../../src/workflow-files/folder.js';
import { waitFor } from '../../support/wait-for.js';

/** The folder with a compiler that a test plays: `bad` in a file is a problem, anything else is a version. */

let root: string;
let folder: string;
let built: string[];
let open: WorkflowFolder[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'pixyz-folder-'));
  folder = mkdtempSync(join(tmpdir(), 'pixyz-files-'));
  built = [];
  open = [];
});
afterEach(async () => {
  await Promise.all(open.map((one) => one.stop()));
  for (const path of [root, folder]) rmSync(path, { recursive: true, force: true });
});

const build: Build = async (place, name, file) => {
  built.push(name);
  const { readFileSync } = await import('node:fs');
  const text = readFileSync(join(place, file), 'utf8');
  if (text.includes('bad'))
    return { ok: false, problems: [{ file, line: 1, column: 1, message: 'is bad' }], sources: [file] };
  const version = Buffer.from(text).toString('hex').slice(0, 12);
  return { ok: true, code: text, version, doc: null, input: null, sources: [file] };
};

function watch(engineKey = 'this'): WorkflowFolder {
  const one = new WorkflowFolder({
    folder,
    catalogue: new Catalogue(root),
    build,
    engineKey,
    logger: pino({ level: 'silent' }),
    pollMs: 20,
  });
  open.push(one);
  one.start();
  return one;
}

const drop = (name: string, text: string): void => writeFileSync(join(folder, name), text);

async function listed(one: WorkflowFolder, expected: Record<string, string | null>): Promise<void> {
  await waitFor(async () => {
    const files = one.files();
    expect(Object.fromEntries(files.map(({ name, version }) => [name, version]))).toEqual(expected);
  });
}

const hex = (text: string): string => Buffer.from(text).toString('hex').slice(0, 12);

describe('the folder of the workflow files', () => {
  it('gives a version to each file, a new one when it changes, and none to what is no workflow', async () => {
    drop('a.ts', 'one');
    drop('_helper.ts', 'x');
    drop('types.d.ts', 'x');
    drop('notes.json', '{}');
    const one = watch();
    await listed(one, { a: hex('one') });
    drop('a.ts', 'other');
    drop('b.js', 'third');
    await listed(one, { a: hex('other'), b: hex('third') });
    rmSync(join(folder, 'a.ts'));
    await listed(one, { b: hex('third') });
    expect(await new Catalogue(root).current('a')).toBe(null);
    expect(await new Catalogue(root).versions('a')).toEqual([hex('one'), hex('other')].sort());
  });

  it('keeps the last good version of a file that has become bad, and says what is wrong with it', async () => {
    drop('a.ts', 'good');
    const one = watch();
    await listed(one, { a: hex('good') });
    drop('a.ts', 'bad');
    await waitFor(async () => expect((await one.file('a'))?.problems).toHaveLength(1));
    expect(await one.file('a')).toMatchObject({ version: hex('good'), problems: [{ line: 1, message: 'is bad' }] });
    drop('a.ts', 'mended');
    await waitFor(async () => expect(await one.file('a')).toMatchObject({ version: hex('mended'), problems: [] }));
  });

  it('bundles nothing again after a restart, unless something has changed: a script, or the engine itself', async () => {
    drop('a.ts', 'good');
    drop('b.ts', 'bad');
    const first = watch();
    await waitFor(async () => expect((await first.file('b'))?.problems).toHaveLength(1));
    await first.stop();
    expect(built).toEqual(['a', 'b']);

    const second = watch();
    await listed(second, { a: hex('good'), b: null });
    await second.stop();
    expect(built).toEqual(['a', 'b']);

    drop('tool.py', 'print(1)');
    const third = watch();
    await waitFor(async () => expect(built).toHaveLength(4));
    await third.stop();

    const fourth = watch('another');
    await waitFor(async () => expect(built).toHaveLength(6));
    await fourth.stop();
  });

  it('forgets old versions that no run is open of, never the newest', async () => {
    const catalogue = new Catalogue(root);
    drop('a.ts', 'one');
    const one = watch();
    for (const text of ['one', 'two', 'six', 'ten']) {
      drop('a.ts', text);
      await listed(one, { a: hex(text) });
    }
    const isOpen = (_: string, version: string): boolean => version === hex('two');
    expect(await catalogue.sweep(isOpen, new Date(0))).toBe(0);
    expect(await catalogue.sweep(isOpen, new Date(Date.now() + 1000))).toBe(2);
    expect(await catalogue.versions('a')).toEqual([hex('two'), hex('ten')].sort());
  });

  it('waits for a file that is being bundled when it is asked for', async () => {
    drop('a.ts', 'slow');
    const one = watch();
    expect(await one.file('a')).toMatchObject({ version: hex('slow') });
    expect(await one.file('b')).toBe(null);
  });
});
