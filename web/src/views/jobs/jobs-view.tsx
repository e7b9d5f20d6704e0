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
import { Pager } from '../../list/pager.js';
import { useSelection } from '../../list/selection.js';
import { useSummary } from '../../list/use-summary.js';
import { ErrorNote } from '../../ui/error-note.js';
import { Icon } from '../../ui/icon.js';
import { ProgressBar } from '../../ui/progress-bar.js';
import { StateBadge } from '../../ui/state-badge.js';
import { Duration, Time } from '../../ui/time.js';
import { useTitle } from '../../ui/title.js';
import { useLive } from '../../ui/use-live.js';

const pageSize = 50;

const statuses: Readonly<Record<string, readonly string[]>> = {
  open: ['PENDING', 'RUNNING', 'RETRY'],
  running: ['RUNNING'],
  waiting: ['PENDING', 'RETRY'],
  succeeded: ['SUCCESS'],
  failed: ['FAILURE'],
  cancelled: ['REVOKED'],
};

interface Page {
  readonly jobs: readonly JobRow[];
  readonly next: string | null;
}

/** All jobs, live: those that have not ended first. */
export function JobsView() {
  useTitle('Jobs');
  const control = useFilters();
  const { filters } = control;
  const ask = useCallback((signal: AbortSignal) => readPage(filters, signal), [filters]);
  const { data, error, refresh } = useLive(ask, { everyMs: 2000, keep: true });
  const selection = useSelection(JSON.stringify(filters));
  const counts = useSummary('jobs', data !== null);
  const rows = data?.jobs ?? [];
  const marked = rows.filter(({ uuid }) => selection.ids.has(uuid));

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
        {data !== null && rows.length === 0 ? (
          <Nothing control={control} more={data.next !== null} />
        ) : (
          <ListTable
            caption="Jobs"
            rows={rows}
            columns={columns}
            idOf={({ uuid }) => uuid}
            nameOf={({ name, process, uuid }) => name ?? `${process} ${uuid}`}
            selection={selection}
          />
        )}
        {data !== null && <Pager control={control} next={data.next} />}
      </div>
    </>
  );
}

async function readPage(filters: FilterControl['filters'], signal: AbortSignal): Promise<Page> {
  const query = {
    view: 'table',
    limit: pageSize,
    status: statuses[filters.state] ?? [],
    name_contains: filters.q,
    queue: filters.queue,
    in_graphs: filters.graphs === 'yes' ? null : 'false',
    ...timesOf(filters),
  };
  const jobs: JobRow[] = [];
  let cursor: string | null = filters.after;
  // A page may be shorter than asked for, even empty, when names are rare: a few more make it whole.
  for (let tries = 0; cursor !== null && jobs.length < pageSize && tries < 4; tries += 1) {
    const page: Page = await get<Page>('/jobs', { ...query, limit: pageSize - jobs.length, cursor }, { signal });
    jobs.push(...page.jobs);
    cursor = page.next;
  }
  return { jobs, next: cursor };
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
      <>
        <a href={`/ui/jobs/${uuid}`}>{name ?? process ?? uuid}</a>
        <div class="faint small-text">
          {graph !== null && (
            <>
              <a href={`/ui/graphs/${graph}`}>graph</a>{' '}
            </>
          )}
          <span class="mono">{uuid}</span>
        </div>
      </>
    ),
  },
  { title: 'Process', cell: ({ process }) => process },
  { title: 'Queue', cell: ({ queue }) => queue },
  {
    title: 'Worker',
    cell: ({ worker, attempts }) => (worker === null ? '' : attempts > 1 ? `${worker} (attempt ${attempts})` : worker),
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
