import { useMemo, useState } from 'preact/hooks';
import type { Attempt } from '../../../../src/client/types.js';
import { now } from '../../ui/clock.js';
import { ErrorNote } from '../../ui/error-note.js';
import { numberText, plural, timeOf } from '../../ui/format.js';
import type { LiveGraph } from '../model/live-graph.js';
import { useAttempts } from '../parts/use-graph.js';
import { AttemptsTable } from './attempts-table.js';
import { type Bar, lanesOf } from './rows.js';
import { TimelineChart } from './timeline-chart.js';

/** Who did what when, as bars; the same as a table for those who cannot see bars. */
export function TimelineView({
  graph,
  selected,
  onSelect,
}: {
  graph: LiveGraph;
  selected: number | null;
  onSelect: (id: string) => void;
}) {
  const attempts = useAttempts(graph, true);
  const byNode = attempts.byNode.value;
  const [isTable, setTable] = useState(false);
  const bars = useMemo(() => barsOf(graph, byNode), [graph, byNode]);
  const isOver = graph.state.value?.time_info.stopped != null;
  const end = isOver ? 0 : now.value;
  const lanes = useMemo(() => lanesOf(bars, end), [bars, end]);
  const error = attempts.error.value;
  if (error !== null && bars.size === 0) return <ErrorNote error={error} />;
  const isRead = attempts.isRead.value;
  if (!isRead && bars.size === 0) return <p class="soft">Reading who ran what …</p>;
  if (bars.size === 0) return <p class="card empty">Nothing has run yet.</p>;
  const select = (number: number) => {
    const node = graph.model.node(number);
    if (node !== undefined) onSelect(node.id);
  };
  return (
    <div class="timeline">
      <div class="drawing-tools">
        <span class="soft">
          {plural(bars.size, 'worker')}, up to {plural(lanes.length, 'node')} at the same time
          {!isRead && `, reading the others: ${numberText(byNode.size)} of ${plural(graph.model.size, 'node')} …`}
        </span>
        <span class="drawing-zoom">
          <button type="button" class="small" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
            As a table
          </button>
        </span>
      </div>
      {isTable ? (
        <AttemptsTable bars={bars} onSelect={select} />
      ) : (
        <TimelineChart lanes={lanes} now={isOver ? null : now.value} selected={selected} onSelect={select} />
      )}
    </div>
  );
}

function barsOf(graph: LiveGraph, attempts: ReadonlyMap<number, readonly Attempt[]>): Map<string, Bar[]> {
  const byWorker = new Map<string, Bar[]>();
  for (const [node, list] of attempts) {
    const title = graph.model.node(node)?.label ?? String(node);
    for (const { attempt, worker, queue, startedAt, endedAt, outcome } of list) {
      const bar = {
        node,
        title,
        attempt,
        queue,
        outcome,
        from: timeOf(startedAt),
        to: endedAt === null ? null : timeOf(endedAt),
      };
      const bars = byWorker.get(worker);
      if (bars === undefined) byWorker.set(worker, [bar]);
      else bars.push(bar);
    }
  }
  return byWorker;
}
