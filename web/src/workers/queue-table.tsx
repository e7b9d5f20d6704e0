import type { QueueList } from '../../../src/client/types.js';
import { durationText, numberText } from '../ui/format.js';
import { Icon } from '../ui/icon.js';
import { Meter } from '../ui/meter.js';
import { Time } from '../ui/time.js';
import { PauseButton } from './pause-button.js';

type Queue = QueueList['queues'][number];

/** What waits, for how long, and who serves it. */
export function QueueTable({ queues, onChange }: { queues: readonly Queue[]; onChange: () => void }) {
  return (
    <div class="table-scroll">
      <table class="queues">
        <caption class="visually-hidden">Queues</caption>
        <thead>
          <tr>
            <th scope="col">Queue</th>
            <th scope="col" class="number">
              Waiting
            </th>
            <th scope="col" class="number">
              Oldest waits
            </th>
            <th scope="col" class="number">
              Running
            </th>
            <th scope="col">Slots</th>
            <th scope="col">Served by</th>
            <th scope="col">
              <span class="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {queues.map((queue) => (
            <tr key={queue.queue}>
              <th scope="row">
                <a href={`/ui/jobs?queue=${encodeURIComponent(queue.queue)}`}>{queue.queue}</a>
                {queue.service && <span class="faint"> service</span>}
              </th>
              <td class="number">{numberText(queue.backlog)}</td>
              <td class="number">{queue.backlog === 0 ? '–' : durationText(queue.oldest_age * 1000)}</td>
              <td class="number">{numberText(queue.running)}</td>
              <td class="slots">
                {queue.slots > 0 && (
                  <Meter
                    label=""
                    value={queue.slots_used}
                    max={queue.slots}
                    words={`${queue.slots_used} of ${queue.slots}`}
                  />
                )}
              </td>
              <td>
                <Served queue={queue} />
              </td>
              <td class="number">
                <PauseButton queue={queue.queue} paused={queue.paused !== null} onDone={onChange} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Served({ queue: { paused, workers } }: { queue: Queue }) {
  if (paused !== null) {
    return (
      <>
        <span class="badge" data-tone="wait">
          <Icon name="pause" />
          Paused
        </span>{' '}
        <span class="soft">
          <Time at={paused.since} />
          {paused.by !== null && ` by ${paused.by}`}
          {paused.reason !== null && `: ${paused.reason}`}
        </span>
      </>
    );
  }
  if (workers.length === 0) {
    return (
      <span class="badge" data-tone="bad">
        <Icon name="cancel" />
        No worker
      </span>
    );
  }
  return workers.length <= 3 ? (
    <>{workers.join(', ')}</>
  ) : (
    <span title={workers.join(', ')}>{workers.length} workers</span>
  );
}
