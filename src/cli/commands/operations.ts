import type { Commands } from '../context.js';
import { durationText, sizeText, table } from '../output.js';

/** `queues` and `workers`: what waits, and who works. */
export function operationCommands(commands: Commands): void {
  const queues = commands.add(
    'queues',
    'what waits in each queue, and who serves it',
    (command) => command,
    async ({ client, out }) => {
      const list = await client.queues();
      out.show(list, () =>
        table(
          ['QUEUE', 'WAITING', 'OLDEST', 'WORKERS'],
          list.queues.map(({ queue, backlog, oldest_age, workers, paused }) => [
            queue,
            String(backlog),
            backlog === 0 ? '' : durationText(oldest_age),
            paused !== null
              ? out.paint('yellow', `paused${paused.reason === null ? '' : `: ${paused.reason}`}`)
              : workers.length === 0
                ? out.paint(backlog > 0 ? 'red' : 'gray', 'none')
                : workers.join(', '),
          ]),
        ),
      );
      return 0;
    },
  );

  commands.add<{ readonly reason?: string }>(
    'pause <queue>',
    'hand out nothing more of a queue; what runs goes on, what comes waits',
    (command) => command.option('--reason <text>', 'shown to everybody who wonders why jobs wait'),
    async ({ client, out }, { reason }, queue) => {
      const shown = await client.pauseQueue(queue as string, reason);
      out.show(shown, () => `queue ${shown.queue} is paused: ${running(shown)}, ${shown.backlog} waiting`);
      return 0;
    },
    queues,
  );

  commands.add(
    'resume <queue>',
    'go on with a queue',
    (command) => command,
    async ({ client, out }, _flags, queue) => {
      const shown = await client.resumeQueue(queue as string);
      out.show(shown, () => `queue ${shown.queue} goes on: ${shown.backlog} waiting`);
      return 0;
    },
    queues,
  );

  const workers = commands.add(
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

  commands.add(
    'drain <worker>',
    'let a worker finish what it runs, take nothing new, and end',
    (command) => command,
    async ({ client, out }, _flags, name) => {
      const shown = await client.drainWorker(name as string);
      out.show(shown, () => `worker ${shown.name} drains: ${running({ running: shown.running.length })}`);
      return 0;
    },
    workers,
  );
}

function running({ running }: { readonly running: number }): string {
  return running === 1 ? '1 script runs on' : `${running} scripts run on`;
}
