import { TimeoutType } from '@temporalio/common';
import { ActivityFailure, ApplicationFailure, isCancellation, log, TimeoutFailure } from '@temporalio/workflow';
import type { AttemptFault } from '../contract/graph.js';
import type { FaultKind } from '../contract/job.js';

/** A dead worker is noticed in this time; cancel travels with the heartbeats' answers. */
export const heartbeatTimeout = '10 seconds';

/** What an activity's failure means for the attempts it carried. */
export type Failure =
  | { readonly kind: 'fault'; readonly fault: FaultKind; readonly message: string }
  /** A worker took it and had no slot for it. */
  | { readonly kind: 'returned' }
  | { readonly kind: 'not-started' };

export function failureOf(error: unknown, what: string): Failure {
  if (isCancellation(error)) return { kind: 'fault', fault: 'cancelled', message: 'cancelled' };
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof TimeoutFailure) {
    if (cause.timeoutType === TimeoutType.SCHEDULE_TO_START) return { kind: 'not-started' };
    return {
      kind: 'fault',
      fault: 'lost',
      message: `the worker of ${what} is gone: no sign of life for ${heartbeatTimeout}`,
    };
  }
  if (cause instanceof ApplicationFailure) {
    if (cause.type === 'NO_SLOT') return { kind: 'returned' };
    const fault = cause.details?.[0] as AttemptFault | null | undefined;
    if (typeof fault?.kind === 'string') return { kind: 'fault', fault: fault.kind, message: fault.message };
  }
  // Not an outcome of the script: the worker itself failed (share gone, disk full). Another try may meet a better one.
  const message = cause instanceof Error ? cause.message : String(cause);
  log.warn('an activity failed outside the script', { what, message });
  return { kind: 'fault', fault: 'lost', message };
}
