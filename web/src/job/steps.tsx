import { useEffect, useRef } from 'preact/hooks';
import type { JobDetails } from '../../../src/client/types.js';
import { now } from '../ui/clock.js';
import { durationText, timeOf } from '../ui/format.js';

/** What the script said it does, with how long each step took. */
export function Steps({
  steps,
  started,
  running,
}: {
  steps: NonNullable<JobDetails['steps']>;
  started: string | null;
  running: boolean;
}) {
  const known = steps.reduce((sum, { duration }) => sum + Math.max(0, duration), 0);
  const lasting = (duration: number): number | null => {
    if (duration >= 0) return duration;
    if (!running || started === null) return null;
    return Math.max(0, (now.value - timeOf(started)) / 1000 - known);
  };
  const all = steps.map(({ info, duration }) => ({ info, seconds: lasting(duration), open: duration < 0 }));
  const longest = Math.max(0.001, ...all.map(({ seconds }) => seconds ?? 0));
  // The newest is what is looked for; many make the list scroll, which the keyboard has to reach.
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    if (running && list.current !== null) list.current.scrollTop = list.current.scrollHeight;
  }, [steps.length, running]);
  return (
    <ol ref={list} class="steps" tabIndex={steps.length > 10 ? 0 : undefined} aria-label="Steps">
      {all.map(({ info, seconds, open }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: steps are only ever added at the end
        <li key={index} data-open={open && running}>
          <span class="step-info">{info || `Step ${index + 1}`}</span>
          <span class="step-time">{seconds === null ? 'not ended' : durationText(seconds * 1000)}</span>
          <span class="step-bar" style={{ '--share': (seconds ?? 0) / longest }} aria-hidden="true" />
        </li>
      ))}
    </ol>
  );
}
