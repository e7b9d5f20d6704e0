import type { Readiness } from '../../../src/client/client.js';
import { useLive } from './use-live.js';

/** Whether jobs can be accepted, from every view. */
export function SystemState() {
  const { data, error } = useLive(readiness, { everyMs: 10_000 });
  const problems = data === null ? [] : Object.entries(data.parts).filter(([, { ok }]) => !ok);
  const state = error !== null ? 'down' : data === null ? 'unknown' : data.ready ? 'ready' : 'impaired';
  const words = { down: 'no connection', unknown: '…', ready: 'ready', impaired: 'not ready' }[state];
  const detail = error?.message ?? problems.map(([part, { detail: text }]) => `${part}: ${text}`).join('; ');
  return (
    <span class="system-state" data-state={state} role="status" title={detail || 'Jobs are accepted'}>
      <span class="visually-hidden">System: </span>
      {words}
      {detail !== '' && <span class="visually-hidden">: {detail}</span>}
    </span>
  );
}

/** Answers 503 with the same facts when something is missing. */
async function readiness(signal: AbortSignal): Promise<Readiness> {
  const answer = await fetch('/readyz', { signal });
  return (await answer.json()) as Readiness;
}
