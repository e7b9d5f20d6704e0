import { constants } from 'node:os';
import type { FaultKind, JobError } from '../contract/job.js';
import type { ExitReason } from '../contract/runner.js';

const sdk = 'pixyz_worker.exception';

/** The sentences about ends that the script could not tell of itself, composed from the facts. */
export function faultOf(reason: ExitReason, lastLines: readonly string[]): JobError {
  switch (reason.kind) {
    case 'finished':
      return fault('exit', 'PixyzExitFault', '0 (the script ended without telling its result)', lastLines);
    case 'exited':
      return fault(
        'exit',
        'PixyzExitFault',
        reason.code === 0
          ? "0 (the script's process ended itself before its entrypoint had returned, as os._exit(0) does)"
          : `${reason.code} (the script's process ended with exit code ${reason.code})`,
        lastLines,
      );
    case 'signaled': {
      const number = constants.signals[reason.signal];
      return fault(
        'signal',
        'PixyzSignalFault',
        `${number} (killed by signal ${number}, ${reason.signal}: ${why(reason.signal)})`,
        lastLines,
      );
    }
    case 'timed-out':
      return fault(
        'time-limit',
        'PixyzTimeout',
        `the script ran longer than its time limit of ${reason.afterMs / 1000} s`,
        lastLines,
      );
    case 'out-of-memory':
      return fault(
        'memory',
        'MemoryError',
        `the script and its processes used ${mebibytes(reason.seenBytes)}, more than the memory limit of ${mebibytes(reason.limitBytes)}`,
        lastLines,
        'builtins',
      );
    case 'too-many-processes':
      // Trying again would do the same again.
      return fault(
        'exception',
        'PixyzExecutionFault',
        `the script started ${reason.seen} processes, more than the limit of ${reason.limit} (MAX_PROCESSES)`,
        lastLines,
      );
    case 'broken-channel':
      return fault(
        'exit',
        'PixyzExecutionFault',
        `the script disturbed the channel to its worker: ${reason.detail}`,
        lastLines,
      );
    case 'cancelled':
      return fault(
        reason.reason === 'cancel' ? 'cancelled' : 'lost',
        'PixyzExecutionFault',
        {
          cancel: 'the job was cancelled',
          fenced: 'another attempt has taken this job over, so this one was ended',
          shutdown: 'the worker was stopped before the script had ended',
        }[reason.reason],
        [],
      );
    case 'not-started':
      return fault('lost', 'PixyzExecutionFault', `the script could not be started: ${reason.cause}`, []);
  }
}

/** The outcome of scripts whose host died under them: nobody knows how they ended, and it was not their fault. */
export function lostFault(): JobError {
  return fault(
    'lost',
    'PixyzExecutionFault',
    'the process that watches over scripts ended, and the script with it',
    [],
  );
}

/**
 * The message is the headline, for lists and histories; the traceback has the end of the log too, which for a crash in native
 * code holds the stack that Python's fault handler has dumped. The frames below the user's code in it are ours, and say nothing.
 */
function fault(kind: FaultKind, type: string, message: string, lastLines: readonly string[], module = sdk): JobError {
  const told = lastLines.filter((line) => !isOurs(line));
  const log = told.length === 0 ? '' : `The last lines of the log:\n${told.join('\n')}\n\n`;
  return { kind, type, module, message, traceback: `${log}${type}: ${message}` };
}

function isOurs(line: string): boolean {
  return /^ {2}File ".*[/\\]pixyz_worker[/\\]_\w+\.py"|^ {2}File "<frozen runpy>"|^Extension modules: /.test(line);
}

function why(signal: NodeJS.Signals): string {
  switch (signal) {
    case 'SIGSEGV':
    case 'SIGBUS':
    case 'SIGILL':
    case 'SIGFPE':
    case 'SIGABRT':
      return 'a crash in native code';
    case 'SIGKILL':
      return 'not sent by this worker; most often the system was out of memory';
    default:
      return 'not sent by this worker';
  }
}

export function signalName(number: number): NodeJS.Signals {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  // Real-time signals have no name in Node; the kernel's numbering starts at 32.
  return (found?.[0] ?? `SIGRT${number}`) as NodeJS.Signals;
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
