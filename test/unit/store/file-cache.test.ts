import { mkdtemp, rm, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeFileAtomic } from '../../../src/store/atomic.js';
import { FileCache } from '../../../src/store/file-cache.js';

let folder: string;
let parses = 0;
const cache = (most = 10) => new FileCache((content) => (parses++, content), most);
beforeEach(async () => {
  parses = 0;
  folder = await mkdtemp(join(tmpdir(), 'pixyz-cache-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the cache of records', () => {
  it('parses a file once as long as it is the same one, and again when it was replaced, even by one of the same size', async () => {
    const file = join(folder, 'job.json');
    const records = cache();
    await writeFileAtomic(file, 'one');
    expect([await records.read(file), await records.read(file)]).toEqual(['one', 'one']);
    expect(parses).toBe(1);
    for (const content of ['two', 'six', 'ten']) {
      await writeFileAtomic(file, content);
      expect(await records.read(file)).toBe(content);
    }
  });

  it('a file that is gone is null, also when it was read before', async () => {
    const file = join(folder, 'job.json');
    const records = cache();
    expect(await records.read(file)).toBe(null);
    await writeFileAtomic(file, 'one');
    await records.read(file);
    await unlink(file);
    expect(await records.read(file)).toBe(null);
  });

  it('keeps as many as it may, those that were used last', async () => {
    const records = cache(2);
    for (const name of ['a', 'b', 'c']) await writeFileAtomic(join(folder, name), name);
    for (const name of ['a', 'b', 'a', 'c', 'a']) await records.read(join(folder, name));
    expect(parses).toBe(3);
    await records.read(join(folder, 'b'));
    expect(parses).toBe(4);
  });
});
