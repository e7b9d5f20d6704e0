import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitForOptions {
  readonly timeoutMs?: number;
  readonly intervalMs?: number;
}

/**
 * Calls `check` until it neither throws nor returns false, and gives what it returned. Ends with the last failed
 * assertion, so that a time-out tells what was wrong and not only that something was.
 */
export async function waitFor<T>(
  check: () => T | Promise<T>,
  { timeoutMs = 10_000, intervalMs = 20 }: WaitForOptions = {},
): Promise<Exclude<T, false>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    let failure: unknown;
    try {
      const value = await check();
      if (value !== false) return value as Exclude<T, false>;
      failure = new Error('the check stayed false');
    } catch (error) {
      failure = error;
    }
    if (Date.now() > deadline) {
      if (failure instanceof Error) failure.message = `after ${timeoutMs} ms still: ${failure.message}`;
      throw failure;
    }
    await sleep(intervalMs);
  }
}
