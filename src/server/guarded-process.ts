import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

/**
 * A program that never outlives the process that started it, not even when that one is killed with SIGKILL.
 *
 * The program runs under a small shell that holds the read end of a pipe whose write end is ours. When we are gone, by
 * whatever way, the kernel closes the pipe, the shell reads its end, and ends the program: TERM, then KILL after a grace.
 * A parent-death signal would do the same, but exists on Linux only and is lost when the *thread* that forked ends.
 *
 * 1. The shell leads a process group of its own: Ctrl-C in a terminal reaches us and not the program, so the order of a
 *    shut-down is ours to choose.
 * 2. TERM and INT to the shell are passed on to the program; the shell ends with the program's exit code.
 * 3. The program's standard input is empty, so it cannot read our terminal.
 */
export const guard = `
exec 3<&0 </dev/null
grace=$1; shift
"$@" 3<&- &
program=$!
trap 'kill -TERM $program 2>/dev/null' TERM
trap 'kill -INT $program 2>/dev/null' INT
(
  trap '' TERM INT
  while read -r _ <&3; do :; done
  kill -TERM $program 2>/dev/null
  while [ "$grace" -gt 0 ] && kill -0 $program 2>/dev/null; do sleep 1; grace=$((grace - 1)); done
  kill -KILL $program 2>/dev/null
) >/dev/null 2>&1 &
watch=$!
exec 3<&-
while :; do
  wait $program; code=$?
  kill -0 $program 2>/dev/null || break
done
kill -KILL $watch 2>/dev/null
exit $code
`;

export interface GuardedOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Standard output and error are appended to this file. */
  readonly logFile: string;
  /** Seconds between TERM and KILL, when we are gone and when {@link GuardedProcess.stop} is called. */
  readonly graceSeconds: number;
}

export interface GuardedExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface GuardedProcess {
  readonly pid: number;
  /** Resolves when the program has ended; never rejects. */
  readonly exited: Promise<GuardedExit>;
  /** Passes a signal on to the program. */
  signal(signal: 'SIGTERM' | 'SIGINT'): void;
  /** TERM, grace, KILL; resolves when the program and its guard are gone. */
  stop(graceSeconds?: number): Promise<GuardedExit>;
}

/** Starts a program. @throws when it cannot be started at all. */
export async function startGuarded(options: GuardedOptions): Promise<GuardedProcess> {
  const log = openSync(options.logFile, 'a');
  let child: ChildProcess;
  try {
    // Windows has no process groups and no shell of this kind: there the program is started bare.
    const bare = process.platform === 'win32';
    child = spawn(
      bare ? options.command : '/bin/sh',
      bare ? [...options.args] : ['-c', guard, 'guard', String(options.graceSeconds), options.command, ...options.args],
      {
        env: options.env,
        stdio: ['pipe', log, log],
        detached: !bare,
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      },
    );
  } finally {
    closeSync(log);
  }
  const exited = new Promise<GuardedExit>((resolve) => {
    child.once('exit', (code, signal) => {
      child.stdin?.destroy();
      resolve({ code, signal });
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  // The pipe breaks when the guard ends first; that is told by `exited`.
  child.stdin?.on('error', () => {});
  const pid = child.pid as number;
  const kill = (target: number, signal: NodeJS.Signals) => {
    try {
      process.kill(target, signal);
    } catch {
      // already gone
    }
  };
  const running = () => child.exitCode === null && child.signalCode === null;
  return {
    pid,
    exited,
    signal: (signal) => running() && kill(pid, signal),
    async stop(graceSeconds = options.graceSeconds) {
      if (!running()) return exited;
      kill(pid, 'SIGTERM');
      const timer = setTimeout(() => {
        if (running()) kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
      }, graceSeconds * 1000);
      const exit = await exited;
      clearTimeout(timer);
      return exit;
    },
  };
}
