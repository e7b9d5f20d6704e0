import { get } from '../api/http.js';
import { useLive } from '../ui/use-live.js';

interface Counts {
  readonly open: number;
  readonly success: number;
  readonly failure: number;
  readonly revoked: number;
}

export interface Summary {
  readonly jobs: Counts;
  readonly graphs: Counts;
}

const ask = (signal: AbortSignal) => get<Summary>('/summary', {}, { signal });
const wait = () => Promise.resolve(null);

/** @param ready what matters more is there: counting a hundred thousand jobs would delay it */
export function useSummary(kind: keyof Summary, ready: boolean): (Counts & { readonly all: number }) | null {
  const { data } = useLive<Summary | null>(ready ? ask : wait, { everyMs: 5000 });
  if (data === null) return null;
  const counts = data[kind];
  return { ...counts, all: counts.open + counts.success + counts.failure + counts.revoked };
}
