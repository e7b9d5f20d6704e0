// @ts-check
import { spawn } from 'node:child_process';
import { root } from './bootstrap.mjs';

/**
 * Runs a program whose output the user sees. Gives its exit code.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<number>}
 */
export function foreground(command, args, env = process.env) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] });
    const end = () => child.kill('SIGTERM');
    process.once('exit', end);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      process.removeListener('exit', end);
      resolve(signal === null ? (code ?? 1) : 1);
    });
  });
}
