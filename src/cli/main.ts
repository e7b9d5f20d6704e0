import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { exitCodes } from './exit-codes.js';
import { runProgram } from './program.js';
import type { Screen, Shell } from './shell.js';

/** The command `pixyz`, as `tools/pixyz.mjs` and `npm run pixyz` call it. Gives the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const stop = new AbortController();
  process.on('SIGINT', () => {
    // Whoever presses it twice wants out, whatever is still going on.
    if (stop.signal.aborted) process.exit(130);
    stop.abort();
  });
  let lost: NodeJS.ErrnoException | null = null;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // `pixyz jobs | head`: nobody reads any more, which is no fault.
    if (error.code === 'EPIPE') process.exit(0);
    lost ??= error;
  });
  // There is nobody left to tell.
  process.stderr.on('error', () => undefined);
  const shell: Shell = {
    stdout: screenOf(process.stdout),
    stderr: screenOf(process.stderr),
    env: process.env,
    cwd: process.cwd(),
    stop: stop.signal,
    binary: process.stdout,
    foreground,
  };
  const code = await runProgram(args, shell);
  // A disk that is full is told with the last write: what comes after it must not go on with half a list.
  await new Promise((resolve) => process.stdout.write('', resolve));
  if (lost === null) return code;
  process.stderr.write(`pixyz: standard output cannot be written: ${(lost as Error).message}\n`);
  return code === 0 ? exitCodes.failed : code;
}

function screenOf(stream: NodeJS.WriteStream): Screen {
  return {
    isTTY: stream.isTTY === true,
    get columns() {
      return stream.columns || 80;
    },
    get rows() {
      return stream.rows || 24;
    },
    write: (text) => void stream.write(text),
  };
}

/** Ctrl-C reaches it as well, as it is of our process group: we wait for what it makes of it. */
function foreground(command: string, args: readonly string[]): Promise<number> {
  const child = spawn(command, args, { stdio: 'inherit' });
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? 128 + (constants.signals[signal ?? 'SIGTERM'] ?? 15)));
  });
}
