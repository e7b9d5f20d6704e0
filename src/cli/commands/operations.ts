import type { Commands } from '../context.js';
import { durationText, sizeText, table } from '../output.js';

/** `queues` and `workers`: what waits, and who works. */
export function operationCommands(commands: Commands): void {
  commands.add(
    'queues',
    'what waits in each queue, and who serves it',
    (command) => command,
    async ({ client, out }) => {
      const list = await client.queues();
      out.show(list, () =>
        table(
          ['QUEUE', 'WAITING', 'OLDEST', 'WORKERS'],
          list.queues.map(({ queue, backlog, oldest_age, workers }) => [
            queue,
            String(backlog),
            backlog === 0 ? '' : durationText(oldest_age),
            workers.length === 0 ? out.paint(backlog > 0 ? 'red' : 'gray', 'none') : workers.join(', '),
          ]),
        ),
      );
      return 0;
    },
  );

  commands.add(
    'workers',
    'the workers that are alive',
    (command) => command,
    async ({ client, out }) => {
      const list = await client.workers();
      out.show(list, () => {
        if (list.workers.length === 0) return 'no worker is alive: jobs are accepted and wait';
        return table(
          ['WORKER', 'HOST', 'SLOTS', 'PYTHON', 'MEMORY', 'UP', 'QUEUES'],
          list.workers.map(({ name, host, slots, children, started, queues, draining }) => [
            name,
            host,
            `${slots.used}/${slots.limit}${slots.lent > 0 ? ` (${slots.lent} lent)` : ''}`,
            `${children.running} running, ${children.warm} warm`,
            sizeText(children.resident_bytes),
            durationText(Math.max(0, (Date.now() - Date.parse(started)) / 1000)),
            draining ? out.paint('yellow', 'draining') : queues.join(' '),
          ]),
        );
      });
      return 0;
    },
  );
}
