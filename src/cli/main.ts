import { spawn } from 'node:child_process';
import { constants } from 'node:os';
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
  // `pixyz jobs | head`: nobody reads any more, which is no fault.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  const shell: Shell = {
    stdout: screenOf(process.stdout),
    stderr: screenOf(process.stderr),
    env: process.env,
    cwd: process.cwd(),
    stop: stop.signal,
    binary: process.stdout,
    foreground,
  };
  return runProgram(args, shell);
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
