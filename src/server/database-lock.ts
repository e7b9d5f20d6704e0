import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * One server at a time on a database file: two would each believe to own it. The lock names the process that started the
 * server, and the server itself, because that one lives on for some seconds when the other is killed. Process numbers
 * are given again, so each is kept with the time at which its process began.
 */

interface Holder {
  readonly pid: number;
  readonly began: string | null;
}

interface Lock {
  readonly owner: Holder;
  readonly server: Holder | null;
}

export class DatabaseInUseError extends Error {
  override readonly name = 'DatabaseInUseError';
  readonly pid: number;

  constructor(pid: number) {
    super(`in use by process ${pid}`);
    this.pid = pid;
  }
}

export interface DatabaseLock {
  /** From now on, the server too must be gone before another may start. */
  serverIs(pid: number): void;
  release(): void;
}

const serverGoneWithinMs = 20_000;

/** @throws DatabaseInUseError when another server has it. */
export async function lockDatabase(file: string): Promise<DatabaseLock> {
  const mine: Holder = { pid: process.pid, began: beganAt(process.pid) };
  const deadline = Date.now() + serverGoneWithinMs;
  for (;;) {
    try {
      writeFileSync(file, JSON.stringify({ owner: mine, server: null } satisfies Lock), { flag: 'wx', mode: 0o600 });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const lock = read(file);
    if (lock !== null && isAlive(lock.owner)) throw new DatabaseInUseError(lock.owner.pid);
    if (lock?.server && isAlive(lock.server)) {
      if (Date.now() > deadline) throw new DatabaseInUseError(lock.server.pid);
      await sleep(50);
      continue;
    }
    rmSync(file, { force: true });
  }
  let held = true;
  return {
    serverIs(pid) {
      if (!held) return;
      writeFileSync(
        `${file}.new`,
        JSON.stringify({ owner: mine, server: { pid, began: beganAt(pid) } } satisfies Lock),
        {
          mode: 0o600,
        },
      );
      renameSync(`${file}.new`, file);
    },
    release() {
      if (held) rmSync(file, { force: true });
      held = false;
    },
  };
}

function read(file: string): Lock | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Lock;
  } catch {
    return null; // released, or half written by one that was killed
  }
}

function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return holder.began === null || holder.began === beganAt(holder.pid);
}

/** When a process began, in whatever form the system tells it; null where it does not. */
function beganAt(pid: number): string | null {
  try {
    if (process.platform === 'linux') {
      // The name of the program, in brackets, may hold anything; the 22nd field is the 20th behind it.
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
    }
    if (process.platform === 'win32') return null;
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || null;
  } catch {
    return null;
  }
}
