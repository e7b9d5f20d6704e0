import type { System } from './system.js';

/** Our system, as `npm start` runs it. */
export function ours(): System {
  return {
    key: 'ours',
    label: 'ours',
    start: () => Promise.reject(new Error('not there yet')),
  };
}
