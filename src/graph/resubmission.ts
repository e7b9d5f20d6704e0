import type { FaultKind } from '../contract/job.js';
import type { RetryPolicy } from '../contract/scheduling.js';

/**
 * What follows a fault. One pure function, asked by two: the attempt, to write the state that will hold, and the
 * interpreter, to act. Both see the same input, so they agree without a message.
 *
 * | fault | cpu, gpu | every other queue |
 * | --- | --- | --- |
 * | exit, signal, time limit, memory | once more on `gpuhigh`, with the rescue's time limit | once more on the same queue |
 * | exception, invalid | fails | fails |
 * | lost worker | again on the same queue, up to a bound of its own | the same |
 * | cancelled | revoked | revoked |
 */

/** Where an attempt stands when it faults. */
export interface AttemptPosition {
  readonly queue: string;
  /** Seconds; null means none. */
  readonly timeLimit: number | null;
  readonly retriesUsed: number;
  readonly lossesUsed: number;
  readonly retry: RetryPolicy;
}

export type NextStep =
  | {
      readonly kind: 'again';
      readonly queue: string;
      readonly timeLimit: number | null;
      readonly retriesUsed: number;
      readonly lossesUsed: number;
      /** It moved to another queue; nobody may serve it. */
      readonly rescue: boolean;
    }
  | { readonly kind: 'failed' }
  | { readonly kind: 'revoked' };

export function afterFault(position: AttemptPosition, fault: FaultKind): NextStep {
  const { queue, timeLimit, retriesUsed, lossesUsed, retry } = position;
  switch (fault) {
    case 'exception':
    case 'invalid':
      return { kind: 'failed' };
    case 'cancelled':
      return { kind: 'revoked' };
    case 'lost':
      if (lossesUsed >= retry.maxLosses) return { kind: 'failed' };
      return { kind: 'again', queue, timeLimit, retriesUsed, lossesUsed: lossesUsed + 1, rescue: false };
    case 'exit':
    case 'signal':
    case 'time-limit':
    case 'memory': {
      if (retriesUsed >= retry.maxRetries) return { kind: 'failed' };
      const rescue = (queue === 'cpu' || queue === 'gpu') && retry.rescueQueue !== queue;
      return {
        kind: 'again',
        queue: rescue ? retry.rescueQueue : queue,
        timeLimit: rescue ? longer(timeLimit, retry.rescueTimeLimit) : timeLimit,
        retriesUsed: retriesUsed + 1,
        lossesUsed,
        rescue,
      };
    }
  }
}

/** A rescue never gets less time than the user asked for; null is no limit at all. */
function longer(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : Math.max(a, b);
}
