import { useMemo } from 'preact/hooks';
import { useLocation } from 'preact-iso';

/** What a list is narrowed to. It stands in the address: to be kept, sent to somebody, and gone back to. */
export interface Filters {
  /** One of the states that the list offers; empty: all. */
  readonly state: string;
  /** A part of the name. */
  readonly q: string;
  readonly queue: string;
  /** `1h`, `24h`, `7d`, `30d`, `custom`, or empty: ever. */
  readonly time: string;
  /** Of a custom time, as local time of the reader. */
  readonly from: string;
  readonly to: string;
  /** `yes`: jobs of graphs, too. */
  readonly graphs: string;
  /** Where the page begins; empty: the first. */
  readonly after: string;
}

const names = ['state', 'q', 'queue', 'time', 'from', 'to', 'graphs', 'after'] as const;

export interface FilterControl {
  readonly filters: Filters;
  /** @param replace the way back does not lead to what is left, as for each letter that is typed */
  readonly change: (changes: Partial<Filters>, replace?: boolean) => void;
  /** The address with other filters, for links. */
  readonly addressOf: (changes: Partial<Filters>) => string;
}

export function useFilters(): FilterControl {
  const { query, path, route } = useLocation();
  return useMemo(() => {
    const filters = Object.fromEntries(names.map((name) => [name, query[name] ?? ''])) as unknown as Filters;
    const addressOf = (changes: Partial<Filters>) => {
      // Other filters make another list, which begins at its first page.
      const next = { ...filters, after: '', ...changes };
      const parameters = new URLSearchParams(
        names.filter((name) => next[name] !== '').map((name) => [name, next[name]]),
      );
      const text = parameters.toString();
      return text === '' ? path : `${path}?${text}`;
    };
    return { filters, addressOf, change: (changes, replace = false) => route(addressOf(changes), replace) };
  }, [query, path, route]);
}

const spans: Readonly<Record<string, number>> = {
  '1h': 3_600_000,
  '24h': 86_400_000,
  '7d': 604_800_000,
  '30d': 2_592_000_000,
};

/** The times for the API. */
export function timesOf({ time, from, to }: Filters): { readonly since?: string; readonly until?: string } {
  const span = spans[time];
  if (span !== undefined) return { since: new Date(Date.now() - span).toISOString() };
  if (time !== 'custom') return {};
  return {
    ...(from === '' ? {} : { since: new Date(from).toISOString() }),
    ...(to === '' ? {} : { until: new Date(to).toISOString() }),
  };
}
