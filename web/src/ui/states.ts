import type { IconName } from './icon.js';

/** How states look: a colour by `tone`, and a shape and a word, so that none is told by colour alone. */

export type Tone = 'ok' | 'bad' | 'run' | 'wait' | 'off';

export interface Look {
  readonly tone: Tone;
  readonly icon: IconName;
  readonly words: string;
}

const looks: Readonly<Record<string, Look>> = {
  // of jobs
  SENT: { tone: 'wait', icon: 'clock', words: 'Sent' },
  PENDING: { tone: 'wait', icon: 'clock', words: 'Waiting' },
  STARTED: { tone: 'run', icon: 'play', words: 'Running' },
  RUNNING: { tone: 'run', icon: 'play', words: 'Running' },
  RETRY: { tone: 'wait', icon: 'retry', words: 'To be retried' },
  SUCCESS: { tone: 'ok', icon: 'check', words: 'Succeeded' },
  FAILURE: { tone: 'bad', icon: 'cancel', words: 'Failed' },
  REVOKED: { tone: 'off', icon: 'stop', words: 'Cancelled' },
  UNKNOWN: { tone: 'off', icon: 'question', words: 'Unknown' },
  // of graphs and nodes
  pending: { tone: 'wait', icon: 'clock', words: 'Waiting' },
  waiting: { tone: 'off', icon: 'dots', words: 'Waiting' },
  queued: { tone: 'wait', icon: 'clock', words: 'Queued' },
  running: { tone: 'run', icon: 'play', words: 'Running' },
  paused: { tone: 'wait', icon: 'pause', words: 'Paused' },
  succeeded: { tone: 'ok', icon: 'check', words: 'Succeeded' },
  failed: { tone: 'bad', icon: 'cancel', words: 'Failed' },
  revoked: { tone: 'off', icon: 'stop', words: 'Cancelled' },
  skipped: { tone: 'off', icon: 'skip', words: 'Skipped' },
};

export function lookOf(state: string): Look {
  return looks[state] ?? { tone: 'off', icon: 'question', words: state };
}

/** What attempts ended with, in words. */
export const outcomes: Readonly<Record<string, { readonly tone: Tone; readonly words: string }>> = {
  succeeded: { tone: 'ok', words: 'succeeded' },
  exception: { tone: 'bad', words: 'exception' },
  invalid: { tone: 'bad', words: 'invalid' },
  exit: { tone: 'bad', words: 'process ended' },
  signal: { tone: 'bad', words: 'crashed' },
  'time-limit': { tone: 'bad', words: 'time limit' },
  memory: { tone: 'bad', words: 'out of memory' },
  cancelled: { tone: 'off', words: 'cancelled' },
  lost: { tone: 'bad', words: 'worker lost' },
};
