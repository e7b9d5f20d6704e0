import { setTimeout as sleep } from 'node:timers/promises';

/** Waits, but not after the signal. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

const soonMs = 10;

/**
 * How long to wait before the next look at something that others change. Short work is over in some milliseconds, and a change
 * is often followed by another: so looks are close together at first and after each change, and get rarer up to `mostMs`.
 */
export class Pace {
  readonly #mostMs: number;
  #ms: number;

  constructor(mostMs: number) {
    this.#mostMs = mostMs;
    this.#ms = Math.min(soonMs, mostMs);
  }

  changed(): void {
    this.#ms = Math.min(soonMs, this.#mostMs);
  }

  async pause(signal: AbortSignal, atMostMs = Number.POSITIVE_INFINITY): Promise<void> {
    await pause(Math.min(this.#ms, atMostMs), signal);
    this.#ms = Math.min(this.#ms * 1.5, this.#mostMs);
  }
}
