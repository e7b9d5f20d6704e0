import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Files, filesAt, pooledFiles } from '../../../src/store/files.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pixyz-files-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const kinds: readonly [string, () => Files][] = [
  ['of this machine, at once', () => filesAt(join(folder, 'not', 'there', 'yet'))],
  ['of unknown file systems, through the pool', () => pooledFiles],
];

describe.each(kinds)('small files %s', (_name, make) => {
  it('are written, read, renamed and removed', async () => {
    const files = make();
    const [a, b] = [join(folder, 'a'), join(folder, 'b')];
    await files.write(a, 'text', {});
    await files.rename(a, b);
    expect(await files.read(b)).toBe('text');
    await files.remove(b);
    await files.remove(b);
    expect(await files.read(b)).toBe(null);
  });

  it('are read again only when they are others', async () => {
    const files = make();
    const path = join(folder, 'a');
    expect(await files.readUnless(path, null)).toBe(null);
    await writeFile(path, 'one');
    const first = await files.readUnless(path, null);
    expect(first?.text).toBe('one');
    expect(await files.readUnless(path, first?.mark ?? '')).toEqual({ mark: first?.mark, text: null });
    await files.write(`${path}.new`, 'two', {});
    await files.rename(`${path}.new`, path);
    expect((await files.readUnless(path, first?.mark ?? ''))?.text).toBe('two');
  });

  it('are read as bytes up to a size', async () => {
    const files = make();
    const path = join(folder, 'a');
    expect(await files.readSmall(path, 3)).toBe(null);
    await writeFile(path, Buffer.of(0xff, 0xfe, 0xfd));
    expect(await files.readSmall(path, 3)).toEqual(Buffer.of(0xff, 0xfe, 0xfd));
    expect(await files.readSmall(path, 2)).toBe(null);
  });

  it('tell by a failed promise what is wrong, and make a folder only below one that is there', async () => {
    const files = make();
    await files.makeFolder(join(folder, 'sub'));
    await files.makeFolder(join(folder, 'sub'));
    await expect(files.makeFolder(join(folder, 'no', 'such'))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(files.read(join(folder, 'sub'))).rejects.toMatchObject({ code: 'EISDIR' });
    await expect(files.write(join(folder, 'sub'), 'text', {})).rejects.toMatchObject({ code: 'EISDIR' });
  });
});

it('a disk of this machine is worked on at once', () => {
  expect(filesAt(folder).direct).toBe(process.platform === 'linux');
});
