import type { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { Logger } from 'pino';
import type {
  AttemptFault,
  AttemptInput,
  AttemptResult,
  BatchInput,
  BatchResult,
  GraphSignals,
  JobOutcome,
} from '../contract/graph.js';

export interface BatchDeps {
  /** Tells the run that a batch belongs to what will not be done by it. */
  readonly handBack: (workflowId: string, report: GraphSignals['handBack'][0]) => Promise<void>;
  readonly logger: Logger;
}

/**
 * Short attempts, one after another, in one slot. Rules:
 * 1. The first that does not succeed ends the batch: a later one may depend on it.
 * 2. The budget is looked at before each. While one runs past it, the others are given back at once, and are not begun
 *    here any more: somebody else may have begun them.
 * 3. A cancel means all that is left: the one that runs ends, and the batch with it.
 */
export async function runBatch(
  deps: BatchDeps,
  { inputs, budgetMs }: BatchInput,
  context: Context,
  run: (input: AttemptInput) => Promise<AttemptResult>,
): Promise<BatchResult> {
  const ended: JobOutcome[] = [];
  let stopped = false;
  const rest = (from: number): JobOutcome[] => inputs.slice(from).map((input) => told(input, { kind: 'not-begun' }));

  const overdue = setTimeout(() => {
    const running = ended.length;
    // Also when nothing is left to give back: until those that have ended are told of, the long one cannot be stopped alone.
    if (stopped || inputs.length < 2) return;
    stopped = true;
    const workflowId = context.info.workflowExecution?.workflowId;
    if (workflowId === undefined) return;
    deps.handBack(workflowId, { jobs: [...ended, ...rest(running + 1)] }).catch((error: unknown) => {
      // The result of the batch says the same, later.
      deps.logger.warn({ graph: workflowId, err: error }, 'a batch could not be given back');
    });
  }, budgetMs);
  const startedAt = performance.now();
  try {
    for (const input of inputs) {
      if (stopped || (ended.length > 0 && performance.now() - startedAt >= budgetMs)) break;
      const begunAt = performance.now();
      try {
        await run(input);
        ended.push(told(input, { kind: 'succeeded', tookMs: performance.now() - begunAt }));
      } catch (error) {
        ended.push(told(input, { kind: 'fault', fault: faultOf(error) }));
        break;
      }
      if (context.cancellationSignal.aborted) break;
    }
    stopped = true;
    return { jobs: [...ended, ...rest(ended.length)] };
  } finally {
    clearTimeout(overdue);
  }
}

function told({ jobId, attempt }: AttemptInput, outcome: JobOutcome['outcome']): JobOutcome {
  return { jobId, attempt, outcome };
}

/** @throws what is no outcome of a script: cancelled, or the worker itself failed */
function faultOf(error: unknown): AttemptFault {
  if (error instanceof CancelledFailure) throw error;
  const fault = error instanceof ApplicationFailure ? (error.details?.[0] as AttemptFault | undefined) : undefined;
  if (fault === undefined || typeof fault.kind !== 'string') throw error;
  return { kind: fault.kind, message: fault.message };
}
