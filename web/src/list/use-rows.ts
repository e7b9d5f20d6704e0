import { useCallback } from 'preact/hooks';
import { useLive } from '../ui/use-live.js';
import type { Filters } from './filters.js';
import { type Selection, useSelection } from './selection.js';

const pageSize = 50;
/** More at once nobody can mean to look at. */
export const mostSelected = 500;
const gatheredAtOnce = 200;

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** Cursor of the next page; null: this is the last. */
  readonly next: string | null;
}

/** @param from where the page begins, and how many rows it has at most */
export type ReadPage<Row> = (
  from: { readonly cursor: string; readonly limit: number },
  signal?: AbortSignal,
) => Promise<Page<Row>>;

export interface Rows<Row> {
  /** null: not read yet. */
  readonly page: Page<Row> | null;
  readonly error: Error | null;
  readonly refresh: () => void;
  readonly selection: Selection<Row>;
  /** Those that are selected, as they are now where they are in sight. */
  readonly marked: readonly Row[];
  /** Selects what the filters let through, on all pages, up to {@link mostSelected}; null: there is no other page. */
  readonly selectAll: (() => Promise<void>) | null;
}

/** A page of a list, live, and what is selected of the list. @param read another function is another list */
export function useRows<Row>(filters: Filters, read: ReadPage<Row>, idOf: (row: Row) => string): Rows<Row> {
  const { after, ...narrowed } = filters;
  const ask = useCallback((signal: AbortSignal) => read({ cursor: after, limit: pageSize }, signal), [read, after]);
  const { data: page, error, refresh } = useLive(ask, { everyMs: 2000, keep: true });
  const selection = useSelection(JSON.stringify(narrowed), idOf);
  const inSight = new Map(page?.rows.map((row) => [idOf(row), row]));
  const marked = [...selection.rows].map(([id, row]) => inSight.get(id) ?? row);
  const selectAll = async () => {
    const found: Row[] = [];
    for (let cursor: string | null = ''; cursor !== null && found.length < mostSelected; ) {
      const limit = Math.min(gatheredAtOnce, mostSelected - found.length);
      const more: Page<Row> = await read({ cursor, limit });
      found.push(...more.rows);
      cursor = more.next;
    }
    selection.set(found, true);
  };
  const isAll = page === null || (page.next === null && after === '');
  return { page, error, refresh, selection, marked, selectAll: isAll ? null : selectAll };
}
