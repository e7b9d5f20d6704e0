import { z } from 'zod';
import { commandSchema } from './command.js';
import { callbackSchema, fileRefSchema, handedOn } from './job.js';
import { jsonSchema } from './json.js';
import { failurePolicies, retryPolicySchema, triggerRules } from './scheduling.js';

export type { Command } from './command.js';

/**
 * A graph as it was asked for, on the share:
 *
 *     <root>/<graph id>/graph.json            the header ({@link GraphHeader}): written once
 *                       nodes/<first>.jsonl   one {@link NodeSpec} a line, from node number <first> (8 digits) on
 *                       inputs/               scripts and files that came with the graph, shared by its nodes
 *                       maps/<n>.jsonl        what the `map` of node n has become: a line of numbers, then the items
 *                       events.jsonl          the journal (`src/contract/journal.ts`)
 *                       run.json              of a workflow file: what its run was given; result.json: what it returned
 *
 * A chunk of nodes is written once and never changed; an open graph gets further chunks. The chunk's file is made with
 * "must not exist", so two that append at once cannot both get the same numbers. A node's own folder (`<root>/<job id>`)
 * is made by its first attempt, which writes its `spec.json` and `job.json` there: a graph of 10,000 nodes costs one file
 * when it is sent. Until then the journal tells the state of the node's job.
 */

export const graphHeaderSchema = z.object({
  version: z.literal(1),
  graphId: z.string(),
  name: z.string().nullable(),
  /** Free facts of the user, for lists. */
  labels: z.record(z.string(), z.string()),
  /** JSON text: what expressions of its nodes read as `params`. Absent: an empty object. */
  paramsText: z.string().optional(),
  /** Who asked: a REST client, a running script (canvas), or a TypeScript workflow file. */
  front: z.enum(['rest', 'script', 'workflow']),
  /** More nodes may come until it is closed. */
  open: z.boolean(),
  onFailure: z.enum(failurePolicies),
  /** Attempts in flight at most; null: the engine's own window. */
  maxParallel: z.number().int().min(1).nullable(),
  /** The job whose script sent it, and which of its sendings this is (from 0); null for others. */
  parent: z.object({ jobId: z.string(), call: z.number().int().min(0) }).nullable(),
  /** The graph that this one repeats, or null. */
  retryOf: z.string().nullable(),
  /** Name of the TypeScript workflow, or null. */
  workflow: z.string().nullable(),
  /** The version of its file that the run belongs to. */
  workflowVersion: z.string().optional(),
  /** UTC, ISO 8601 without offset, microseconds. */
  timeRequest: z.string(),
  /** SHA-256 of the request, to tell a repeated request from another one under the same idempotency key. */
  digest: z.string().nullable(),
  /** Where the request stands in a trace (`traceparent`); absent: nothing is traced. */
  trace: z.string().optional(),
});
export type GraphHeader = z.infer<typeof graphHeaderSchema>;

/** An input file: known when the graph is sent, or an output of another node. */
export const nodeFileSchema = z.union([
  fileRefSchema,
  /** `output` is a path below that node's outputs. */
  z.strictObject({ node: z.number().int().min(1), output: z.string().min(1) }),
]);
export type NodeFile = z.infer<typeof nodeFileSchema>;

/** Where a node's parameters come from. Resolved by its attempt, on the worker: results never travel through a history. */
export const paramsSourceSchema = z.discriminatedUnion('kind', [
  /** JSON text, passed on as it is. */
  z.object({ kind: z.literal('text'), text: z.string() }),
  /** JSON text whose strings may hold `${{ expression }}`; see `src/store/templates.ts`. */
  z.object({ kind: z.literal('template'), text: z.string() }),
  /** The value that node `of` hands on, as it is. */
  z.object({ kind: z.literal('value'), of: z.number().int().min(1) }),
  /** A list, in this order: numbers are values that nodes hand on; lists nest (a group inside a group's place). */
  z.object({ kind: z.literal('values'), of: z.array(z.number().int().min(1)) }),
]);
export type ParamsSource = z.infer<typeof paramsSourceSchema>;

/** One node, whole: what {@link GraphNode} (the interpreter's view) leaves out is for the attempt. */
export const nodeSpecSchema = z.object({
  /** From 1, over all chunks. */
  index: z.number().int().min(1),
  /** The name by which the graph's author and templates call it; unique in the graph. */
  id: z.string().min(1).max(200),
  /** Display name of the job, or null. */
  name: z.string().nullable(),
  kind: z.enum(['script', 'command', 'barrier']),
  process: z.string(),
  /** null for commands and barriers. */
  script: fileRefSchema.nullable(),
  entrypoint: z.string(),
  command: commandSchema.nullable(),
  data: nodeFileSchema.nullable(),
  rootFile: z.string().nullable(),
  computeOnly: z.boolean(),
  raw: z.boolean(),
  handsOn: z.enum(handedOn),
  context: z.record(z.string(), jsonSchema),
  params: paramsSourceSchema,
  queue: z.string(),
  /** Seconds; null means none. */
  timeLimit: z.number().nullable(),
  countdown: z.number().min(0),
  expires: z.number().nullable(),
  /** 1 (first) … 5 (last). */
  priority: z.number().int().min(1).max(5),
  retry: retryPolicySchema,
  /** Node numbers. */
  deps: z.array(z.number().int().min(1)),
  trigger: z.enum(triggerRules),
  /** An expression (the text between `${{` and `}}`); false: the node is skipped. */
  when: z.string().nullable(),
  /** One job for each item of a list known only when the graph runs; `over` is an expression. */
  map: z.object({ over: z.string(), max: z.number().int().min(1) }).nullable(),
  /** Take the outputs and result of an earlier node with the same content key, where there is one. */
  reuse: z.boolean(),
  callback: callbackSchema.nullable(),
  tags: z.record(z.string(), z.string()),
  /** Its job's folder was taken over from the graph that this one repeats: it has succeeded from the start. */
  kept: z.literal(true).optional(),
  /** A map that runs again: its items of the graph before, which are not run again where they have succeeded with the same. */
  itemsBefore: z.object({ graphId: z.string(), first: z.number().int(), count: z.number().int().min(0) }).optional(),
});
export type NodeSpec = z.infer<typeof nodeSpecSchema>;
