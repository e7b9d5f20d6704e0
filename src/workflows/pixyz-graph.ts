import { CancellationScope, defineSignal, log, setHandler, upsertMemo } from '@temporalio/workflow';
import type { GraphInput, GraphNode, GraphSignals } from '../contract/graph.js';
import { largestOpenGraph } from '../contract/limits.js';
import { weightOf } from '../graph/cut.js';
import type { FinishCommand } from '../graph/events.js';
import { coordinate } from './coordinator.js';
import { Interpreter, records } from './interpreter.js';
import { loadNodes } from './plan.js';
import { listen, outcomeOf } from './requests.js';

/**
 * A graph, or a single job (a graph of one node without document or journal). Requests come as signals and become events of
 * the core; a graph that is too large for one history is handed to parts.
 */

/** Node (null: all) and reason. */
export type CancelNodeArgs = GraphSignals['cancelNode'];
const addNodes = defineSignal<GraphSignals['addNodes']>('addNodes');
const closeGraph = defineSignal<GraphSignals['closeGraph']>('closeGraph');

/** Attempts in flight per run: above some hundreds, one workflow task can no longer schedule them in time. */
const window = 200;

/** A job costs 3.3 history events, and the server ends a run at 51,200. Items of maps count as what they may be at most. */
const mostNodes = 10_000;
/** The same for the parts of a graph that is larger. */
const partSize = 4_000;

export async function pixyzGraph(input: GraphInput): Promise<void> {
  const root = CancellationScope.current();
  // Everything of the run lives in this scope: a cancel request is an event for the core, not an exception in the middle.
  const outcome = await CancellationScope.nonCancellable(() => interpret(input, root));
  outcomeOf(outcome, root);
}

async function interpret(input: GraphInput, root: CancellationScope): Promise<FinishCommand> {
  const { graphId, open } = input;
  const stored = input.stored ?? 0;
  const nodes = stored > 0 ? await loadNodes(records.loadPlan, graphId, 1, stored) : input.nodes;
  if (open !== true && totalWeight(nodes) > (input.partSize ?? mostNodes))
    return coordinate(input, nodes, input.partSize ?? partSize, (dispatch) => listen(dispatch, root));

  const run = new Interpreter(nodes, {
    graphId,
    window: Math.min(window, input.maxParallel ?? window),
    widest: window,
    onFailure: input.onFailure ?? 'finish',
    open: open ?? false,
    journal: input.journal === true ? 'all' : 'none',
  });
  listen((event) => run.dispatch(event), root);
  if (open === true) takeNodes(graphId, nodes, run);
  run.dispatch({ type: 'start' });
  const outcome = await run.finished;
  if (input.journal === true) upsertMemo(run.memo());
  return outcome;
}

/** An open graph reads its document on, up to where it is told. One thing at a time, so "close" comes after what was added. */
function takeNodes(graphId: string, known: readonly GraphNode[], run: Interpreter): void {
  let last = known.length;
  let weight = totalWeight(known);
  let work = Promise.resolve();
  const take = async (until: number): Promise<void> => {
    if (until <= last) return;
    const nodes = await CancellationScope.nonCancellable(() =>
      loadNodes(records.loadPlan, graphId, last + 1, until - last),
    );
    last = until;
    weight += totalWeight(nodes);
    // The API says no before; should it not, a few nodes fail rather than the run with all of them.
    const full = weight > largestOpenGraph;
    run.dispatch({
      type: 'add',
      nodes,
      ...(full ? { refused: `an open graph takes ${largestOpenGraph} nodes at most: send a new one` } : {}),
    });
  };
  setHandler(addNodes, ({ first, count }) => {
    work = work
      .then(() => take(first + count - 1))
      .catch((error: unknown) =>
        log.error('nodes of an open graph could not be read', { graph: graphId, error: String(error) }),
      );
  });
  setHandler(closeGraph, () => {
    work = work.then(() => run.dispatch({ type: 'close' }));
  });
}

function totalWeight(nodes: readonly GraphNode[]): number {
  return nodes.reduce((sum, node) => sum + weightOf(node), 0);
}
