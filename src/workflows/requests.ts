import {
  ApplicationFailure,
  type CancellationScope,
  CancelledFailure,
  defineSignal,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { GraphSignals } from '../contract/graph.js';
import type { FinishCommand, GraphEvent } from '../graph/events.js';

/** What every run of a graph has in common, whoever decides about its nodes: requests from outside, and how it ends. */

const cancelNode = defineSignal<GraphSignals['cancelNode']>('cancelNode');
const pauseGraph = defineSignal<GraphSignals['pauseGraph']>('pauseGraph');
const resumeGraph = defineSignal<GraphSignals['resumeGraph']>('resumeGraph');
const retryNode = defineSignal<GraphSignals['retryNode']>('retryNode');
const setParallel = defineSignal<GraphSignals['setParallel']>('setParallel');
const setPriority = defineSignal<GraphSignals['setPriority']>('setPriority');

/** Hands requests to the core as events. */
export function listen(dispatch: (event: GraphEvent) => void, root: CancellationScope): void {
  setHandler(cancelNode, (node, reason) => dispatch({ type: 'cancel', node, reason }));
  setHandler(pauseGraph, () => dispatch({ type: 'pause' }));
  setHandler(resumeGraph, () => dispatch({ type: 'resume' }));
  setHandler(retryNode, (node) => dispatch({ type: 'retry', node }));
  setHandler(setParallel, (max) => dispatch({ type: 'limit', max }));
  setHandler(setPriority, ({ node, priority }) => dispatch({ type: 'priority', node, priority }));
  void root.cancelRequested.catch(() => dispatch({ type: 'cancel', node: null, reason: 'cancelled' }));
}

/** Ends the workflow as its graph has ended: returns when it has succeeded. @throws ApplicationFailure, CancelledFailure */
export function outcomeOf(outcome: FinishCommand, root: CancellationScope): void {
  switch (outcome.state) {
    case 'succeeded':
      return;
    case 'failed':
      throw ApplicationFailure.nonRetryable(outcome.message, 'GRAPH_FAILED');
    case 'revoked':
      if (root.consideredCancelled) throw new CancelledFailure(outcome.message);
      // Expired, or all nodes were cancelled one by one: Temporal has no word for it but "failed", so a label tells.
      upsertSearchAttributes({ PixyzState: ['REVOKED'] });
      throw ApplicationFailure.nonRetryable(outcome.message, 'REVOKED');
  }
}
