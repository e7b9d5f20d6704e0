import { Icon } from './icon.js';
import { lookOf, outcomes } from './states.js';

/** The state of a job, node or graph; of one that runs with its progress. */
export function StateBadge({ state, progress }: { state: string; progress?: number | null }) {
  const { tone, icon, words } = lookOf(state);
  return (
    <span class="badge" data-tone={tone}>
      <Icon name={icon} />
      {words}
      {tone === 'run' && typeof progress === 'number' && <span class="badge-more">{progress} %</span>}
    </span>
  );
}

export function OutcomeBadge({ outcome }: { outcome: string | null }) {
  const { tone, words } = outcomes[outcome ?? ''] ?? { tone: 'run', words: outcome ?? 'running' };
  return (
    <span class="badge" data-tone={tone}>
      {words}
    </span>
  );
}
