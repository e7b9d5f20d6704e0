import { z } from 'zod';
import { problemSchema } from '../../compile/problems.js';
import { graphHeaderSchema } from '../../contract/graph-document.js';
import { uuidPattern } from '../../contract/ids.js';
import { timeInfoSchema } from '../../contract/job.js';
import { oneOrMany, shortText, timeSchema, wholeNumber } from './jobs.js';

/** Answers of the calls below `/graphs`, and their parameters. The order of keys here is the order on the wire. */

const graphId = '3c7b1077-d4f2-42ce-98b0-8d9f00000000';
/** Of examples. */
export const jobId = '3c7b1077-d4f2-42ce-98b0-8d9f00000002';

export const graphParamsSchema = z.object({
  graph: z
    .string()
    .regex(uuidPattern, 'must be a UUID of 36 characters, such as 3c7b1077-d4f2-42ce-98b0-8d9f00000000')
    .meta({ description: 'Id of the graph, as `POST /graphs` answered it.', examples: [graphId] }),
});

export const idempotencySchema = z.object({
  'idempotency-key': z
    .string()
    .min(1, 'must not be empty')
    .max(255, 'must have at most 255 characters')
    .optional()
    .describe(
      'The same key with the same request gets the same answer, however often it is sent; with another one 409.',
    ),
});

export const graphStates = ['pending', 'running', 'paused', 'succeeded', 'failed', 'revoked'] as const;

export const links = z
  .record(z.string(), z.string())
  .describe('Where to look further, such as the trace in the Temporal Web UI.');

export const newGraphSchema = z
  .object({
    id: z.string().describe('Id of the graph: a UUID that ends with eight zeros.'),
    name: z.string().nullable().describe('Display name.'),
    mode: z.enum(['closed', 'open']).describe('`open` while more nodes may come.'),
    nodes: z.number().int().describe('How many.'),
    retry_of: z.string().nullable().describe('The graph that this one repeats.'),
    kept: z.number().int().optional().describe('Of a retry: nodes whose results were taken over.'),
    links,
  })
  .meta({
    id: 'NewGraph',
    examples: [{ id: graphId, name: 'pump for the shop', mode: 'closed', nodes: 3, retry_of: null, links: {} }],
  });
export type NewGraph = z.infer<typeof newGraphSchema>;

const counts = z.object({
  total: z.number().int().describe('Nodes, and jobs that `map` nodes have become.'),
  waiting: z.number().int().describe('Their time has not come.'),
  queued: z.number().int().describe('Wait for a worker.'),
  running: z.number().int().describe('Run on a worker.'),
  succeeded: z.number().int().describe('Done.'),
  failed: z.number().int().describe('For good: no attempt is left.'),
  revoked: z.number().int().describe('Cancelled, or expired.'),
  skipped: z.number().int().describe('Their rule could not be met, or `when` was false.'),
});

export const graphStateSchema = z
  .object({
    id: z.string().describe('Id of the graph.'),
    name: z.string().nullable().describe('Display name.'),
    state: z.enum(graphStates).describe('`failed` when a node has; `pending` before the first decision.'),
    message: z.string().nullable().describe('Why it did not succeed.'),
    mode: z.enum(['closed', 'open']).describe('`open` while more nodes may come.'),
    front: graphHeaderSchema.shape.front.describe(
      'Who sent it: a client of this API, a running script, a workflow file.',
    ),
    labels: z.record(z.string(), z.string()).describe('Free facts, as they were sent.'),
    on_failure: graphHeaderSchema.shape.onFailure.describe('What a failed node does to the rest.'),
    max_parallel: z.number().int().nullable().describe('Attempts at the same time, at most; null: no limit.'),
    counts: counts.describe('Nodes by state.'),
    last_event: z
      .number()
      .int()
      .describe('Number of the last event that this answer knows of: `after` of the events that follow.'),
    time_info: timeInfoSchema,
    parent: z.string().nullable().describe('The job whose script sent it.'),
    retry_of: z.string().nullable().describe('The graph that this one repeats.'),
    workflow: z
      .object({
        name: z.string().describe('Of the workflow.'),
        version: z.string().describe('The code that this run keeps to its end.'),
        result: z.any().describe('What the workflow has returned; null before.'),
      })
      .nullable()
      .describe('Of a run of a workflow file.'),
    links,
  })
  .meta({
    id: 'GraphState',
    examples: [
      {
        id: graphId,
        name: 'pump for the shop',
        state: 'running',
        message: null,
        mode: 'closed',
        front: 'rest',
        labels: {},
        on_failure: 'finish',
        max_parallel: null,
        counts: { total: 3, waiting: 1, queued: 0, running: 1, succeeded: 1, failed: 0, revoked: 0, skipped: 0 },
        last_event: 4,
        time_info: {
          request: '2026-11-21T11:49:05.570674',
          started: '2026-11-21T11:49:05.602000+00:00',
          stopped: null,
        },
        parent: null,
        retry_of: null,
        workflow: null,
        links: {},
      },
    ],
  });
export type GraphState = z.infer<typeof graphStateSchema>;

export const graphListSchema = z
  .object({
    graphs: z.array(graphStateSchema),
    next: z.string().nullable().describe('Cursor of the next page, or null.'),
  })
  .meta({ id: 'GraphList', examples: [{ graphs: [], next: null }] });

const labelProblem = 'must be a label, such as show:alpha, or the key of one';
const listStates = ['open', 'succeeded', 'failed', 'revoked'] as const;
export const graphListQuerySchema = z.object({
  limit: wholeNumber(1, 200).default(50).describe('Graphs on a page.'),
  cursor: shortText(4096, 'must be the text of "next" of the page before')
    .optional()
    .describe('`next` of the page before.'),
  state: oneOrMany(z.enum(listStates), `must be one of ${listStates.join(', ')}`)
    .optional()
    .describe('May be given several times. `open`: it has not ended.'),
  name: shortText(1000, 'must be a display name, once').optional().describe('The exact display name.'),
  name_contains: shortText(100, 'must be a part of a display name, once')
    .optional()
    .describe('A part of the display name, in either case.'),
  label: oneOrMany(shortText(1000, labelProblem), labelProblem)
    .optional()
    .describe('`key:value`, or `key` with any value. May be given several times: all must be there.'),
  front: graphHeaderSchema.shape.front.optional(),
  since: timeSchema.optional().describe('Requested at or after this time.'),
  until: timeSchema.optional().describe('Requested before this time.'),
});
export type GraphListQuery = z.infer<typeof graphListQuerySchema>;

const planSchema = z.object({
  nodes: z.number().int().describe('How many.'),
  dependencies: z.number().int().describe('How many.'),
  levels: z.number().int().describe('Steps that cannot be taken at the same time.'),
  widest: z.number().int().describe('Nodes of the level with most nodes.'),
  critical_path: z.array(z.string()).describe('One of the longest ways through the graph.'),
  order: z.array(z.string()).describe('All nodes, each after those that it waits for.'),
  waits_for: z
    .record(z.string(), z.array(z.string()))
    .describe('By id what a node waits for, named in `deps` or elsewhere; without those that wait for nothing.'),
  queues: z.array(
    z.object({
      queue: z.string().describe('Its name.'),
      nodes: z.number().int().describe('Nodes that go there.'),
      served: z.boolean().nullable().describe('Whether a worker serves it now; null when that cannot be told.'),
    }),
  ),
});
export type Plan = z.infer<typeof planSchema>;

export const validationSchema = z
  .object({
    valid: z.boolean().describe('Whether it would be accepted.'),
    problems: z.array(problemSchema).describe('The first thousand.'),
    problem_count: z.number().int().describe('How many there are.'),
    plan: planSchema.nullable().describe('null when the graph has problems.'),
  })
  .meta({
    id: 'GraphValidation',
    examples: [
      {
        valid: true,
        problems: [],
        problem_count: 0,
        plan: {
          nodes: 2,
          dependencies: 1,
          levels: 2,
          widest: 1,
          critical_path: ['convert', 'resize'],
          order: ['convert', 'resize'],
          waits_for: { resize: ['convert'] },
          queues: [{ queue: 'cpu', nodes: 2, served: true }],
        },
      },
    ],
  });
export type Validation = z.infer<typeof validationSchema>;

export const addedNodesSchema = z
  .object({
    nodes: z.array(
      z.object({
        id: z.string().nullable().describe('As the request called it.'),
        status: z.enum(['created', 'exists', 'rejected']).describe('`exists`: the same node was sent before.'),
        number: z.number().int().nullable().describe('Its number in the graph.'),
        job: z.string().nullable().describe('Id of its job.'),
        problem: problemSchema.nullable().describe('Why it was rejected.'),
      }),
    ),
  })
  .meta({
    id: 'AddedNodes',
    description: 'What became of each node, in the order of the request.',
    examples: [{ nodes: [{ id: 'report', status: 'created', number: 4, job: jobId, problem: null }] }],
  });
export type AddedNodes = z.infer<typeof addedNodesSchema>;

const maxParallelRule = 'must be a whole number from 1 to 10000, or null';

export const graphChangesSchema = z
  .strictObject({
    priority: z
      .number({ error: 'must be a whole number from 0 to 9' })
      .int({ error: 'must be a whole number from 0 to 9' })
      .min(0)
      .max(9)
      .optional()
      .describe('0 (first) … 9 (last), for everything of this graph that has not started.'),
    max_parallel: z
      .number({ error: maxParallelRule })
      .int({ error: maxParallelRule })
      .min(1, maxParallelRule)
      .max(10_000, maxParallelRule)
      .nullable()
      .optional()
      .describe('Attempts at the same time, at most; null: no limit. Those under way go on.'),
  })
  .refine((changes) => Object.keys(changes).length > 0, 'names nothing to change: priority, max_parallel')
  .meta({ id: 'GraphChanges', examples: [{ priority: 0, max_parallel: 4 }] });

export const waitQuerySchema = z.object({
  wait: wholeNumber(0, 60).default(0).describe('Seconds to wait for the end of the graph before answering.'),
});

export const deletedGraphSchema = z
  .object({ id: z.string(), deleted: z.literal(true) })
  .meta({ id: 'DeletedGraph', examples: [{ id: graphId, deleted: true }] });

export const graphErrorSchema = z
  .object({
    code: z.string().describe('What happened, for programs: see the documentation.'),
    message: z.string().describe('What happened and what to do, for people.'),
    retryable: z.boolean().describe('Whether the same request may succeed later.'),
    field: z.string().optional().describe('The parameter or field that is wrong.'),
    problems: z.array(problemSchema).optional().describe('Of a refused graph: the first thousand problems.'),
    problem_count: z.number().int().optional(),
  })
  .meta({
    id: 'GraphError',
    description: 'Every error of the calls below /graphs.',
    examples: [
      {
        code: 'INVALID_GRAPH',
        message: 'the graph has 1 problem: nodes[3].deps[0]: there is no node "convrt": did you mean "convert"?',
        retryable: false,
        problems: [
          {
            path: 'nodes[3].deps[0]',
            code: 'unknown-node',
            message: 'there is no node "convrt": did you mean "convert"?',
          },
        ],
        problem_count: 1,
      },
    ],
  });
export type GraphErrorBody = z.infer<typeof graphErrorSchema>;

/** The error answers of a route below `/graphs`, for its schema; see `errorAnswers`. */
export function graphErrorAnswers(...statuses: number[]): Record<never, never> {
  return Object.fromEntries([400, 401, 403, 429, 500, 503, ...statuses].map((status) => [status, graphErrorSchema]));
}
