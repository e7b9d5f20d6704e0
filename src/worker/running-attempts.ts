import type { RunningAttempt } from '../contract/worker-report.js';

/** What this worker runs now, and how many attempts it has ended. */
export class RunningAttempts {
  readonly #running = new Set<RunningAttempt>();
  readonly tasks = { succeeded: 0, failed: 0 };

  /** In the order in which they began. */
  get list(): readonly RunningAttempt[] {
    return [...this.#running];
  }

  /** @returns call it when the attempt has ended */
  begin(attempt: RunningAttempt): () => void {
    this.#running.add(attempt);
    return () => this.#running.delete(attempt);
  }

  ended(outcome: string): void {
    this.tasks[outcome === 'succeeded' ? 'succeeded' : 'failed'] += 1;
  }
}
