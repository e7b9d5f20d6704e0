import type { QueueList, WorkerList } from '../../../../src/client/types.js';
import { get } from '../../api/http.js';
import { ErrorNote } from '../../ui/error-note.js';
import { durationText, numberText, sizeText } from '../../ui/format.js';
import { Section } from '../../ui/section.js';
import { useTitle } from '../../ui/title.js';
import { useLive } from '../../ui/use-live.js';
import { QueueTable } from '../../workers/queue-table.js';
import { WorkerCard } from '../../workers/worker-card.js';

interface State {
  readonly queues: QueueList['queues'];
  readonly workers: WorkerList['workers'];
}

async function ask(signal: AbortSignal): Promise<State> {
  const [{ queues }, { workers }] = await Promise.all([
    get<QueueList>('/queues', {}, { signal }),
    get<WorkerList>('/workers', {}, { signal }),
  ]);
  // What people use first, then what the system does for itself.
  return { queues: [...queues].sort((a, b) => Number(a.service) - Number(b.service)), workers };
}

/** Who serves what, and what waits. */
export function WorkersView() {
  useTitle('Workers and queues');
  const { data, error, refresh } = useLive(ask, { everyMs: 2000 });
  return (
    <div class="stack">
      <h1>Workers and queues</h1>
      {error !== null && <ErrorNote error={error} onRetry={refresh} />}
      {data !== null && (
        <>
          <Totals {...data} />
          <Section title="Queues" flush>
            <QueueTable queues={data.queues} onChange={refresh} />
          </Section>
          <section aria-labelledby="workers-title" class="stack">
            <h2 id="workers-title">Workers</h2>
            {data.workers.length === 0 ? (
              <p class="card empty">
                No worker is alive: jobs are accepted and wait. <code>pixyz doctor</code> says what is missing.
              </p>
            ) : (
              <div class="workers">
                {data.workers.map((worker) => (
                  <WorkerCard key={worker.name} worker={worker} onChange={refresh} />
                ))}
              </div>
            )}
          </section>
        </>
      )}
    </div>
  );
}

function Totals({ queues, workers }: State) {
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const used = sum(workers.map(({ slots }) => slots.used));
  const limit = sum(workers.map(({ slots }) => slots.limit));
  const waiting = sum(queues.map(({ backlog }) => backlog));
  const oldest = Math.max(0, ...queues.map(({ oldest_age }) => oldest_age));
  const tiles: readonly (readonly [name: string, value: string])[] = [
    ['Workers', numberText(workers.length)],
    ['Slots taken', `${used} of ${limit}`],
    ['Jobs waiting', numberText(waiting)],
    ['Oldest waits', waiting === 0 ? '–' : durationText(oldest * 1000)],
    ['Children', numberText(sum(workers.map(({ children }) => children.warm + children.running)))],
    ['Children, memory', sizeText(sum(workers.map(({ children }) => children.resident_bytes)))],
  ];
  return (
    <dl class="tiles on-surface">
      {tiles.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
