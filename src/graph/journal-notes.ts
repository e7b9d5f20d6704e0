import type { JournalNote } from './events.js';

/** The journal's word for a changed limit. */
export function limited(max: number | null, n: number): JournalNote {
  return { type: 'limited', ...(max === null ? {} : { count: max }), n };
}
