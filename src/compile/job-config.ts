import { z } from 'zod';
import { callbackSchema } from '../contract/job.js';
import { queueNamePattern } from '../contract/queues.js';

const seconds = z.number({ error: 'must be a number of seconds' }).min(0, 'must not be negative');
const flag = z.boolean({ error: 'must be true or false' });

/**
 * The keys of `config` (and of `@pixyz_schedule`) that mean something to the scheduler; all others reach the script as
 * they are, through its context. Keys whose value is null have been dropped before: null means "not given".
 */
export const jobConfigSchema = z
  .looseObject({
    entrypoint: z.string({ error: 'must be the name of a function' }).min(1).default('main'),
    queue: z
      .string({ error: 'must be the name of a queue' })
      .regex(queueNamePattern, 'is not a queue name: letters, digits, dot, dash and underscore, at most 100')
      .optional()
      .describe('Default: the decorator’s; else `control` for a waiting entrypoint, else `cpu`.'),
    time_limit: z
      .number({ error: 'must be a number of seconds without quotes, such as 3600' })
      .min(0, 'must not be negative')
      .optional()
      .describe('Seconds; more than 86400 means none. Default 3600.'),
    root_file: z.string().optional().describe('Main file inside an input archive.'),
    compute_only: flag.default(false).describe('No output folder.'),
    raw: flag.default(false).describe('The bare value instead of the meta object, for chained tasks.'),
    countdown: seconds.optional().describe('Seconds to wait before the start.'),
    expires: seconds.optional().describe('Seconds after which a job that has not started is revoked.'),
    priority: z.number().int().min(0).max(9).optional().describe('0 (first) … 9 (last); default 4.'),
    retries: z.number().int().min(0).max(10).optional().describe('Retries after a crash, exit or time-out; default 1.'),
    callback: callbackSchema.optional().describe('Where a signed notice goes when the job has ended.'),
  })
  .meta({
    id: 'JobConfig',
    description: 'Settings of one job. Unknown keys are handed to the script.',
    examples: [
      { entrypoint: 'main', queue: 'gpu', time_limit: 3600 },
      { priority: 0, retries: 2, callback: { url: 'https://example.org/done', secret: 'shared' } },
    ],
  });
export type JobConfig = z.infer<typeof jobConfigSchema>;
