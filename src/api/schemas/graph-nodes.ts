import { z } from 'zod';
import { attemptSchema, callbackSchema, timeInfoSchema } from '../../contract/job.js';
import { triggerRules } from '../../contract/scheduling.js';
import { graphParamsSchema, jobId, links } from './graphs.js';
import { oneOrMany, truthy, wholeNumber } from './jobs.js';

/** Answers of the calls below `/graphs/{graph}/nodes`, and their parameters. */

export const nodeParamsSchema = z.object({
  ...graphParamsSchema.shape,
  node: z
    .string()
    .min(1)
    .max(1000)
    .meta({
      description: 'Id of the node, or its number. Item 3 of a `map` node called `resize` is `resize[3]`.',
      examples: ['resize'],
    }),
});

/** What a node can be asked for. `mapped` has become the items behind it; its own state is that of all of them. */
export const shownNodeStates = ['waiting', 'queued', 'running', 'succeeded', 'failed', 'revoked', 'skipped'] as const;
export type ShownNodeState = (typeof shownNodeStates)[number];

const exampleNode = {
  id: 'resize',
  number: 2,
  job: jobId,
  label: 'resize',
  state: 'running',
  message: null,
  fault: null,
  kind: 'script',
  queue: 'cpu',
  attempt: 1,
  progress: 40,
  deps: ['convert'],
} as const;

const nodeShape = {
  id: z.string().describe('As the request called it; of an item of a map `<id>[<place>]`.'),
  number: z.number().int().describe('Its number in the graph, from 1: the last digits of the id of its job.'),
  job: z.string().nullable().describe('Id of its job: all calls below `/jobs` take it. null for a barrier.'),
  label: z.string().describe('Display name of its job.'),
  state: z.enum(shownNodeStates).describe('`waiting`: its time has not come; `queued`: it waits for a worker.'),
  message: z
    .string()
    .nullable()
    .describe('Why it failed, was revoked or skipped; of a node that is tried again, why the last attempt failed.'),
  fault: z.string().nullable().describe('The kind of that failure, as `outcome` of attempts.'),
  kind: z.enum(['script', 'command', 'barrier', 'map']).describe('What it runs.'),
  queue: z.string().nullable().describe('Where it runs; null of a barrier.'),
  attempt: z.number().int().describe('Number of the last attempt; 0 before the first.'),
  progress: z.number().int().nullable().describe('Percent, while it runs.'),
  deps: z.array(z.string()).describe('Ids of the nodes that it waits for, named in `deps` or elsewhere.'),
};

export const nodeStateSchema = z.object(nodeShape).meta({
  id: 'NodeState',
  examples: [exampleNode],
});
export type NodeState = z.infer<typeof nodeStateSchema>;

const listedNodeSchema = z.object({
  ...nodeShape,
  attempts: z.array(attemptSchema).optional().describe('Only with `attempts=true`.'),
});
export type ListedNode = z.infer<typeof listedNodeSchema>;

export const nodeListSchema = z
  .object({
    nodes: z.array(listedNodeSchema),
    next: z.string().nullable().describe('Cursor of the next page, or null.'),
  })
  .meta({ id: 'NodeList', examples: [{ nodes: [exampleNode], next: '200' }] });

export const nodeListQuerySchema = z.object({
  state: oneOrMany(z.enum(shownNodeStates), `must be one of ${shownNodeStates.join(', ')}`)
    .optional()
    .describe('May be given several times.'),
  attempts: truthy.default(false).describe('`true`: with the attempts of each node: worker, times, outcome.'),
  limit: wholeNumber(1, 1000).default(200).describe('Nodes on a page.'),
  cursor: wholeNumber(0, 0xffff_ffff).optional().describe('`next` of the page before.'),
});
export type NodeListQuery = z.infer<typeof nodeListQuerySchema>;

export const nodeDetailsSchema = z
  .object({
    ...nodeShape,
    process: z.string().nullable().describe('`custom`, or the name of a shipped process.'),
    entrypoint: z.string().nullable().describe('The function that is called.'),
    command: z.array(z.string()).nullable().describe('Program and arguments, before templates are filled in.'),
    trigger: z.enum(triggerRules).describe('When its dependencies let it start.'),
    when: z.string().nullable().describe('The expression that decides whether it runs.'),
    map: z
      .object({
        over: z.string().describe('The expression that gives the list.'),
        max: z.number().int().describe('How many items it may have.'),
      })
      .nullable()
      .describe('One job for each item of a list.'),
    params: z
      .string()
      .nullable()
      .describe('As JSON text, which keeps the digits: filled in once it has started, with its templates before.'),
    items: z
      .object({ first: z.number().int(), count: z.number().int() })
      .nullable()
      .describe('The jobs that a `map` node has become: numbers `first` … `first + count - 1`.'),
    priority: z.number().int().describe('1 (first) … 5 (last).'),
    time_limit: z.number().nullable().describe('Seconds an attempt may take; null: none.'),
    retries: z.number().int().describe('Further attempts after a fault.'),
    tags: z.record(z.string(), z.string()).describe('Free facts, as they were sent.'),
    callback: callbackSchema.pick({ url: true }).nullable(),
    time_info: timeInfoSchema.describe('Times.'),
    attempts: z.array(attemptSchema).describe('Each try, in order.'),
    links,
  })
  .meta({
    id: 'NodeDetails',
    description: 'Everything known of a node; result and steps are with its job.',
    examples: [
      {
        ...exampleNode,
        process: 'custom',
        entrypoint: 'resize',
        command: null,
        trigger: 'all_succeeded',
        when: null,
        map: null,
        params: '{"width":512}',
        items: null,
        priority: 3,
        time_limit: 3600,
        retries: 1,
        tags: {},
        callback: null,
        time_info: {
          request: '2026-11-21T11:49:05.570674',
          started: '2026-11-21T11:49:05.602000+00:00',
          stopped: null,
        },
        attempts: [],
        links: {},
      },
    ],
  });
export type NodeDetails = z.infer<typeof nodeDetailsSchema>;

export const whySchema = z
  .object({
    state: z.enum(shownNodeStates).describe('Of the node.'),
    reasons: z.array(
      z.object({
        code: z
          .enum([
            'graph-ended',
            'not-started',
            'paused',
            'dependency',
            'limit',
            'delay',
            'retry',
            'no-worker',
            'busy',
            'queue-paused',
          ])
          .describe('For programs.'),
        message: z.string().describe('For people.'),
        node: z.string().optional().describe('The node that is waited for.'),
      }),
    ),
  })
  .meta({
    id: 'Why',
    description: 'Why a node does not run; empty when it does, or has ended.',
    examples: [
      {
        state: 'waiting',
        reasons: [{ code: 'dependency', message: 'node "convert" is running', node: 'convert' }],
      },
    ],
  });
export type Why = z.infer<typeof whySchema>;

export const nodesChosenSchema = z
  .strictObject({ ids: z.array(z.string().min(1).max(1000)).min(1).max(1000).describe('Ids or numbers of nodes.') })
  .meta({ id: 'NodesChosen', examples: [{ ids: ['resize', 'report'] }] });

export const nodesToldSchema = z
  .object({ nodes: z.array(z.object({ id: z.string(), status: z.enum(['sent', 'already-ended', 'unknown']) })) })
  .meta({ id: 'NodesTold', examples: [{ nodes: [{ id: 'resize', status: 'sent' }] }] });
