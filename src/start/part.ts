import { setTimeout as sleep } from 'node:timers/promises';

/** One running process of the system, however it was started. */
export interface RunningPart {
  /** What the terminal says once it is up: an address, the queues. */
  readonly detail: string;
  /** Resolves with the reason when it has ended, asked or not. */
  readonly exited: Promise<string>;
  /** Asks it to end, and makes it after the grace. */
  stop(graceSeconds: number): Promise<void>;
}

export interface Part {
  readonly name: string;
  /** Resolves when it is up. @throws with what to tell the user when it cannot start, or is not wanted any more. */
  start(unwanted: AbortSignal): Promise<RunningPart>;
}

const firstPauseMs = 500;
const longestPauseMs = 15_000;
/** Up for so long, and the next death is a new story. */
const steadyMs = 60_000;

/**
 * Keeps a part running: one that ends without being asked to is started again, with growing pauses. The first start is
 * the caller's: if that one fails, nothing is retried.
 */
export class KeptPart {
  readonly name: string;
  #running: RunningPart | null = null;
  #stopping = false;
  readonly #aborted = new AbortController();
  #watching: Promise<void> = Promise.resolve();
  readonly #part: Part;
  readonly #say: (text: string) => void;

  constructor(part: Part, say: (text: string) => void) {
    this.name = part.name;
    this.#part = part;
    this.#say = say;
  }

  async start(): Promise<RunningPart> {
    const running = await this.#part.start(this.#aborted.signal);
    if (this.#stopping) {
      await running.stop(1);
      return running;
    }
    this.#running = running;
    this.#watching = this.#watch(running);
    return running;
  }

  async #watch(first: RunningPart): Promise<void> {
    let running = first;
    let pauseMs = firstPauseMs;
    for (;;) {
      const since = Date.now();
      const reason = await running.exited;
      this.#running = null;
      if (this.#stopping) return;
      if (Date.now() - since > steadyMs) pauseMs = firstPauseMs;
      for (let why = `ended (${reason})`; ; ) {
        this.#say(`${this.name} ${why}; starting it again in ${pauseMs / 1000} s`);
        await sleep(pauseMs, undefined, { signal: this.#aborted.signal }).catch(() => {});
        pauseMs = Math.min(pauseMs * 2, longestPauseMs);
        if (this.#stopping) return;
        try {
          running = await this.#part.start(this.#aborted.signal);
          break;
        } catch (error) {
          why = `did not start: ${(error as Error).message}`;
        }
      }
      if (this.#stopping) {
        await running.stop(1);
        return;
      }
      this.#running = running;
      this.#say(`${this.name} is up again`);
    }
  }

  async stop(graceSeconds: number): Promise<void> {
    this.#stopping = true;
    this.#aborted.abort();
    await this.#running?.stop(graceSeconds);
    await this.#watching;
  }
}
