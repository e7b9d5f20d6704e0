import { useCallback } from 'preact/hooks';
import type { GraphList, GraphState } from '../../../../src/client/types.js';
import { get } from '../../api/http.js';
import { BulkBar } from '../../list/bulk-bar.js';
import { bulkCall } from '../../list/bulk-call.js';
import { FilterBar } from '../../list/filter-bar.js';
import { timesOf, useFilters } from '../../list/filters.js';
import { type Column, ListTable } from '../../list/list-table.js';
import { NameCell } from '../../list/name-cell.js';
import { Pager } from '../../list/pager.js';
import { type ReadPage, useRows } from '../../list/use-rows.js';
import { useSummary } from '../../list/use-summary.js';
import { CountBar } from '../../ui/count-bar.js';
import { ErrorNote } from '../../ui/error-note.js';
import { Icon } from '../../ui/icon.js';
import { StateBadge } from '../../ui/state-badge.js';
import { Duration, Time } from '../../ui/time.js';
import { useTitle } from '../../ui/title.js';

/** All graphs, live, newest first. */
export function GraphsView() {
  useTitle('Graphs');
  const control = useFilters();
  const { filters } = control;
  const read = useCallback<ReadPage<GraphState>>(
    async (from, signal) => {
      const query = { state: filters.state, name_contains: filters.q, ...timesOf(filters), ...from };
      const { graphs, next } = await get<GraphList>('/graphs', query, { signal });
      return { rows: graphs, next };
    },
    [filters],
  );
  const { page, error, refresh, selection, marked, selectAll } = useRows(filters, read, idOf);
  const counts = useSummary('graphs', page !== null);
  const narrowed = Object.values(filters).some((value) => value !== '');

  return (
    <>
      <div class="view-head">
        <h1>Graphs</h1>
        <a class="button primary" href="/ui/graphs/new">
          <Icon name="plus" />
          New graph
        </a>
      </div>
      <div class="stack">
        <FilterBar
          control={control}
          states={[
            { value: '', words: 'All', count: counts?.all },
            { value: 'open', words: 'Open', count: counts?.open },
            { value: 'succeeded', words: 'Succeeded', count: counts?.success },
            { value: 'failed', words: 'Failed', count: counts?.failure },
            { value: 'revoked', words: 'Cancelled', count: counts?.revoked },
          ]}
        />
        <BulkBar
          what="graph"
          selected={marked.length}
          onSelectAll={selectAll}
          onClear={selection.clear}
          onDone={() => {
            selection.clear();
            refresh();
          }}
          actions={[
            {
              words: 'Cancel',
              icon: 'cancel',
              done: 'cancelled',
              ids: marked.filter(({ state }) => !ended.has(state)).map(({ id }) => id),
              act: (ids) => bulkCall('graphs', 'cancel', ids),
            },
            {
              words: 'Run again what failed',
              icon: 'retry',
              done: 'sent again',
              ids: marked.filter(({ state }) => ended.has(state)).map(({ id }) => id),
              act: (ids) => bulkCall('graphs', 'retry', ids),
            },
          ]}
        />
        {error !== null && <ErrorNote error={error} onRetry={refresh} />}
        {page !== null && page.rows.length === 0 ? (
          <div class="card empty">
            <h2>{narrowed ? 'No graph is like this' : 'No graphs yet'}</h2>
            <p>
              {narrowed ? <a href="/ui/graphs">Show all graphs</a> : <a href="/ui/graphs/new">Send the first one</a>}
            </p>
          </div>
        ) : (
          <ListTable
            caption="Graphs"
            rows={page?.rows ?? []}
            columns={columns}
            idOf={idOf}
            nameOf={({ id, name }) => name ?? id}
            selection={selection}
          />
        )}
        {page !== null && <Pager control={control} next={page.next} />}
      </div>
    </>
  );
}

const idOf = ({ id }: GraphState) => id;
const ended = new Set<string>(['succeeded', 'failed', 'revoked']);

const columns: readonly Column<GraphState>[] = [
  { title: 'State', className: 'state', cell: ({ state }) => <StateBadge state={state} /> },
  {
    title: 'Name',
    className: 'name',
    cell: ({ id, name, workflow, mode }) => (
      <NameCell href={`/ui/graphs/${id}`} name={name ?? workflow?.name ?? id}>
        {workflow !== null && `workflow ${workflow.name} `}
        {mode === 'open' && 'open for more nodes '}
        <span class="mono">{id}</span>
      </NameCell>
    ),
  },
  { title: 'Nodes', className: 'counts', cell: ({ counts }) => <CountBar counts={counts} /> },
  { title: 'Requested', className: 'nowrap', cell: ({ time_info: { request } }) => <Time at={request} /> },
  {
    title: 'Took',
    className: 'number',
    cell: ({ time_info: { started, stopped } }) => <Duration from={started} to={stopped} />,
  },
];
