import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, ConnectionError } from './errors.js';

export interface RetryOptions {
  /** Further tries after the first. Default 4. */
  readonly retries?: number;
  /** First pause, ms; it doubles, up to {@link maxPauseMs}. Default 250. */
  readonly pauseMs?: number;
  /** The longest pause, ms. An API that asks for a longer one is not waited for. Default 10,000. */
  readonly maxPauseMs?: number;
}

/**
 * Tries again what may succeed later: 503 and 429 for every request, since the API then has kept nothing, and a broken
 * connection where the request can be sent twice. A refused connection is told at once: waiting seldom mends it.
 */
export async function withRetries<T>(
  work: () => Promise<T>,
  options: RetryOptions & { readonly repeatable: boolean; readonly signal?: AbortSignal | undefined },
): Promise<T> {
  const { retries = 4, pauseMs = 250, maxPauseMs = 10_000, repeatable, signal } = options;
  for (let done = 0; ; done += 1) {
    try {
      return await work();
    } catch (error) {
      const pause = pauseBefore(error, pauseMs * 2 ** done, repeatable);
      if (pause === null || done >= retries || pause > maxPauseMs) throw error;
      await sleep(Math.min(pause, maxPauseMs), undefined, signal === undefined ? {} : { signal });
    }
  }
}

/** null: not to be tried again. */
function pauseBefore(error: unknown, backOffMs: number, repeatable: boolean): number | null {
  // Many clients that were refused at the same moment must not come again at the same moment.
  const spread = backOffMs * (0.75 + Math.random() / 2);
  if (error instanceof ApiError && (error.status === 503 || error.status === 429))
    return error.retryAfterSeconds === null ? spread : Math.max(error.retryAfterSeconds * 1000, 50);
  if (error instanceof ConnectionError && repeatable && !error.refused) return spread;
  return null;
}
