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

export function useSummary(kind: keyof Summary): (Counts & { readonly all: number }) | null {
  const { data } = useLive(ask, { everyMs: 4000 });
  if (data === null) return null;
  const counts = data[kind];
  return { ...counts, all: counts.open + counts.success + counts.failure + counts.revoked };
}
