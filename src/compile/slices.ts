import { setImmediate } from 'node:timers/promises';

/** Work that can be laid down between its pieces: it yields after each. */
export type Pieces<T> = Generator<void, T>;

/** Another request needs many turns (the share, Temporal), and has to wait for a slice each time. */
const sliceMs = 5;

/** Does the work in slices, between which everybody else has a turn. */
export async function inSlices<T>(work: Pieces<T>): Promise<T> {
  let end = performance.now() + sliceMs;
  for (;;) {
    const piece = work.next();
    if (piece.done === true) return piece.value;
    if (performance.now() < end) continue;
    await setImmediate();
    end = performance.now() + sliceMs;
  }
}

/** For work that is known to be small. */
export function atOnce<T>(work: Pieces<T>): T {
  for (;;) {
    const piece = work.next();
    if (piece.done === true) return piece.value;
  }
}
