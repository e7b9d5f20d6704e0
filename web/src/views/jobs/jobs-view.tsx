import { useCallback, useMemo } from 'preact/hooks';
import type { JobRow } from '../../../../src/api/schemas/jobs.js';
import type { QueueList } from '../../../../src/client/types.js';
import { get } from '../../api/http.js';
import { hasEnded } from '../../job/use-job.js';
import { BulkBar } from '../../list/bulk-bar.js';
import { bulkCall } from '../../list/bulk-call.js';
import { FilterBar } from '../../list/filter-bar.js';
import { type FilterControl, timesOf, useFilters } from '../../list/filters.js';
import { type Column, ListTable } from '../../list/list-table.js';
import { NameCell } from '../../list/name-cell.js';
import { Pager } from '../../list/pager.js';
import { type Page, type ReadPage, useRows } from '../../list/use-rows.js';
import { useSummary } from '../../list/use-summary.js';
import { ErrorNote } from '../../ui/error-note.js';
import { Icon } from '../../ui/icon.js';
import { ProgressBar } from '../../ui/progress-bar.js';
import { StateBadge } from '../../ui/state-badge.js';
import { Duration, Time } from '../../ui/time.js';
import { useTitle } from '../../ui/title.js';
import { useLive } from '../../ui/use-live.js';

const statuses: Readonly<Record<string, readonly string[]>> = {
  open: ['PENDING', 'RUNNING', 'RETRY'],
  running: ['RUNNING'],
  waiting: ['PENDING', 'RETRY'],
  succeeded: ['SUCCESS'],
  failed: ['FAILURE'],
  cancelled: ['REVOKED'],
};

interface Answer {
  readonly jobs: readonly JobRow[];
  readonly next: string | null;
}

/** All jobs, live: those that have not ended first. */
export function JobsView() {
  useTitle('Jobs');
  const control = useFilters();
  const { filters } = control;
  const read = useCallback<ReadPage<JobRow>>((from, signal) => readPage(filters, from, signal), [filters]);
  const { page, error, refresh, selection, marked, selectAll } = useRows(filters, read, idOf);
  const counts = useSummary('jobs', page !== null);

  return (
    <>
      <div class="view-head">
        <h1>Jobs</h1>
        <a class="button primary" href="/ui/submit">
          <Icon name="plus" />
          New job
        </a>
      </div>
      <div class="stack">
        <FilterBar
          control={control}
          states={[
            { value: '', words: 'All', count: counts?.all },
            { value: 'open', words: 'Open', count: counts?.open },
            { value: 'running', words: 'Running' },
            { value: 'waiting', words: 'Waiting' },
            { value: 'succeeded', words: 'Succeeded', count: counts?.success },
            { value: 'failed', words: 'Failed', count: counts?.failure },
            { value: 'cancelled', words: 'Cancelled', count: counts?.revoked },
          ]}
        >
          <QueueFilter control={control} />
          <label class="inline-field">
            <input
              type="checkbox"
              checked={filters.graphs === 'yes'}
              onChange={(event) => control.change({ graphs: event.currentTarget.checked ? 'yes' : '' })}
            />
            with those of graphs
          </label>
        </FilterBar>
        <BulkBar
          what="job"
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
              ids: marked.filter(({ status }) => !hasEnded(status)).map(({ uuid }) => uuid),
              act: (ids) => bulkCall('jobs', 'cancel', ids),
            },
            {
              words: 'Run again',
              icon: 'retry',
              done: 'sent again',
              ids: marked.filter(({ status }) => hasEnded(status)).map(({ uuid }) => uuid),
              act: (ids) => bulkCall('jobs', 'retry', ids),
            },
          ]}
        />
        {error !== null && <ErrorNote error={error} onRetry={refresh} />}
        {page !== null && page.rows.length === 0 ? (
          <Nothing control={control} more={page.next !== null} />
        ) : (
          <ListTable
            caption="Jobs"
            rows={page?.rows ?? []}
            columns={columns}
            idOf={idOf}
            nameOf={({ name, process, uuid }) => name ?? `${process} ${uuid}`}
            selection={selection}
          />
        )}
        {page !== null && <Pager control={control} next={page.next} />}
      </div>
    </>
  );
}

const idOf = ({ uuid }: JobRow) => uuid;

async function readPage(
  filters: FilterControl['filters'],
  { cursor: from, limit }: Parameters<ReadPage<JobRow>>[0],
  signal?: AbortSignal,
): Promise<Page<JobRow>> {
  const query = {
    view: 'table',
    status: statuses[filters.state] ?? [],
    name_contains: filters.q,
    queue: filters.queue,
    in_graphs: filters.graphs === 'yes' ? null : 'false',
    ...timesOf(filters),
  };
  const rows: JobRow[] = [];
  let cursor: string | null = from;
  // A page may be shorter than asked for, even empty, when names are rare: a few more make it whole.
  for (let tries = 0; cursor !== null && rows.length < limit && tries < 4; tries += 1) {
    const page: Answer = await get<Answer>('/jobs', { ...query, limit: limit - rows.length, cursor }, { signal });
    rows.push(...page.jobs);
    cursor = page.next;
  }
  return { rows, next: cursor };
}

const columns: readonly Column<JobRow>[] = [
  {
    title: 'State',
    className: 'state',
    cell: ({ status, progress }) => (
      <>
        <StateBadge state={status} progress={progress} />
        {status === 'RUNNING' && <ProgressBar value={progress} label="Progress" />}
      </>
    ),
  },
  {
    title: 'Name',
    className: 'name',
    cell: ({ uuid, name, process, graph }) => (
      <NameCell href={`/ui/jobs/${uuid}`} name={name ?? process ?? uuid}>
        {graph !== null && (
          <>
            <a href={`/ui/graphs/${graph}`}>graph</a>{' '}
          </>
        )}
        <span class="mono">{uuid}</span>
      </NameCell>
    ),
  },
  { title: 'Process', cell: ({ process }) => process },
  { title: 'Queue', cell: ({ queue }) => queue },
  {
    title: 'Worker',
    cell: ({ worker, attempts }) => (
      <>
        {worker}
        {worker !== null && attempts > 1 && <div class="faint small-text nowrap">attempt {attempts}</div>}
      </>
    ),
  },
  { title: 'Requested', className: 'nowrap', cell: ({ requested }) => <Time at={requested} /> },
  { title: 'Took', className: 'number', cell: ({ started, stopped }) => <Duration from={started} to={stopped} /> },
];

function QueueFilter({ control: { filters, change } }: { control: FilterControl }) {
  const { data } = useLive(askQueues, { everyMs: 30_000 });
  const names = useMemo(() => {
    const known = (data?.queues ?? []).filter(({ service }) => !service).map(({ queue }) => queue);
    return [...new Set([...known, ...(filters.queue === '' ? [] : [filters.queue])])];
  }, [data, filters.queue]);
  return (
    <>
      <label class="visually-hidden" for="filter-queue">
        Queue
      </label>
      <select
        id="filter-queue"
        value={filters.queue}
        onChange={(event) => change({ queue: event.currentTarget.value })}
      >
        <option value="">Any queue</option>
        {names.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </>
  );
}

const askQueues = (signal: AbortSignal) => get<QueueList>('/queues', {}, { signal });

function Nothing({ control: { filters }, more }: { control: FilterControl; more: boolean }) {
  const narrowed = Object.entries(filters).some(([name, value]) => name !== 'graphs' && value !== '');
  return (
    <div class="card empty">
      <h2>{narrowed ? 'No job is like this' : 'No jobs yet'}</h2>
      {more && <p>None so far: the next page looks further back.</p>}
      {narrowed ? (
        <p>
          <a href="/ui/jobs">Show all jobs</a>
        </p>
      ) : (
        <p>
          <a href="/ui/submit">Send the first one</a>
        </p>
      )}
    </div>
  );
}
