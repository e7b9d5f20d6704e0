import { z } from 'zod';
import { queueNamePattern } from '../../contract/queues.js';

/** Answers of `/queues` and `/workers`. The order of keys here is the order on the wire. */

export const queueSchema = z
  .object({
    queue: z.string().describe('Its name.'),
    backlog: z.number().int().describe('Jobs that wait for a worker.'),
    oldest_age: z.number().describe('Seconds that the oldest of them has waited; 0 when none waits.'),
    pollers: z.number().int().describe('Worker processes that ask it for work.'),
    workers: z.array(z.string()).describe('Live workers that serve it.'),
    service: z.boolean().describe('Its tasks are ours (archives, deletion), not scripts of users.'),
    paused: z
      .object({ since: z.string().nullable(), by: z.string().nullable(), reason: z.string().nullable() })
      .nullable()
      .describe('Nothing of it is handed out; null: it is.'),
    slots: z.number().int().describe('Of the workers that serve it and take work; they share them with other queues.'),
    slots_used: z.number().int().describe('Of these, taken now.'),
    running: z.number().int().describe('Scripts taken from it that run now.'),
  })
  .meta({
    id: 'Queue',
    examples: [
      {
        queue: 'gpu',
        backlog: 3,
        oldest_age: 12,
        pollers: 1,
        workers: ['worker-1'],
        service: false,
        paused: null,
        slots: 4,
        slots_used: 4,
        running: 2,
      },
    ],
  });
export type ShownQueue = z.infer<typeof queueSchema>;

export const queueListSchema = z
  .object({ queues: z.array(queueSchema) })
  .meta({ id: 'QueueList', examples: [{ queues: [] }] });
export type QueueList = z.infer<typeof queueListSchema>;

export const queueParamsSchema = z.object({
  queue: z
    .string()
    .regex(queueNamePattern, 'must be the name of a queue: letters, digits, dot, dash and underscore, at most 100')
    .meta({ examples: ['gpu'] }),
});

export const pauseRequestSchema = z
  .strictObject({
    reason: z.string({ error: 'must be a text' }).max(500, 'must have at most 500 characters').optional(),
  })
  .nullish()
  .meta({ examples: [{ reason: 'new driver on render-07' }] });

const runningSchema = z.object({
  job: z.string().describe('Id of the job.'),
  graph: z.string().nullable().describe('The graph that it belongs to; null for a job that was sent alone.'),
  name: z.string().nullable().describe('Display name.'),
  queue: z.string().describe('The queue that it was taken from.'),
  attempt: z.number().int().describe('Its number.'),
  since: z.string().describe('When it began.'),
  pid: z.number().int().nullable().describe('Process id of the script.'),
});

export const workerSchema = z
  .object({
    name: z.string().describe('Host and process id, unless it was given one.'),
    host: z.string().describe('Name of its machine.'),
    pid: z.number().int().describe('Its process id.'),
    started: z.string().describe('When it began.'),
    seen: z.string().describe('When it last told of itself; each does every two seconds.'),
    queues: z.array(z.string()).describe('What it serves.'),
    draining: z.boolean().describe('It finishes what it runs and takes nothing new.'),
    slots: z.object({
      limit: z.number().describe('Scripts that it runs at the same time.'),
      used: z.number().describe('Taken by scripts that run.'),
      lent: z.number().describe('Taken by jobs that wait for others, and lent to those.'),
    }),
    children: z.object({
      warm: z.number().describe('Python processes that wait for a script.'),
      running: z.number().describe('Python processes that run a script.'),
      resident_bytes: z.number().describe('Memory of all its Python processes.'),
    }),
    version: z.string().nullable().describe('Of this product.'),
    node: z.string().nullable().describe('Version of Node.js.'),
    engine: z.string().nullable().describe('Which module pxz scripts get: `open`, `pixyz`, or `none`.'),
    uptime: z.number().int().describe('Seconds.'),
    running: z.array(runningSchema).describe('What it runs now, the first 200.'),
    tasks: z.object({ succeeded: z.number().int(), failed: z.number().int() }).describe('Attempts since its start.'),
    machine: z
      .object({
        cpus: z.number().int(),
        load: z.number().describe('Over the last minute.'),
        memory_total: z.number(),
        memory_free: z.number(),
      })
      .nullable()
      .describe('Its host, bytes.'),
    gpus: z
      .array(
        z.object({
          index: z.number().int(),
          name: z.string(),
          memory_total: z.number().describe('Bytes.'),
          memory_used: z.number(),
          utilization: z.number().nullable().describe('Percent.'),
        }),
      )
      .describe('Of its host, as `nvidia-smi` tells.'),
  })
  .meta({
    id: 'Worker',
    examples: [
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
        version: '0.1.0',
        node: 'v22.20.0',
        engine: 'open',
        uptime: 545,
        running: [
          {
            job: '3c7b1077-d4f2-42ce-98b0-8d9f00000001',
            graph: null,
            name: 'my job',
            queue: 'gpu',
            attempt: 1,
            since: '2026-11-21T11:48:59.120Z',
            pid: 4802,
          },
        ],
        tasks: { succeeded: 120, failed: 2 },
        machine: { cpus: 16, load: 3.2, memory_total: 137438953472, memory_free: 96636764160 },
        gpus: [
          {
            index: 0,
            name: 'NVIDIA H100 80GB HBM3',
            memory_total: 85520809984,
            memory_used: 612368384,
            utilization: 17,
          },
        ],
      },
    ],
  });
export type ShownWorker = z.infer<typeof workerSchema>;

export const workerListSchema = z
  .object({ workers: z.array(workerSchema) })
  .meta({ id: 'WorkerList', examples: [{ workers: [] }] });
export type WorkerList = z.infer<typeof workerListSchema>;

export const workerParamsSchema = z.object({
  worker: z
    .string()
    .min(1)
    .max(300)
    .meta({ description: 'Its name, as `GET /workers` has it.', examples: ['render-07-4711'] }),
});
