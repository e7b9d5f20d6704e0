import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Selection } from './selection.js';

export interface Column<Row> {
  readonly title: string;
  readonly className?: string;
  readonly cell: (row: Row) => ComponentChildren;
}

/** Rows with a mark before each. */
export function ListTable<Row>({
  caption,
  rows,
  columns,
  idOf,
  nameOf,
  selection,
}: {
  caption: string;
  rows: readonly Row[];
  columns: readonly Column<Row>[];
  idOf: (row: Row) => string;
  nameOf: (row: Row) => string;
  selection: Selection<Row>;
}) {
  const marked = rows.filter((row) => selection.rows.has(idOf(row))).length;
  const head = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (head.current !== null) head.current.indeterminate = marked > 0 && marked < rows.length;
  });
  return (
    <div class="card table-scroll">
      <table class="list">
        <caption class="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            <th class="mark">
              <input
                ref={head}
                type="checkbox"
                aria-label="Select all on this page"
                checked={rows.length > 0 && marked === rows.length}
                onChange={(event) => selection.set(rows, event.currentTarget.checked)}
              />
            </th>
            {columns.map(({ title, className }) => (
              <th key={title} scope="col" class={className}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => {
            const id = idOf(row);
            const on = selection.rows.has(id);
            return (
              <tr key={id} data-marked={on}>
                <td class="mark">
                  <input
                    type="checkbox"
                    aria-label={`Select ${nameOf(row)}`}
                    checked={on}
                    onChange={(event) => selection.set([row], event.currentTarget.checked)}
                  />
                </td>
                {columns.map(({ title, className, cell }) => (
                  <td key={title} class={className}>
                    {cell(row)}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
