// @ts-check
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * One at a time, across processes and, on a shared disk, across hosts. The holder keeps the file's time fresh; a lock is
 * stale when its process is gone (same host) or its time is old, so that a set-up that was killed stops nobody.
 */

const freshMs = 2000;
const staleMs = 30_000;

/** @param {string} file */
function isStale(file) {
  try {
    const [host, pid] = readFileSync(file, 'utf8').split(' ');
    if (Date.now() - statSync(file).mtimeMs > staleMs) return true;
    if (host !== hostname() || !pid) return false;
    try {
      process.kill(Number(pid), 0);
      return false;
    } catch (error) {
      return /** @type {NodeJS.ErrnoException} */ (error).code === 'ESRCH';
    }
  } catch {
    return false; // released meanwhile
  }
}

/**
 * @template T
 * @param {string} file
 * @param {() => void} onWait called once, when another holds the lock
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(file, onWait, work) {
  mkdirSync(dirname(file), { recursive: true });
  const mine = `${hostname()} ${process.pid} ${Date.now()}`;
  for (let waited = false; ; ) {
    try {
      writeFileSync(file, mine, { flag: 'wx' });
      break;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
    }
    if (isStale(file)) {
      // Renamed, not removed: of two that find it stale, one only gets it.
      const aside = `${file}.stale.${process.pid}`;
      try {
        renameSync(file, aside);
        rmSync(aside, { force: true });
      } catch {
        // the other one was faster
      }
      continue;
    }
    if (!waited) onWait();
    waited = true;
    await sleep(100);
  }
  const timer = setInterval(() => {
    try {
      utimesSync(file, new Date(), new Date());
    } catch {
      // taken away by hand: what the lock guards is published by renaming, so no harm is done
    }
  }, freshMs);
  timer.unref();
  try {
    return await work();
  } finally {
    clearInterval(timer);
    try {
      if (readFileSync(file, 'utf8') === mine) rmSync(file, { force: true });
    } catch {
      // gone already
    }
  }
}
