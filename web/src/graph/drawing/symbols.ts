import type { StateName } from '../model/states.js';

/**
 * The symbol of each state, within a circle of radius 8 around the origin. Shapes differ, not only colours: a disc with a tick,
 * an octagon with a cross, a ring that is half full … The elements of the page and the canvas draw the same paths.
 */
export interface StateSymbol {
  /** Filled with the colour of the state. */
  readonly fill: string | null;
  /** A line over it: cut out of a full shape, else in the colour of the state. */
  readonly line: string | null;
  readonly cutOut: boolean;
}

function circle(radius: number): string {
  const half = `A${radius} ${radius} 0 1 1`;
  return `M${-radius} 0${half} ${radius} 0${half} ${-radius} 0Z`;
}

export const symbols: Readonly<Record<StateName, StateSymbol>> = {
  waiting: { fill: null, line: circle(6.5), cutOut: false },
  queued: { fill: null, line: `${circle(6.5)}M0 -3.5V0L2.5 2`, cutOut: false },
  running: { fill: 'M0 -7A7 7 0 0 1 0 7Z', line: circle(7), cutOut: false },
  succeeded: { fill: circle(8), line: 'M-3.5 0.5L-1 3L3.5 -2.5', cutOut: true },
  failed: { fill: 'M-3.5 -8H3.5L8 -3.5V3.5L3.5 8H-3.5L-8 3.5V-3.5Z', line: 'M-3 -3L3 3M3 -3L-3 3', cutOut: true },
  revoked: { fill: null, line: `${circle(6.5)}M-4.5 -4.5L4.5 4.5`, cutOut: false },
  skipped: { fill: null, line: 'M-6 -5L-1 0L-6 5M0 -5L5 0L0 5', cutOut: false },
};
