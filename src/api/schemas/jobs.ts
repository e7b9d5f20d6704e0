import { z } from 'zod';
import { uuidPattern } from '../../contract/ids.js';
import { attemptSchema, jobStatusSchema, recordStatuses, stepSchema, timeInfoSchema } from '../../contract/job.js';

/** Answers of the calls below `/jobs`. The order of keys here is the order on the wire. */

const exampleId = '3c7b1077-d4f2-42ce-98b0-8d9f00000001';

export const jobParamsSchema = z.object({
  job_uuid: z
    .string()
    .regex(uuidPattern, 'must be a UUID of 36 characters, such as 3c7b1077-d4f2-42ce-98b0-8d9f00000001')
    .meta({ description: 'Id of the job, as `POST /jobs` answered it. Case-sensitive.', examples: [exampleId] }),
});

/** Any JSON: not checked again on the way out, since it may be large and came from a checked record. */
const anyJson = (description: string) => z.any().describe(description);

const stateShape = {
  uuid: z.string().describe('Id of the job.'),
  name: z.string().nullable().describe('Display name.'),
  status: jobStatusSchema.describe('`PENDING` also for an id that no job has.'),
  progress: z.number().int().nullable().describe('Percent; null before the first step.'),
  error: z.string().nullable().describe('Why it failed: a label in short states, the whole traceback in details.'),
};

export const jobStateSchema = z.object(stateShape).meta({
  id: 'JobState',
  description: 'Short state. `error` is a label; the details have the traceback.',
  examples: [{ uuid: exampleId, name: 'my job', status: 'RUNNING', progress: 42, error: null }],
});
export type JobState = z.infer<typeof jobStateSchema>;

export const jobDetailsSchema = z
  .object({
    ...stateShape,
    time_info: timeInfoSchema.describe('Times.'),
    steps: z.array(stepSchema).nullable().describe('What the script has announced, in order.'),
    retry: z.number().int().describe("Retries done because of the script's own faults."),
    result: anyJson('JSON form of what the script returned; the text of the exception of a failed job.'),
    queue: z.string().nullable().describe('Where it waits, or was last taken from.'),
    process: z.string().nullable().describe('`custom`, or the name of a shipped process.'),
    attempts: z.array(attemptSchema).describe('Each try, in order.'),
    retry_of: z.string().nullable().describe('The job that this one repeats.'),
    reused_from: z
      .string()
      .nullable()
      .describe('The job whose result and outputs this one took, as it was asked for the same (`reuse` of a node).'),
    waiting: z.string().nullable().describe('Why a waiting job cannot start, where the reason is known.'),
    links: z
      .record(z.string(), z.string())
      .describe('Where to look further, such as the trace in the Temporal Web UI.'),
  })
  .meta({
    id: 'JobDetails',
    description: 'Everything known of a job.',
    examples: [
      {
        uuid: exampleId,
        name: 'my job',
        status: 'SUCCESS',
        progress: 100,
        error: null,
        time_info: {
          request: '2026-11-21T11:49:05.570674',
          started: '2026-11-21T11:49:05.577974+00:00',
          stopped: '2026-11-21T11:49:05.611617+00:00',
        },
        steps: [{ duration: 0.0046, info: 'tessellate' }],
        retry: 0,
        result: { triangles: 12034 },
        queue: 'cpu',
        process: 'custom',
        attempts: [
          {
            attempt: 1,
            queue: 'cpu',
            worker: 'worker-1',
            pid: 4711,
            startedAt: '2026-11-21T11:49:05.577974+00:00',
            endedAt: '2026-11-21T11:49:05.611617+00:00',
            outcome: 'succeeded',
            message: null,
          },
        ],
        retry_of: null,
        reused_from: null,
        waiting: null,
        links: {},
      },
    ],
  });
export type JobDetails = z.infer<typeof jobDetailsSchema>;

/** What a table of jobs shows beside the short state. */
const rowShape = {
  queue: z.string().nullable().describe('This and what follows: only with `view=table`.'),
  process: z.string().nullable().describe('`custom`, or the name of a shipped process.'),
  graph: z.string().nullable().describe('The graph that it belongs to; null for a job that was sent alone.'),
  node: z.number().int().nullable().describe('Its number in that graph.'),
  requested: z.string().nullable().describe('When it was asked for.'),
  started: z.string().nullable().describe('When its last attempt began.'),
  stopped: z.string().nullable().describe('When it ended.'),
  attempts: z.number().int().describe('How many there were.'),
  worker: z.string().nullable().describe('Of the last attempt.'),
  retry_of: z.string().nullable().describe('The job that this one repeats.'),
  links: z.record(z.string(), z.string()).describe('Where to look further.'),
};
export type JobRow = JobState & z.infer<z.ZodObject<typeof rowShape>>;

/** Short or with all of a row: one schema and no union, since what goes out is checked against it line by line. */
const listedJobSchema = jobStateSchema.extend(z.object(rowShape).partial().shape).meta({
  id: 'ListedJob',
  examples: [
    {
      uuid: exampleId,
      name: 'my job',
      status: 'RUNNING',
      progress: 42,
      error: null,
      queue: 'cpu',
      process: 'custom',
      graph: null,
      node: null,
      requested: '2026-11-21T11:49:05.570674',
      started: '2026-11-21T11:49:05.577974+00:00',
      stopped: null,
      attempts: 1,
      worker: 'worker-1',
      retry_of: null,
      links: { temporal: 'http://127.0.0.1:8233/namespaces/pixyz/workflows/3c7b1077-d4f2-42ce-98b0-8d9f00000000' },
    },
  ],
});

export const askedJobSchema = z
  .object({
    uuid: z.string().describe('Id of the job.'),
    process: z.string().describe('`custom`, or the name of a shipped process.'),
    script: z.string().nullable().describe('File name of the script of a custom job.'),
    entrypoint: z.string().describe('The function that is called.'),
    params: z.string().nullable().describe('As JSON text, which keeps the digits of its numbers; null of a command.'),
    command: z.array(z.string()).nullable().describe('Program and arguments of a node that runs one.'),
    input: z.string().nullable().describe('File name of the input.'),
    root_file: z.string().nullable().describe('Main file inside an input archive.'),
    queue: z.string().describe('Where it was sent.'),
    time_limit: z.number().nullable().describe('Seconds; null: none.'),
    compute_only: z.boolean().describe('It has no output folder.'),
    graph: z.string().nullable().describe('The graph that it is a node of; null of a job sent alone.'),
    node: z.number().int().nullable().describe('Its number there.'),
  })
  .meta({
    id: 'AskedJob',
    description: 'What was asked for: it never changes.',
    examples: [
      {
        uuid: exampleId,
        process: 'convert_file',
        script: null,
        entrypoint: 'main',
        params: '{"extension":"glb"}',
        command: null,
        input: 'pump-unit.step',
        root_file: null,
        queue: 'cpu',
        time_limit: 3600,
        compute_only: false,
        graph: null,
        node: null,
      },
    ],
  });
export type AskedJob = z.infer<typeof askedJobSchema>;

export const jobListSchema = z
  .object({
    jobs: z.array(listedJobSchema).describe('Those of this page.'),
    next: z
      .string()
      .nullable()
      .describe(
        'Cursor of the next page, or null on the last one. A page may be shorter than `limit` and yet have one.',
      ),
  })
  .meta({
    id: 'JobList',
    examples: [{ jobs: [{ uuid: exampleId, name: null, status: 'PENDING', progress: null, error: null }], next: null }],
  });

/** Of a query, where every value is text. The messages are for people: they say all that is allowed. */
export function wholeNumber(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`;
  return z.coerce.number({ error }).int({ error }).min(min, { error }).max(max, { error });
}

/** Without NUL, which ends a query of Temporal's database: it would be taken for a server that is away. */
export function shortText(max: number, error: string) {
  return z
    .string({ error })
    .min(1, { error })
    .max(max, { error })
    .refine((text) => !text.includes('\0'), { error });
}

const momentProblem = 'must be a date and time, such as 2026-11-21T11:49:05Z';
export const timeSchema = z
  .string({ error: momentProblem })
  .refine((text) => !Number.isNaN(Date.parse(text)), momentProblem)
  .transform((text) => new Date(hasZone(text) ? text : `${text}Z`));

/** Times without an offset are UTC, as everywhere in the answers. */
function hasZone(text: string): boolean {
  return !text.includes('T') || /(?:[zZ]|[+-]\d\d:?\d\d)$/.test(text);
}

export const oneOrMany = <T extends z.ZodType>(item: T, error: string) =>
  z
    .union([item, z.array(item)], { error })
    .transform((value) => (Array.isArray(value) ? value : [value]) as z.output<T>[]);

const quotedStatuses = recordStatuses.map((status) => `"${status}"`).join(', ');

export const jobListQuerySchema = z.object({
  limit: wholeNumber(1, 1000).default(1000).describe('Jobs on a page.'),
  cursor: shortText(4096, 'must be the text of "next" of the page before')
    .optional()
    .describe('`next` of the page before.'),
  status: oneOrMany(z.enum(recordStatuses), `must be one of ${quotedStatuses}`)
    .optional()
    .describe('May be given several times.'),
  queue: shortText(100, 'must be the name of a queue, once').optional().describe('Of this queue.'),
  name: shortText(1000, 'must be a display name, once').optional().describe('The exact display name.'),
  name_contains: shortText(100, 'must be a part of a display name, once')
    .optional()
    .describe('A part of the display name, in either case.'),
  in_graphs: z
    .enum(['true', 'false'], { error: 'must be true or false' })
    .optional()
    .describe('`true`: only jobs of graphs; `false`: only those that were sent alone.'),
  view: z
    .enum(['short', 'table'], { error: 'must be short or table' })
    .default('short')
    .describe('`table`: each with times, queue, worker and links, too.'),
  process: shortText(1000, 'must be the name of a process, once')
    .optional()
    .describe('Of this process, `custom` for own scripts.'),
  since: timeSchema.optional().describe('Requested at or after this time.'),
  until: timeSchema.optional().describe('Requested before this time.'),
});
export type JobListQuery = z.infer<typeof jobListQuerySchema>;

export const retriedJobSchema = z
  .object({ ...stateShape, retry_of: z.string().describe('The job that it repeats.') })
  .meta({
    id: 'RetriedJob',
    description: 'The new job.',
    examples: [
      {
        uuid: '9b2f1077-d4f2-42ce-98b0-8d9f00000001',
        name: 'my job',
        status: 'SENT',
        progress: null,
        error: null,
        retry_of: exampleId,
      },
    ],
  });

export const deletedJobSchema = z
  .object({ uuid: z.string().describe('The job that is gone.'), deleted: z.literal(true) })
  .meta({ id: 'DeletedJob', examples: [{ uuid: exampleId, deleted: true }] });

export const taskMetaSchema = z
  .object({
    status: z.string().describe('As in the short state.'),
    result: anyJson('The meta object, the bare value of a raw job, or the exception.'),
    traceback: z.string().nullable().describe('Of a failed job.'),
    children: z.array(z.any()).describe('What its script has sent, as nested ids.'),
    parent_id: z.string().nullable().describe('The job whose script sent it.'),
    task_id: z.string().nullable().describe('Id of the job; null for an unknown one.'),
    date_done: z.string().nullable().describe('When it ended.'),
  })
  .meta({
    id: 'TaskMeta',
    examples: [
      {
        status: 'FAILURE',
        result: { exc_type: 'ValueError', exc_message: ['boom'], exc_module: 'builtins' },
        traceback: 'Traceback (most recent call last): …',
        children: [],
        parent_id: null,
        task_id: exampleId,
        date_done: '2026-11-21T11:49:05.612521+00:00',
      },
    ],
  });
export type TaskMeta = z.infer<typeof taskMetaSchema>;

export const outputListSchema = z
  .object({
    outputs: z.array(z.string()).describe('Names of the direct entries; with `recursive=true` paths of all files.'),
    files: z
      .array(
        z.object({
          path: z.string().describe('Below the outputs.'),
          size: z.number().describe('Bytes.'),
          modified: z.string().describe('When it was last written.'),
        }),
      )
      .optional()
      .describe('Only with `recursive=true`.'),
  })
  .meta({
    id: 'OutputList',
    examples: [
      { outputs: ['model.glb', 'pictures'] },
      {
        outputs: ['model.glb', 'pictures/front.png'],
        files: [{ path: 'model.glb', size: 48213, modified: '2026-11-21T11:49:05.611Z' }],
      },
    ],
  });

export const logListSchema = z
  .object({
    attempts: z.array(
      z.object({
        attempt: z.number().int().describe('Its number, from 1.'),
        queue: z.string().nullable().describe('The queue that it was taken from.'),
        worker: z.string().nullable().describe('The worker that ran it.'),
        started: z.string().nullable().describe('When it began.'),
        stopped: z.string().nullable().describe('When it ended; null while it runs.'),
        outcome: z.string().nullable().describe('What came of it; null while it runs.'),
        size: z.number().describe('Bytes.'),
      }),
    ),
  })
  .meta({
    id: 'LogList',
    examples: [
      {
        attempts: [
          {
            attempt: 1,
            queue: 'cpu',
            worker: 'worker-1',
            started: '2026-11-21T11:49:05.577974+00:00',
            stopped: null,
            outcome: null,
            size: 1834,
          },
        ],
      },
    ],
  });

export const truthy = z
  .enum(['true', 'false', '1', '0', ''], { error: 'must be true or false' })
  .transform((value) => value === 'true' || value === '1' || value === '');
