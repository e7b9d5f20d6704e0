import { z } from 'zod';
import { nodeSpecSchema, paramsSourceSchema } from './graph-document.js';
import { uuidPattern } from './ids.js';
import { handedOn } from './job.js';
import { jsonSchema } from './json.js';
import { triggerRules } from './scheduling.js';

/**
 * What a running script asks its worker for, over the child's socket. It comes from the Python package, but users' code
 * shares the process: everything is checked. Its twin is `python/pixyz_worker/_canvas/_session.py`.
 */

/** The most nodes that one canvas may have. */
export const maxCanvasNodes = 50_000;

const { shape } = nodeSpecSchema;

/** A node of a canvas. What is as usual may be left out; `retry` is the installation's. */
export const canvasNodeSchema = z.strictObject({
  index: shape.index,
  id: shape.id,
  name: shape.name.default(null),
  kind: z.enum(['script', 'barrier']).default('script'),
  process: shape.process.default('custom'),
  script: shape.script.default(null),
  entrypoint: shape.entrypoint.default('main'),
  command: z.null().default(null),
  data: shape.data.default(null),
  rootFile: shape.rootFile.default(null),
  computeOnly: shape.computeOnly.default(false),
  raw: shape.raw.default(true),
  handsOn: z.enum(handedOn).default('value'),
  context: shape.context.default({}),
  params: paramsSourceSchema.default({ kind: 'text', text: '{}' }),
  queue: shape.queue.default('gpu'),
  timeLimit: shape.timeLimit.default(null),
  countdown: shape.countdown.default(0),
  expires: shape.expires.default(null),
  priority: shape.priority.default(3),
  deps: shape.deps.default([]),
  trigger: z.enum(triggerRules).default('all_succeeded'),
  when: z.null().default(null),
  map: z.null().default(null),
  reuse: z.literal(false).default(false),
  callback: z.null().default(null),
  tags: shape.tags.default({}),
});

const submitSchema = z.strictObject({
  kind: z.literal('submit'),
  /** Which of the script's sendings this is, from 0: with the job it names the graph, so a retried script meets it again. */
  call: z.number().int().min(0),
  name: z.string().nullable(),
  /** An id that the script has chosen, for a task that is sent alone. */
  taskId: z.string().regex(uuidPattern, 'task_id is no UUID').nullable(),
  nodes: z.array(canvasNodeSchema).min(1).max(maxCanvasNodes),
  /** Texts that several nodes share, by file name: they go to the graph's inputs. */
  files: z.record(z.string().regex(/^context-[0-9a-f]{16}\.json$/), z.string()),
  /** The handle that the script gets, in small; kept for `children`. */
  shape: jsonSchema,
});
export type CanvasSubmission = z.infer<typeof submitSchema>;

const revokeSchema = z.strictObject({
  kind: z.literal('revoke'),
  jobs: z.array(z.string().regex(uuidPattern)).min(1).max(maxCanvasNodes),
});

export const scriptRequestSchema = z.discriminatedUnion('kind', [submitSchema, revokeSchema]);
