import { useEffect, useState } from 'preact/hooks';

/** Rows that somebody has marked. Kept while the list changes by itself and from page to page, dropped with other filters. */
export interface Selection<Row> {
  /** As they were when they were marked, by id. */
  readonly rows: ReadonlyMap<string, Row>;
  readonly set: (rows: readonly Row[], on: boolean) => void;
  readonly clear: () => void;
}

export function useSelection<Row>(list: string, idOf: (row: Row) => string): Selection<Row> {
  const [rows, setRows] = useState<ReadonlyMap<string, Row>>(new Map());
  // biome-ignore lint/correctness/useExhaustiveDependencies: another list
  useEffect(() => setRows(new Map()), [list]);
  const set = (changed: readonly Row[], on: boolean) => {
    setRows((before) => {
      const next = new Map(before);
      for (const row of changed) {
        if (on) next.set(idOf(row), row);
        else next.delete(idOf(row));
      }
      return next;
    });
  };
  return { rows, set, clear: () => setRows(new Map()) };
}
