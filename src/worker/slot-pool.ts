import type { ActivitySlotInfo, CustomSlotSupplier } from '@temporalio/worker';

/**
 * The slots of a worker, shared by all its compute queues.
 *
 * Temporal reserves a slot before it polls, so one slot shared by six queues would leave five of them unwatched. Here
 * a poll needs only a *free* slot, not one of its own: every queue polls while any slot is free, and a script takes its
 * slot when it has arrived ({@link acquire}). When two arrive at once for one slot, the second waits for `holdMs` and is then
 * given back to its queue, where another worker, or this one later, takes it.
 *
 * Invariants:
 * 1. `used <= limit + lent` except for scripts that got their slot back from a wait (they are not made to wait twice).
 * 2. No queue starts a poll while no slot is free.
 * 3. After {@link close}, nothing is granted any more.
 */
export class SlotPool {
  readonly limit: number;
  readonly #holdMs: number;
  #used = 0;
  /** Tasks that Temporal has handed to this worker and that it has not heard the end of: at least the used ones. */
  #arrived = 0;
  #lent = 0;
  #left: number;
  #closed = false;
  readonly #takers: (() => void)[] = [];
  readonly #polls = new Set<PollGate>();
  readonly #onExhausted: () => void;

  /**
   * @param options.limit scripts at the same time
   * @param options.holdMs how long an arrived task may wait for a slot
   * @param options.tasks grants in all before the pool closes itself; 0: no end
   */
  constructor(options: {
    readonly limit: number;
    readonly holdMs: number;
    readonly tasks: number;
    readonly onExhausted: () => void;
  }) {
    this.limit = options.limit;
    this.#holdMs = options.holdMs;
    this.#left = options.tasks === 0 ? Number.POSITIVE_INFINITY : options.tasks;
    this.#onExhausted = options.onExhausted;
  }

  get stats(): { readonly limit: number; readonly used: number; readonly lent: number } {
    return { limit: this.limit, used: this.#used, lent: this.#lent };
  }

  get #exhausted(): boolean {
    return this.#closed || this.#left <= 0;
  }

  get #hasSlot(): boolean {
    return !this.#exhausted && this.#used < this.limit + this.#lent;
  }

  /** @internal How many more tasks may be asked for. */
  get wanted(): number {
    return this.#exhausted ? 0 : Math.max(0, this.limit + this.#lent - Math.max(this.#used, this.#arrived));
  }

  /** A slot for a task that has arrived; null when none came free in time. */
  async acquire(): Promise<Slot | null> {
    if (!this.#hasSlot && (this.#exhausted || !(await this.#comesFree()))) return null;
    this.#used += 1;
    this.#left -= 1;
    if (this.#left === 0) this.#onExhausted();
    return new Slot(this);
  }

  /** Grants nothing from now on; what runs goes on. */
  close(): void {
    this.#closed = true;
    for (const taker of this.#takers.splice(0)) taker();
  }

  #comesFree(): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (granted: boolean): void => {
        clearTimeout(timer);
        const at = this.#takers.indexOf(wake);
        if (at >= 0) this.#takers.splice(at, 1);
        resolve(granted);
      };
      const wake = (): void => done(this.#hasSlot);
      const timer = setTimeout(() => done(false), this.#holdMs);
      this.#takers.push(wake);
    });
  }

  /** @internal */
  release(): void {
    this.#used -= 1;
    this.#wake();
  }

  /** @internal */
  lend(by: 1 | -1): void {
    this.#lent += by;
    if (by === 1) this.#wake();
  }

  #wake(): void {
    // A task that is here goes before one that would have to be fetched.
    if (this.#hasSlot) this.#takers.shift()?.();
    if (this.wanted > 0) for (const gate of this.#polls) gate.wake();
  }

  /** @internal */
  arrived(by: 1 | -1): void {
    this.#arrived += by;
    if (by === -1) this.#wake();
  }

  /** The slot supplier of one queue's Temporal worker. */
  supplier(): CustomSlotSupplier<ActivitySlotInfo> {
    const gate = new PollGate(this);
    this.#polls.add(gate);
    return gate;
  }
}

/** One script's slot. */
export class Slot {
  readonly #pool: SlotPool;
  #lent = false;
  #released = false;

  constructor(pool: SlotPool) {
    this.#pool = pool;
  }

  /** The script waits for other jobs: its slot serves somebody else meanwhile. */
  lend(): void {
    if (this.#lent || this.#released) return;
    this.#lent = true;
    this.#pool.lend(1);
  }

  /** It runs again. */
  resume(): void {
    if (!this.#lent) return;
    this.#lent = false;
    this.#pool.lend(-1);
  }

  release(): void {
    if (this.#released) return;
    this.resume();
    this.#released = true;
    this.#pool.release();
  }
}

/** Lets one queue poll while the pool has a free slot; holds at most as many polls open as there are free slots. */
class PollGate implements CustomSlotSupplier<ActivitySlotInfo> {
  readonly type = 'custom';
  readonly #pool: SlotPool;
  readonly #waiting: (() => void)[] = [];
  /** Permits out that no task has come for yet. */
  #open = 0;

  constructor(pool: SlotPool) {
    this.#pool = pool;
  }

  async reserveSlot(_context: unknown, abort: AbortSignal): Promise<PollPermit> {
    while (this.#pool.wanted <= this.#open) await this.#woken(abort);
    this.#open += 1;
    return { arrived: false };
  }

  tryReserveSlot(): PollPermit | null {
    if (this.#pool.wanted <= this.#open) return null;
    this.#open += 1;
    return { arrived: false };
  }

  markSlotUsed(context: { readonly permit: object }): void {
    (context.permit as PollPermit).arrived = true;
    this.#open -= 1;
    this.#pool.arrived(1);
  }

  releaseSlot(context: { readonly permit: object }): void {
    if ((context.permit as PollPermit).arrived) {
      this.#pool.arrived(-1);
    } else {
      this.#open -= 1;
      this.wake();
    }
  }

  wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #woken(abort: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        const at = this.#waiting.indexOf(wake);
        if (at >= 0) this.#waiting.splice(at, 1);
        reject(abort.reason);
      };
      const wake = (): void => {
        abort.removeEventListener('abort', onAbort);
        resolve();
      };
      if (abort.aborted) return reject(abort.reason);
      abort.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(wake);
    });
  }
}

interface PollPermit {
  arrived: boolean;
}
