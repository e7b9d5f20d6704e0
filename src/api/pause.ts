import { setTimeout as sleep } from 'node:timers/promises';

/** Waits, but not after the signal. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
