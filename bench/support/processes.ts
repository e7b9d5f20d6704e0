import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Processes of a system under test: starting them, ending them without leaving one behind, and reading from `/proc` what
 * they cost. The cost of a process includes that of the children it has reaped, so forked children that are already
 * gone are counted with their parent.
 */

const ticksPerSecond = 100; // USER_HZ: fixed at 100 for /proc on Linux

interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  /** CPU time of the process and of the children it has reaped, ms. */
  readonly cpuMs: number;
  readonly residentBytes: number;
}

function readStat(pid: number): ProcessStat | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null; // ended between the listing and the reading
  }
  // The command name is in parentheses and may hold anything; the fields after it are numbers.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (number: number) => Number(fields[number - 3]);
  return {
    pid,
    parent: field(4),
    cpuMs: ((field(14) + field(15) + field(16) + field(17)) * 1000) / ticksPerSecond,
    residentBytes: field(24) * 4096,
  };
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}

/** The processes with these ids and all below them. */
export function processTree(roots: readonly number[]): ProcessStat[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readStat(Number(name)))
    .filter((stat) => stat !== null);
  const found = new Map(all.filter((stat) => roots.includes(stat.pid)).map((stat) => [stat.pid, stat]));
  for (let grown = true; grown; ) {
    grown = false;
    for (const stat of all) {
      if (!found.has(stat.pid) && found.has(stat.parent)) {
        found.set(stat.pid, stat);
        grown = true;
      }
    }
  }
  return [...found.values()];
}

/** CPU ms and resident bytes of a tree by class of process, as of now. */
export interface Usage {
  readonly cpuMs: Readonly<Record<string, number>>;
  readonly residentBytes: Readonly<Record<string, number>>;
}

export type Classify = (commandLine: string) => string;

export function usageOf(roots: readonly number[], classify: Classify): Usage {
  const cpuMs: Record<string, number> = {};
  const residentBytes: Record<string, number> = {};
  for (const stat of processTree(roots)) {
    const kind = classify(commandLine(stat.pid));
    cpuMs[kind] = (cpuMs[kind] ?? 0) + stat.cpuMs;
    residentBytes[kind] = (residentBytes[kind] ?? 0) + stat.residentBytes;
  }
  return { cpuMs, residentBytes };
}

export function cpuBetween(before: Usage, after: Usage): Record<string, number> {
  return Object.fromEntries(
    Object.entries(after.cpuMs).map(([kind, value]) => [kind, value - (before.cpuMs[kind] ?? 0)]),
  );
}

/**
 * Stops the processes of a system, or lets them go on: while another one is measured, it is to have the machine to itself.
 * Seconds of it do no harm to a system that has nothing to do.
 */
export function freeze(roots: readonly number[], frozen: boolean): void {
  for (const { pid } of processTree(roots)) {
    try {
      process.kill(pid, frozen ? 'SIGSTOP' : 'SIGCONT');
    } catch {
      // it has ended meanwhile
    }
  }
}

/** CPU time the whole machine has spent working since its start, ms (over all cores). */
export function machineBusyMs(): number {
  const fields = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').trim().split(/\s+/).slice(1).map(Number);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields;
  return ((user + nice + system + irq + softirq + steal) * 1000) / ticksPerSecond;
}

/** Starts a process whose output goes to a file. */
export function launch(command: string, args: readonly string[], logFile: string, options: SpawnOptions): ChildProcess {
  const log = openSync(logFile, 'a');
  return spawn(command, args, { ...options, stdio: ['ignore', log, log] });
}

/** Asks the processes to end, and kills what is left of their trees after `graceMs`. Resolves when all are gone. */
export async function end(children: readonly ChildProcess[], graceMs: number): Promise<void> {
  const alive = () => children.filter((child) => child.exitCode === null && child.signalCode === null);
  const pids = children.map((child) => child.pid).filter((pid) => pid !== undefined);
  const tree = processTree(pids).map((stat) => stat.pid);
  const exits = alive().map((child) => once(child, 'exit'));
  for (const child of alive()) child.kill('SIGTERM');
  await Promise.race([Promise.all(exits), sleep(graceMs)]);
  for (const pid of new Set([...tree, ...processTree(pids).map((stat) => stat.pid)])) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // already gone, which is what we want
    }
  }
  await Promise.all(exits);
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}

/** Waits for a fact. @throws Error with the last failure when it does not come true in time. */
export async function waitFor(what: string, timeoutMs: number, check: () => Promise<void> | void): Promise<void> {
  const until = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > until) throw new Error(`${what} did not come true in ${timeoutMs} ms: ${String(error)}`);
    }
    await sleep(50);
  }
}
