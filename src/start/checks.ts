import { execFile } from 'node:child_process';
import { existsSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isPortFree } from '../server/free-ports.js';
import { Problem } from '../setup/tools.js';
import { makeFolders } from '../store/make-folders.js';

/** What is looked at before anything is started, so that each common mistake has one clear message. */

const leastFreeBytes = 200 * 2 ** 20;

export function checkWritable(folder: string, setting: string): void {
  try {
    makeFolders(folder);
    const probe = join(folder, `.write-check-${process.pid}`);
    writeFileSync(probe, '');
    rmSync(probe);
  } catch (error) {
    throw new Problem(`${setting}: the folder ${folder} cannot be written: ${(error as Error).message}`);
  }
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize < leastFreeBytes) {
    throw new Problem(
      `${setting}: the disk of ${folder} has only ${Math.floor((bavail * bsize) / 2 ** 20)} MB free; at least ${leastFreeBytes / 2 ** 20} MB are needed`,
    );
  }
}

export function checkProcesses(folder: string): void {
  if (!existsSync(folder)) throw new Problem(`PROCESS_PATH: there is no folder ${folder}`);
}

export async function checkPort(port: number, host: string, setting: string): Promise<void> {
  if (port !== 0 && !(await isPortFree(port, host))) {
    throw new Problem(
      `port ${port} (${setting}) is taken by another program, or ${host} is no address of this machine`,
    );
  }
}

export async function checkPython(interpreter: string): Promise<void> {
  try {
    const test = 'import sys; assert sys.version_info >= (3, 10), sys.version; print("recent")';
    const { stdout } = await promisify(execFile)(interpreter, ['-c', test], { timeout: 20_000 });
    // Many a program ends well whatever it is told.
    if (stdout.trim() !== 'recent') throw new Error('it runs no Python');
  } catch (error) {
    const reason = (error as { stderr?: string }).stderr?.trim().split('\n').at(-1) || (error as Error).message;
    throw new Problem(`PYTHON: ${interpreter} is no Python 3.10 or newer: ${reason}`);
  }
}
