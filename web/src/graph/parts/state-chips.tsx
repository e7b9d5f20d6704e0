import { numberText } from '../../ui/format.js';
import { bySeverity, type StateCounts, type StateName, wordOf } from '../model/states.js';
import { StateSymbol } from './state-symbol.js';

/** How many nodes are where: the legend of the drawing, and a choice of nodes to list. */
export function StateChips({
  counts,
  chosen,
  onChoose,
}: {
  counts: StateCounts;
  chosen: StateName | null;
  onChoose: (state: StateName) => void;
}) {
  return (
    <ul class="state-chips" aria-label="Nodes by state">
      {bySeverity
        .filter((state) => counts[state] > 0)
        .map((state) => (
          <li key={state}>
            <button type="button" class="small" aria-pressed={chosen === state} onClick={() => onChoose(state)}>
              <StateSymbol state={state} />
              {numberText(counts[state])} {wordOf(state)}
            </button>
          </li>
        ))}
    </ul>
  );
}
