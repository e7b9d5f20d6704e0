import { now } from './clock.js';
import { durationText, exactTime, shortTime, timeOf } from './format.js';

/** A moment; the exact one is under the pointer. */
export function Time({ at }: { at: string | null | undefined }) {
  if (at === null || at === undefined) return <span class="faint">–</span>;
  const moment = timeOf(at);
  return (
    <time dateTime={new Date(moment).toISOString()} title={exactTime(moment)}>
      {shortTime(moment, now.value)}
    </time>
  );
}

/** How long something took, or takes so far. */
export function Duration({ from, to }: { from: string | null | undefined; to: string | null | undefined }) {
  if (from === null || from === undefined) return <span class="faint">–</span>;
  const end = to === null || to === undefined ? now.value : timeOf(to);
  return <span class="nowrap">{durationText(Math.max(0, end - timeOf(from)))}</span>;
}
