import { z } from 'zod';

/** Answers of `/queues` and `/workers`. The order of keys here is the order on the wire. */

export const queueListSchema = z
  .object({
    queues: z.array(
      z.object({
        queue: z.string(),
        backlog: z.number().int().describe('Jobs that wait for a worker.'),
        oldest_age: z.number().describe('Seconds that the oldest of them has waited; 0 when none waits.'),
        pollers: z.number().int().describe('Worker processes that ask it for work.'),
        workers: z.array(z.string()).describe('Live workers that serve it.'),
        service: z.boolean().describe('Its tasks are ours (archives, deletion), not scripts of users.'),
      }),
    ),
  })
  .meta({
    id: 'QueueList',
    examples: [
      {
        queues: [
          { queue: 'gpu', backlog: 3, oldest_age: 12, pollers: 1, workers: ['worker-1'], service: false },
          { queue: 'zip', backlog: 0, oldest_age: 0, pollers: 1, workers: ['worker-1'], service: true },
        ],
      },
    ],
  });
export type QueueList = z.infer<typeof queueListSchema>;

export const workerListSchema = z
  .object({
    workers: z.array(
      z.object({
        name: z.string(),
        host: z.string(),
        pid: z.number().int(),
        started: z.string(),
        seen: z.string().describe('When it last told of itself; each does every two seconds.'),
        queues: z.array(z.string()),
        draining: z.boolean().describe('It finishes what it runs and takes nothing new.'),
        slots: z.object({
          limit: z.number().describe('Scripts that it runs at the same time.'),
          used: z.number(),
          lent: z.number().describe('Taken by jobs that wait for others, and lent to those.'),
        }),
        children: z.object({
          warm: z.number().describe('Python processes that wait for a script.'),
          running: z.number(),
          resident_bytes: z.number().describe('Memory of all its Python processes.'),
        }),
      }),
    ),
  })
  .meta({
    id: 'WorkerList',
    examples: [
      {
        workers: [
          {
            name: 'worker-1',
            host: 'render-07',
            pid: 4711,
            started: '2026-11-21T11:40:00.000Z',
            seen: '2026-11-21T11:49:05.611Z',
            queues: ['cpu', 'gpu'],
            draining: false,
            slots: { limit: 4, used: 1, lent: 0 },
            children: { warm: 3, running: 1, resident_bytes: 734003200 },
          },
        ],
      },
    ],
  });
export type WorkerList = z.infer<typeof workerListSchema>;
