import { z } from 'zod';
import { uuidPattern } from '../../contract/ids.js';
import { jobStatusSchema } from '../../contract/job.js';
import { graphStates } from './graphs.js';

/** Asking the same of many jobs or graphs at once. */

/** Each is a request to Temporal, some also files: more would keep the caller waiting for too long. */
const maxIds = 500;

const ids = z
  .array(z.string().regex(uuidPattern, 'must be a UUID of 36 characters'), { error: 'must be a list of ids' })
  .min(1, 'must have at least one id')
  .max(maxIds, `must have at most ${maxIds} ids: send the others with further requests`);

const exampleId = '3c7b1077-d4f2-42ce-98b0-8d9f00000001';
const graphId = '3c7b1077-d4f2-42ce-98b0-8d9f00000000';

export const manyJobsSchema = z.strictObject({ jobs: ids }).meta({ id: 'ManyJobs', examples: [{ jobs: [exampleId] }] });
export const manyGraphsSchema = z
  .strictObject({ graphs: ids })
  .meta({ id: 'ManyGraphs', examples: [{ graphs: [graphId] }] });

const totals = { done: z.number().int(), failed: z.number().int() };

export const manyJobsDoneSchema = z
  .object({
    jobs: z.array(
      z.object({
        uuid: z.string(),
        ok: z.boolean(),
        new_uuid: z.string().nullable().describe('Of a retry: the new job.'),
        status: jobStatusSchema.nullable().describe('As known at the answer.'),
        problem: z.string().nullable().describe('Why not, for people.'),
      }),
    ),
    ...totals,
  })
  .meta({
    id: 'ManyJobsDone',
    description: 'What became of each, in the order of the request.',
    examples: [
      { jobs: [{ uuid: exampleId, ok: true, new_uuid: null, status: 'RUNNING', problem: null }], done: 1, failed: 0 },
    ],
  });
export type JobDone = z.infer<typeof manyJobsDoneSchema>['jobs'][number];

export const manyGraphsDoneSchema = z
  .object({
    graphs: z.array(
      z.object({
        id: z.string(),
        ok: z.boolean(),
        new_id: z.string().nullable().describe('Of a retry: the new graph.'),
        state: z.enum(graphStates).nullable().describe('As known at the answer.'),
        problem: z.string().nullable().describe('Why not, for people.'),
      }),
    ),
    ...totals,
  })
  .meta({
    id: 'ManyGraphsDone',
    description: 'What became of each, in the order of the request.',
    examples: [
      { graphs: [{ id: graphId, ok: true, new_id: null, state: 'running', problem: null }], done: 1, failed: 0 },
    ],
  });
export type GraphDone = z.infer<typeof manyGraphsDoneSchema>['graphs'][number];
