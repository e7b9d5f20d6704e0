import { renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { projectRoot } from '../config/project-root.js';
import { startGuarded } from '../server/guarded-process.js';
import { logTail } from '../server/log-tail.js';
import { Problem } from '../setup/tools.js';
import { nodeFlags } from './node-flags.js';
import type { Part, RunningPart } from './part.js';

/** A part that is a Node process of ours: `dist/<name>/main.js`, its settings in its environment, its log in a file. */

export interface ProcessPartOptions {
  readonly name: 'api' | 'worker';
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly logFolder: string;
  /** Answers 200 when the part is up. */
  readonly readyUrl: string;
  readonly detail: string;
  /** How long it may take to stop, also when we are gone and cannot ask any more. */
  readonly graceSeconds: number;
}

const startWithinMs = 60_000;
const largestLogBytes = 64 * 2 ** 20;

export function processPart(options: ProcessPartOptions): Part {
  return { name: options.name, start: (unwanted) => start(options, unwanted) };
}

async function start(options: ProcessPartOptions, unwanted: AbortSignal): Promise<RunningPart> {
  const logFile = join(options.logFolder, `${options.name}.log`);
  const logStart = rotate(logFile);
  const running = await startGuarded({
    command: process.execPath,
    args: [...nodeFlags, join(projectRoot, 'dist', options.name, 'main.js')],
    env: options.env,
    cwd: options.cwd,
    logFile,
    graceSeconds: options.graceSeconds,
  });
  const state: { ended: string | null } = { ended: null };
  const exited = running.exited.then(({ code, signal }) => {
    state.ended = signal ?? `exit code ${code}`;
    return state.ended;
  });
  const deadline = Date.now() + startWithinMs;
  while (!(await answers(options.readyUrl))) {
    if (state.ended !== null) {
      throw new Problem(
        `the ${options.name} ended before it was up (${state.ended}); its log ${logFile} says:\n${logTail(logFile, logStart)}`,
      );
    }
    if (unwanted.aborted) {
      await running.stop(2);
      throw new Problem(`the ${options.name} was stopped before it was up`);
    }
    if (Date.now() > deadline) {
      await running.stop(2);
      throw new Problem(
        `the ${options.name} was not ready after ${startWithinMs / 1000} s; its log ${logFile} says:\n${logTail(logFile, logStart)}`,
      );
    }
    await Promise.race([sleep(50), exited]);
  }
  return {
    detail: options.detail,
    exited,
    stop: async (graceSeconds) => {
      await running.stop(graceSeconds);
    },
  };
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

function rotate(file: string): number {
  try {
    const { size } = statSync(file);
    if (size <= largestLogBytes) return size;
    renameSync(file, `${file}.1`);
  } catch {
    // none yet
  }
  return 0;
}
