import { useMemo, useState } from 'preact/hooks';
import { now } from '../../ui/clock.js';
import { durationText, exactTime, numberText } from '../../ui/format.js';
import { OutcomeBadge } from '../../ui/state-badge.js';
import type { Bar } from './rows.js';

const pageSize = 100;

export function AttemptsTable({
  bars,
  onSelect,
}: {
  bars: ReadonlyMap<string, readonly Bar[]>;
  onSelect: (node: number) => void;
}) {
  const rows = useMemo(
    () =>
      [...bars].flatMap(([worker, list]) => list.map((bar) => ({ worker, ...bar }))).sort((a, b) => a.from - b.from),
    [bars],
  );
  const [page, setPage] = useState(0);
  const from = Math.min(page * pageSize, Math.max(0, rows.length - 1));
  return (
    <div class="card">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard has to get there */}
      <div class="table-scroll" tabIndex={0} role="region" aria-label="Attempts by time">
        <table>
          <caption class="visually-hidden">Attempts in the order in which they began</caption>
          <thead>
            <tr>
              <th scope="col">Node</th>
              <th scope="col">Worker</th>
              <th scope="col">Queue</th>
              <th scope="col" class="number">
                Attempt
              </th>
              <th scope="col">Began</th>
              <th scope="col" class="number">
                Took
              </th>
              <th scope="col">Ended</th>
            </tr>
          </thead>
          <tbody>
            {rows.slice(from, from + pageSize).map((bar) => (
              <tr key={`${bar.node}.${bar.attempt}`}>
                <th scope="row">
                  <button type="button" class="link" onClick={() => onSelect(bar.node)}>
                    {bar.title}
                  </button>
                </th>
                <td>{bar.worker}</td>
                <td>{bar.queue}</td>
                <td class="number">{bar.attempt}</td>
                <td class="nowrap">{exactTime(bar.from)}</td>
                <td class="number nowrap">{durationText((bar.to ?? now.value) - bar.from)}</td>
                <td>
                  <OutcomeBadge outcome={bar.outcome} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > pageSize && (
        <nav class="pages" aria-label="Pages of attempts">
          <button type="button" class="small" disabled={page === 0} onClick={() => setPage(page - 1)}>
            Previous
          </button>
          <span class="soft">
            {numberText(from + 1)}–{numberText(Math.min(from + pageSize, rows.length))} of {numberText(rows.length)}
          </span>
          <button
            type="button"
            class="small"
            disabled={from + pageSize >= rows.length}
            onClick={() => setPage(page + 1)}
          >
            Next
          </button>
        </nav>
      )}
    </div>
  );
}
