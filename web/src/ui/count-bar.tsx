import type { GraphState } from '../../../src/client/types.js';
import { numberText, plural } from './format.js';
import { lookOf } from './states.js';

const order = ['succeeded', 'running', 'queued', 'failed', 'revoked', 'skipped', 'waiting'] as const;

/** How many nodes of a graph are where: as a bar, and in words. */
export function CountBar({ counts }: { counts: GraphState['counts'] }) {
  const parts = order.filter((state) => counts[state] > 0);
  const words = parts.map((state) => `${numberText(counts[state])} ${lookOf(state).words.toLowerCase()}`).join(', ');
  return (
    <div class="count-bar">
      <div class="count-bar-track" aria-hidden="true">
        {parts.map((state) => (
          <span key={state} data-tone={lookOf(state).tone} data-state={state} style={{ flexGrow: counts[state] }} />
        ))}
      </div>
      <div class="small-text soft">{words === '' ? plural(counts.total, 'node') : words}</div>
    </div>
  );
}
