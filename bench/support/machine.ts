import { execFile } from 'node:child_process';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { machineBusyMs } from './processes.js';

export interface MachineFacts {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  /** Load averages over 1, 5 and 15 minutes before anything was started. */
  readonly loadBefore: readonly number[];
  /** Share of all cores that others used during one second before the start, 0…1. */
  readonly busyBefore: number;
}

export async function machineFacts(): Promise<MachineFacts> {
  const list = cpus();
  const before = machineBusyMs();
  const start = performance.now();
  await sleep(1000);
  const busyBefore = (machineBusyMs() - before) / ((performance.now() - start) * list.length);
  return {
    cores: list.length,
    cpu: list[0]?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    loadBefore: loadavg().map((value) => Number(value.toFixed(2))),
    busyBefore,
  };
}

/** First line of what `command --version` prints, or the reason why there is none. */
export async function versionOf(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  try {
    const { stdout, stderr } = await promisify(execFile)(command, [...args], { env });
    return (stdout || stderr).trim().split('\n')[0] ?? '';
  } catch (error) {
    return `not known (${String(error).split('\n')[0]})`;
  }
}
