import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureToken } from '../../../src/config/token.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pixyz-token-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const settings = () => ({ GOD_PASSWORD_SHA256: undefined, TEMPORAL_DB_FILE: join(folder, '.data', 'temporal.db') });
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('the token of an installation', () => {
  it('is made by the first start, for its owner alone, and found by the next', async () => {
    const first = await ensureToken(settings());
    expect(first).toMatchObject({ isNew: true, file: join(folder, '.data', 'api-token') });
    expect(first.sha256).toBe(sha256(first.token ?? ''));
    expect((await stat(first.file ?? '')).mode & 0o777).toBe(0o600);
    expect(await ensureToken(settings())).toEqual({ ...first, isNew: false });
  });

  it('is the same for two processes that start at the same time', async () => {
    const tokens = await Promise.all(Array.from({ length: 10 }, () => ensureToken(settings())));
    expect(new Set(tokens.map((token) => token.sha256)).size).toBe(1);
    expect(tokens.filter((token) => token.isNew)).toHaveLength(1);
  });

  it('is not made where the configuration has a hash', async () => {
    const hash = sha256('configured');
    expect(await ensureToken({ ...settings(), GOD_PASSWORD_SHA256: hash })).toEqual({
      sha256: hash,
      token: null,
      isNew: false,
      file: null,
    });
    await expect(readFile(join(folder, '.data', 'api-token'))).rejects.toThrow('ENOENT');
  });

  it('is not an empty file', async () => {
    const { file } = await ensureToken(settings());
    await writeFile(file ?? '', '\n');
    await expect(ensureToken(settings())).rejects.toThrow(/is empty: delete it/);
  });
});
