import { z } from 'zod';

/** Rules of a node that the whole way shares: fronts write them, the document keeps them, the interpreter obeys them. */

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

/** What to do with the rest of a graph when a node has failed for good. */
export const failurePolicies = ['finish', 'stop'] as const;
export type FailurePolicy = (typeof failurePolicies)[number];
