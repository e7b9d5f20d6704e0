import { EngineError } from '../../errors/engine-error.js';

/**
 * Whether a start that failed may have reached Temporal all the same: no answer came, and what was asked may have been done
 * before the answer was lost. Any other fault is an answer: nothing was started.
 *
 * What is done with what was committed:
 * - after an answer it is taken back, and a repeat begins from nothing;
 * - without one, and without an Idempotency-Key, it is taken back too: the client cannot ask for *this* job again and will
 *   make another one, and a run that did begin finds no folder and ends;
 * - without one, and with a key, it is kept: the repeat finds it, starts it again (which changes nothing where the first
 *   start arrived), and gets its answer. A key makes the id, and an id names one run for ever, so a job that was taken
 *   back here could never be had again. One that nobody comes back for is swept away after a day.
 */
export function mayHaveStarted(error: unknown): boolean {
  return error instanceof EngineError && error.code === 'UNAVAILABLE';
}
