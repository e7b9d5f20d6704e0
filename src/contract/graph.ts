import { z } from 'zod';
import { faultKindSchema, resultFileSchema } from './job.js';
import { jsonSchema } from './json.js';

/**
 * What crosses the border between the engine, the interpreter workflow and the activities. Small by design: a history
 * carries references (job ids) and decisions, the share carries scripts, parameters and results.
 * Field names here are wire format: runs in flight break when one is renamed.
 */

/** How often, and where, a node is tried again. See `src/graph/resubmission.ts`. */
export const retryPolicySchema = z.object({
  /** Retries allowed for the script's own faults (crash, exit, time limit, memory). */
  maxRetries: z.number().int().min(0),
  /** Retries allowed because a worker was lost; they do not count as the script's. */
  maxLosses: z.number().int().min(0),
  /** The queue that faulted jobs of `cpu` and `gpu` are rescued on. */
  rescueQueue: z.string(),
  /** Time limit in seconds of a rescue; null means none. */
  rescueTimeLimit: z.number().nullable(),
  /** How long a rescue waits for its queue before the interpreter asks whether anybody serves it, in seconds. */
  rescueWait: z.number().positive(),
});
export type RetryPolicy = z.infer<typeof retryPolicySchema>;

export const triggerRules = ['all_succeeded', 'all_done', 'any_failed'] as const;

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
});
export type GraphNode = z.infer<typeof graphNodeSchema>;

export const graphInputSchema = z.object({
  graphId: z.string(),
  nodes: z.array(graphNodeSchema).min(1),
});
export type GraphInput = z.infer<typeof graphInputSchema>;

/** Facts that lists are filtered by; kept in the search attributes of the run. */
export const runLabelsSchema = z.object({
  name: z.string().nullable(),
  queue: z.string(),
  process: z.string(),
});
export type RunLabels = z.infer<typeof runLabelsSchema>;

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
  alone: z.object({ node: graphNodeSchema, labels: runLabelsSchema }).optional(),
});
export type AttemptInput = z.infer<typeof attemptInputSchema>;

/** Result of `runScript`. A large result stays on the share. */
export const attemptResultSchema = z.object({
  result: jsonSchema,
  resultFile: resultFileSchema.nullable(),
});
export type AttemptResult = z.infer<typeof attemptResultSchema>;

/** Details of the failure that `runScript` throws; its type is the error code. */
export const attemptFaultSchema = z.object({
  kind: faultKindSchema,
  message: z.string(),
});
export type AttemptFault = z.infer<typeof attemptFaultSchema>;
