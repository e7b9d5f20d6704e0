import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withLock } from '../../../tools/lib/lock.mjs';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pixyz-lock-'));
  file = join(folder, 'deep', 'set-up.lock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const never = () => {
  throw new Error('nobody holds the lock');
};

test('work runs under the lock, and the lock is gone after it, also when it fails', async () => {
  expect(await withLock(file, never, async () => existsSync(file))).toBe(true);
  await expect(withLock(file, never, () => Promise.reject(new Error('work')))).rejects.toThrow('work');
  expect(existsSync(file)).toBe(false);
});

test('two do not work at the same time', async () => {
  let inside = 0;
  let waits = 0;
  const work = async () => {
    inside += 1;
    expect(inside).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    inside -= 1;
  };
  await Promise.all([1, 2, 3].map(() => withLock(file, () => void waits++, work)));
  expect(waits).toBeGreaterThan(0);
});

test('the lock of a process that is dead stops nobody', async () => {
  const dead = spawn('true');
  await new Promise((resolve) => dead.once('exit', resolve));
  await withLock(file, never, async () => {});
  writeFileSync(file, `${hostname()} ${dead.pid} 0`);
  expect(await withLock(file, never, async () => 'done')).toBe('done');
});

test('the lock of another host stops nobody once it is no longer kept fresh', async () => {
  await withLock(file, never, async () => {});
  writeFileSync(file, 'another-host 1 0');
  const old = new Date(Date.now() - 60_000);
  utimesSync(file, old, old);
  expect(await withLock(file, never, async () => 'done')).toBe('done');
});
