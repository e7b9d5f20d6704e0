import { z } from 'zod';
import { displayName, labels } from '../../compile/graph-request.js';
import type { Json } from '../../contract/json.js';
import { fileProblemSchema } from '../../contract/workflow-files.js';

/** A value that came out of a JSON parser: to check it again would only cost time, and its schema has no end. */
const anyJson = z.any() as unknown as z.ZodType<Json>;

/** Bodies and answers of the calls below `/workflows`. The order of keys here is the order on the wire. */

const example = 'convert-and-thumbnail';
const graphId = '3c7b1077-d4f2-42ce-98b0-8d9f00000000';

export const workflowParamsSchema = z.object({
  workflow: z
    .string()
    .min(1)
    .max(100)
    .meta({ description: 'Name of the workflow: that of its file, without the ending.', examples: [example] }),
});

const workflowExample = {
  name: example,
  file: `${example}.ts`,
  version: '5d1f0a2c9b7e',
  doc: 'Converts a model and makes pictures of it.',
  input: { type: 'object', properties: { extension: { type: 'string', default: 'glb' } } },
  usable: true,
  problems: [],
};

export const workflowSchema = z
  .object({
    name: z.string().describe('By which it is run.'),
    file: z.string().describe('Path below the folder of the workflow files.'),
    version: z.string().nullable().describe('Of the code that new runs get; null: it has never been usable.'),
    doc: z.string().nullable().describe('The comment of its function.'),
    input: z.record(z.string(), anyJson).nullable().describe('JSON Schema of its input, where it exports one.'),
    usable: z.boolean().describe('Whether runs can be started.'),
    problems: z.array(fileProblemSchema).describe('Why the file as it stands cannot be used.'),
  })
  .meta({
    id: 'Workflow',
    examples: [workflowExample],
  });
export type ShownWorkflow = z.infer<typeof workflowSchema>;

export const workflowListSchema = z
  .object({ workflows: z.array(workflowSchema) })
  .meta({ id: 'WorkflowList', examples: [{ workflows: [workflowExample] }] });

const runShape = {
  input: anyJson.optional().meta({
    description: 'What the workflow gets: any JSON, by its schema where it has one. Default `{}`.',
    examples: [{ extension: 'glb' }],
  }),
  name: displayName.optional().meta({ description: 'Display name of the run.', examples: ['pump for the shop'] }),
  labels: labels.optional().meta({ description: 'Free facts, to find it again.', examples: [{ show: 'alpha' }] }),
};

export const runRequestSchema = z
  .strictObject(runShape)
  .meta({ id: 'WorkflowRunRequest', examples: [{ input: { extension: 'glb' }, name: 'pump for the shop' }] });

export const newRunSchema = z
  .object({
    id: z.string().describe('Of the run: a graph, for all calls below `/graphs`.'),
    workflow: z.string().describe('Its name.'),
    version: z.string().describe('The code that it keeps to its end.'),
    name: z.string().nullable().describe('Display name.'),
    links: z.record(z.string(), z.string()).describe('Where to look further.'),
  })
  .meta({
    id: 'NewWorkflowRun',
    examples: [{ id: graphId, workflow: example, version: '5d1f0a2c9b7e', name: 'pump for the shop', links: {} }],
  });

const scheduleName = z
  .string({ error: 'must be text' })
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'must be letters, digits, dot, dash and underscore, at most 100');

export const scheduleRequestSchema = z
  .strictObject({
    id: scheduleName.meta({ description: 'What you call the schedule.', examples: ['every-night'] }),
    cron: z
      .string({ error: 'must be a cron expression, as text' })
      .min(1)
      .max(200)
      .optional()
      .meta({ description: 'Minute, hour, day, month, weekday; or `@daily` …', examples: ['0 2 * * *'] }),
    timezone: z
      .string({ error: 'must be the name of a time zone' })
      .min(1)
      .max(100)
      .optional()
      .meta({ description: 'In which `cron` is meant. Default UTC.', examples: ['Europe/Paris'] }),
    every: z
      .number({ error: 'must be a number of seconds' })
      .min(1, 'must be at least 1')
      .max(366 * 24 * 3600)
      .optional()
      .meta({ description: 'Seconds between two runs, instead of `cron`.', examples: [3600] }),
    ...runShape,
  })
  .meta({
    id: 'ScheduleRequest',
    description: 'When runs start, and with what. One of `cron` and `every`.',
    examples: [{ id: 'every-night', cron: '0 2 * * *', timezone: 'Europe/Paris', input: { folder: '/mnt/incoming' } }],
  });

const scheduleExample = {
  id: 'every-night',
  cron: '0 2 * * *',
  timezone: 'Europe/Paris',
  every: null,
  paused: false,
  next: ['2026-11-22T01:00:00.000000+00:00'],
  runs: [{ id: graphId, at: '2026-11-21T01:00:00.000000+00:00' }],
};

export const scheduleSchema = z
  .object({
    id: z.string().describe('What it is called.'),
    cron: z.string().nullable().describe('When, or null with `every`.'),
    timezone: z.string().nullable().describe('In which `cron` is meant.'),
    every: z.number().nullable().describe('Seconds.'),
    paused: z.boolean().describe('It starts no runs now: somebody paused it in Temporal.'),
    next: z.array(z.string()).describe('When the next runs start.'),
    runs: z
      .array(z.object({ id: z.string().describe('Of the run.'), at: z.string().describe('When it began.') }))
      .describe('The last runs, newest first: graphs.'),
  })
  .meta({
    id: 'Schedule',
    examples: [scheduleExample],
  });
export type ShownSchedule = z.infer<typeof scheduleSchema>;

export const scheduleListSchema = z
  .object({ schedules: z.array(scheduleSchema) })
  .meta({ id: 'ScheduleList', examples: [{ schedules: [scheduleExample] }] });

export const scheduleParamsSchema = z.object({
  ...workflowParamsSchema.shape,
  schedule: scheduleName.meta({ description: 'What the schedule is called.', examples: ['every-night'] }),
});

export const deletedScheduleSchema = z
  .object({ id: z.string(), deleted: z.literal(true) })
  .meta({ id: 'DeletedSchedule', examples: [{ id: 'every-night', deleted: true }] });

export const signalParamsSchema = z.object({
  graph: z.string().meta({ description: 'Id of the run.', examples: [graphId] }),
  signal: z
    .string()
    .regex(/^[A-Za-z_][\w-]{0,99}$/, 'must be the name of a signal: letters, digits, dash and underscore')
    .meta({ description: 'As the workflow has defined it.', examples: ['approve'] }),
});

export const signalRequestSchema = z
  .strictObject({
    args: z
      .array(anyJson, { error: 'must be a list' })
      .max(20)
      .optional()
      .meta({ description: 'What the handler gets. Default none.', examples: [[true]] }),
  })
  .meta({ id: 'SignalRequest', examples: [{ args: [true] }] });

export const signalSentSchema = z
  .object({ id: z.string(), signal: z.string(), sent: z.literal(true) })
  .meta({ id: 'SignalSent', examples: [{ id: graphId, signal: 'approve', sent: true }] });
