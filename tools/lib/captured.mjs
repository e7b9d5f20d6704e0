// @ts-check
import { spawn } from 'node:child_process';

/**
 * Runs a program whose output is shown later, if at all. A program that cannot be started has failed.
 * @param {string} command @param {readonly string[]} args @param {string} cwd @param {NodeJS.ProcessEnv} env
 * @returns {Promise<{ code: number, output: string }>}
 */
export function captured(command, args, cwd, env) {
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    const end = () => child.kill('SIGTERM');
    process.once('exit', end);
    child.once('error', (error) => resolve({ code: 1, output: error.message }));
    child.once('close', (code) => {
      process.removeListener('exit', end);
      resolve({ code: code ?? 1, output });
    });
  });
}
