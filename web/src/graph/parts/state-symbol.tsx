import { symbols } from '../drawing/symbols.js';
import { type StateName, toneOf } from '../model/states.js';

/** The symbol of a state, as the drawing has it. Words beside it say the same. */
export function StateSymbol({ state }: { state: StateName }) {
  const { fill, line, cutOut } = symbols[state];
  return (
    <svg class="state-symbol" data-tone={toneOf(state)} viewBox="-9 -9 18 18" aria-hidden="true" focusable="false">
      {fill !== null && <path class="state-symbol-fill" d={fill} />}
      {line !== null && <path class={cutOut ? 'state-symbol-cut' : 'state-symbol-line'} d={line} />}
    </svg>
  );
}
