import { z } from 'zod';
import { graphHeaderSchema } from './graph-document.js';
import { faultKindSchema, resultFileSchema } from './job.js';
import { jsonSchema } from './json.js';
import { failurePolicies, retryPolicySchema, triggerRules } from './scheduling.js';

/**
 * What crosses the border between the engine, the interpreter workflow and the activities. Small by design: a history
 * carries references (job ids) and decisions, the share carries scripts, parameters and results.
 * Field names here are wire format: runs in flight break when one is renamed.
 */

export const graphNodeSchema = z.object({
  /** From 1, dense; with the graph's id it makes the job id. */
  index: z.number().int().min(1),
  /** What people call it: the job's name, else the process or the script. */
  label: z.string(),
  queue: z.string(),
  /** Seconds; null means none. */
  timeLimit: z.number().nullable(),
  /** Seconds to wait before the node may start. */
  countdown: z.number().min(0),
  /** Seconds after which a node that has not started is revoked; null means never. */
  expires: z.number().nullable(),
  /** 1 (first) … 5 (last); Temporal's priority key. */
  priority: z.number().int().min(1).max(5),
  retry: retryPolicySchema,
  deps: z.array(z.number().int().min(1)),
  trigger: z.enum(triggerRules),
  /** A signed notice is due when it has ended. */
  hasCallback: z.boolean(),
  /** Where it goes on: its first attempts were those of a standalone activity. */
  resume: z
    .object({
      /** Number of the next attempt. */
      attempt: z.number().int().min(2),
      queue: z.string(),
      timeLimit: z.number().nullable(),
      retriesUsed: z.number().int(),
      lossesUsed: z.number().int(),
      /** It has just moved to another queue, which nobody may serve. */
      rescued: z.boolean(),
    })
    .optional(),
  /** `barrier`: no job, it ends as succeeded when its rule holds. Absent: a task. */
  kind: z.enum(['task', 'barrier']).optional(),
  /** It has a `when`: asked (`evaluateWhen`) once its rule holds; false skips it. */
  conditional: z.literal(true).optional(),
  /**
   * It becomes one job for each item of a list (`expandMap`), `max` at most. The items run as the node would, under numbers
   * from `firstItemNumber` on; the node ends when they have: as succeeded if all have.
   */
  map: z.object({ max: z.number().int().min(1) }).optional(),
  /**
   * What it runs, in a word: nodes with the same word and queue take about the same time. Short ones travel together
   * (`runScripts`). Absent: never.
   */
  work: z.string().optional(),
});
export type GraphNode = z.infer<typeof graphNodeSchema>;

export const graphInputSchema = z.object({
  graphId: z.string(),
  /** The plan, where it is small (about 400 nodes); empty for an open graph that starts empty, or with `stored`. */
  nodes: z.array(graphNodeSchema),
  /** Nodes 1…`stored` are read from the graph's document by `loadPlan`, instead of `nodes`. */
  stored: z.number().int().min(0).optional(),
  /** Absent: `finish`. */
  onFailure: z.enum(failurePolicies).optional(),
  /** It stays open for further nodes until it is closed. */
  open: z.literal(true).optional(),
  /** It has a document and a journal on the share. Absent: a single job, which has neither. */
  journal: z.literal(true).optional(),
  /** Attempts in flight at most; absent or null: the engine's own window. */
  maxParallel: z.number().int().min(1).nullable().optional(),
  /** Nodes of one run at most (a map counts as all its items), before the graph is cut into parts; for tests. */
  partSize: z.number().int().min(1).optional(),
});
export type GraphInput = z.infer<typeof graphInputSchema>;

/** Facts that lists are filtered by; kept in the search attributes of the run. */
export const runLabelsSchema = z.object({
  name: z.string().nullable(),
  queue: z.string(),
  process: z.string(),
  /** Who sent the graph; absent for a single job. */
  front: graphHeaderSchema.shape.front.optional(),
});
export type RunLabels = z.infer<typeof runLabelsSchema>;

/** What many nodes have in common. */
export type PlanTemplate = Omit<GraphNode, 'index' | 'label' | 'deps'>;

/** A stretch of the plan, made small for the history: row `i` is node `first + i`. */
export interface PlanPart {
  readonly first: number;
  readonly templates: readonly PlanTemplate[];
  readonly rows: readonly (readonly [template: number, label: string, deps: readonly number[]])[];
}

/** Signals of a running graph: name and arguments. They go to the workflow whose id is the graph's. */
export interface GraphSignals {
  /** Ends one node, or all (null). */
  cancelNode: [node: number | null, reason: string];
  /** Nodes `first`…`first + count - 1` are in the document. Sent again, or late, it does no harm. */
  addNodes: [chunk: { readonly first: number; readonly count: number }];
  /** No more nodes will come: an open graph may end. */
  closeGraph: [];
  /** No further attempt starts; those under way go on. */
  pauseGraph: [];
  resumeGraph: [];
  /**
   * Runs a node that has failed or was revoked again, and what was skipped because of it; null: all such nodes.
   * Only while the graph has not ended.
   */
  retryNode: [node: number | null];
  /** Attempts in flight at most, from now on; null: the engine's own bound. Those under way go on. */
  setParallel: [max: number | null];
  /** For attempts that have not been handed to a queue yet. 1 (first) … 5 (last); null: all nodes. */
  setPriority: [change: { readonly node: number | null; readonly priority: number }];
  /**
   * From the worker, about a batch that takes longer than its budget: what has ended so far, and (`not-begun`) what it
   * will not begin any more. Goes to the workflow that the activity belongs to.
   */
  handBack: [report: { readonly jobs: readonly JobOutcome[] }];
}

/** Input of the activity `runScript`: which job, and the decisions that are the interpreter's. */
export const attemptInputSchema = z.object({
  jobId: z.string(),
  /** From 1, over all queues. */
  attempt: z.number().int().min(1),
  queue: z.string(),
  timeLimit: z.number().nullable(),
  /** What the resubmission rules need, so that the attempt can write the state that the interpreter will decide. */
  retry: retryPolicySchema,
  retriesUsed: z.number().int(),
  lossesUsed: z.number().int(),
  /**
   * Present when no interpreter stands behind the attempt: the job is a graph of one plain node, run as a standalone activity.
   * Then Temporal counts the attempts, what was used up is in the record, and a fault that allows another attempt turns the
   * job into a run of the interpreter (this node, these labels).
   */
  alone: z
    .object({
      node: graphNodeSchema,
      labels: runLabelsSchema,
      /** Temporal's id of this run of the activity; the attempt itself fills it in. */
      runId: z.string().optional(),
    })
    .optional(),
  /** A node of a graph with a document: the attempt makes the job's folder from it where there is none. */
  graph: z.literal(true).optional(),
  /** The job is one of the items of the map node `map`: the one at place `at`, from 0. */
  item: z.object({ map: z.number().int().min(1), at: z.number().int().min(0) }).optional(),
});
export type AttemptInput = z.infer<typeof attemptInputSchema>;

/** Result of `runScript`. A large result stays on the share, and so does every result of an input with `graph`. */
export const attemptResultSchema = z.object({
  result: jsonSchema,
  resultFile: resultFileSchema.nullable(),
  /** How long the worker was busy with it, in milliseconds: short ones travel together from then on. */
  tookMs: z.number().optional(),
});
export type AttemptResult = z.infer<typeof attemptResultSchema>;

/** Details of the failure that `runScript` throws; its type is the error code. */
export const attemptFaultSchema = z.object({
  kind: faultKindSchema,
  message: z.string(),
});
export type AttemptFault = z.infer<typeof attemptFaultSchema>;

/**
 * Input of the activity `runScripts`: short attempts for one slot, run one after another in this order. A later one may
 * depend on an earlier one (a chain), so **the first that does not succeed ends the batch**; so does the budget, looked at
 * before each. While one runs past the budget, the worker sends `handBack` once, at once, for all the others, and does not
 * begin those it has called `not-begun`. Whoever cancels the activity means all that is left of it.
 */
export const batchInputSchema = z.object({
  inputs: z.array(attemptInputSchema).min(1),
  budgetMs: z.number().positive(),
});
export type BatchInput = z.infer<typeof batchInputSchema>;

/** What came of one input of a batch. */
export const jobOutcomeSchema = z.object({
  jobId: z.string(),
  attempt: z.number().int().min(1),
  outcome: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('succeeded'), tookMs: z.number() }),
    z.object({ kind: z.literal('fault'), fault: attemptFaultSchema }),
    z.object({ kind: z.literal('not-begun') }),
    /** Only from `settleBatch`: it has begun, and no end is written down. */
    z.object({ kind: z.literal('begun') }),
  ]),
});
export type JobOutcome = z.infer<typeof jobOutcomeSchema>;

/** Result of `runScripts`: one entry for each input, in its order, those already told by `handBack` too. */
export interface BatchResult {
  readonly jobs: readonly JobOutcome[];
}
