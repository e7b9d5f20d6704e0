import { useEffect, useState } from 'preact/hooks';

/** Rows that somebody has marked. Kept while the list changes by itself, dropped when another list is looked at. */
export interface Selection {
  readonly ids: ReadonlySet<string>;
  readonly toggle: (id: string, on: boolean) => void;
  readonly setAll: (ids: readonly string[], on: boolean) => void;
  readonly clear: () => void;
}

export function useSelection(list: string): Selection {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  // biome-ignore lint/correctness/useExhaustiveDependencies: another list
  useEffect(() => setIds(new Set()), [list]);
  const setAll = (changed: readonly string[], on: boolean) => {
    setIds((before) => {
      const next = new Set(before);
      for (const id of changed) {
        if (on) next.add(id);
        else next.delete(id);
      }
      return next;
    });
  };
  return { ids, setAll, toggle: (id, on) => setAll([id], on), clear: () => setIds(new Set()) };
}
