import type { JobDetails } from '../../../src/client/types.js';
import { OutcomeBadge } from '../ui/state-badge.js';
import { Duration, Time } from '../ui/time.js';

/** Each time that the job was begun: where, for how long, and what came of it. */
export function Attempts({ attempts }: { attempts: JobDetails['attempts'] }) {
  return (
    // Nothing in it takes the focus, and on a phone it scrolls.
    <div class="table-scroll" tabIndex={0} role="group" aria-label="Table of attempts">
      <table>
        <thead>
          <tr>
            <th scope="col" class="number">
              Attempt
            </th>
            <th scope="col">Outcome</th>
            <th scope="col">Worker</th>
            <th scope="col">Began</th>
            <th scope="col" class="number">
              Took
            </th>
          </tr>
        </thead>
        <tbody>
          {attempts.map(({ attempt, outcome, message, worker, queue, pid, startedAt, endedAt }) => [
            <tr key={attempt} class={message === null ? '' : 'attempt-told'}>
              <td class="number">{attempt}</td>
              <td>
                <OutcomeBadge outcome={outcome} />
              </td>
              <td>
                {worker}
                <div class="faint small-text">
                  {queue}
                  {pid !== null && `, process ${pid}`}
                </div>
              </td>
              <td class="nowrap">
                <Time at={startedAt} />
              </td>
              <td class="number">
                <Duration from={startedAt} to={endedAt} />
              </td>
            </tr>,
            message !== null && (
              <tr key={`${attempt}-message`}>
                <td colSpan={5} class="attempt-message">
                  {message}
                </td>
              </tr>
            ),
          ])}
        </tbody>
      </table>
    </div>
  );
}
