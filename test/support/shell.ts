import { PassThrough } from 'node:stream';
import { runProgram } from '../../src/cli/program.js';
import type { Screen, Shell } from '../../src/cli/shell.js';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ShellOptions {
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  /** Output goes to a terminal. */
  readonly tty?: boolean;
  readonly stop?: AbortSignal;
  /** Told of every text as it is printed, to wait for one. */
  readonly onSaid?: (text: string) => void;
}

/** Runs a command line of `pixyz` in this process. */
export async function pixyz(args: readonly string[], options: ShellOptions = {}): Promise<Ran> {
  const { env = {}, cwd = '/', tty = false, stop = new AbortController().signal } = options;
  const said = { stdout: '', stderr: '' };
  const screen = (name: 'stdout' | 'stderr'): Screen => ({
    isTTY: tty,
    columns: 200,
    rows: 40,
    write: (text) => {
      said[name] += text;
      options.onSaid?.(text);
    },
  });
  const binary = new PassThrough();
  binary.on('data', (piece: Buffer) => {
    said.stdout += piece.toString('latin1');
  });
  const shell: Shell = {
    stdout: screen('stdout'),
    stderr: screen('stderr'),
    env: { HOME: '/nowhere', ...env },
    cwd,
    stop,
    binary,
    foreground: async (command, words) => {
      said.stdout += `ran ${[command, ...words].join(' ')}\n`;
      return 7;
    },
  };
  const code = await runProgram(args, shell);
  return { code, ...said };
}
