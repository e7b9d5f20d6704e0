// @ts-check
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Problem } from './problem.mjs';

/**
 * Runs a program to its end; its lines go to `onLine`, and its last ones into the message when it fails.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{cwd?: string, env?: NodeJS.ProcessEnv, onLine?: (line: string) => void, what: string}} options
 * @returns {Promise<void>}
 */
export async function runProgram(command, args, options) {
  /** @type {string[]} */
  const last = [];
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    // npm is a .cmd on Windows, which only a shell starts.
    shell: process.platform === 'win32',
  });
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      last.push(line);
      if (last.length > 25) last.shift();
      options.onLine?.(line);
    });
  }
  // A set-up that is interrupted takes its programs along.
  const end = () => child.kill('SIGTERM');
  process.once('exit', end);
  try {
    /** @type {[number | null, NodeJS.Signals | null]} */
    const [code, signal] = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (c, s) => resolve([c, s]));
    });
    if (code !== 0) {
      throw new Problem(`${options.what} failed (${signal ?? `exit code ${code}`}):\n${last.join('\n')}`);
    }
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') {
      throw new Problem(`${options.what}: the program "${command}" was not found`);
    }
    throw error;
  } finally {
    process.removeListener('exit', end);
  }
}
