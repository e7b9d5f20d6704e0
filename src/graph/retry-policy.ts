import type { RetryPolicy } from '../contract/scheduling.js';

/** How often a job is run again because its worker was lost: enough for a bad day, not for ever. */
const maxLosses = 10;

/** Settings of the installation, in seconds. */
export interface RetryOptions {
  readonly retryTimeLimit: number;
  readonly rescueWait: number;
}

/** @param timeLimit of the first attempt, seconds; null means none */
export function retryPolicyOf(maxRetries: number, timeLimit: number | null, options: RetryOptions): RetryPolicy {
  return {
    maxRetries,
    maxLosses,
    rescueQueue: 'gpuhigh',
    // A rescue never gets less time than the user asked for.
    rescueTimeLimit: timeLimit === null ? null : Math.max(timeLimit, options.retryTimeLimit),
    rescueWait: options.rescueWait,
  };
}
