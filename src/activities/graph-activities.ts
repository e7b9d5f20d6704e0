import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { PlanPart } from '../contract/graph.js';
import type { NodeSpec } from '../contract/graph-document.js';
import { isList, stringifyExact } from '../store/exact-json.js';
import { ExpressionError, evaluateInTurn, referencesOf } from '../store/expressions.js';
import { planPart } from '../store/graph-plan.js';
import type { GraphShare } from '../store/graph-share.js';
import { fault } from './script-fault.js';

/** What the interpreter asks about graphs that have a document: quick, and the same however often it is asked. */
export interface GraphActivities {
  /** Nodes `first`…`first + count - 1` of a graph's document, as the interpreter sees them. */
  loadPlan(graphId: string, first: number, count: number): Promise<PlanPart>;
  /**
   * The value of a node's `when`. An expression that cannot be evaluated throws an ApplicationFailure that is not
   * retryable, with an `AttemptFault` as its detail: the node fails with it.
   */
  evaluateWhen(graphId: string, node: number): Promise<boolean>;
  /**
   * Evaluates the list of a map node, keeps the items and the first item's node number with the graph, and returns how many
   * there are. Called again with the same numbers, it gives the same answer. More than `map.max`, or no list: as above.
   */
  expandMap(graphId: string, node: number, first: number): Promise<number>;
}

export function createGraphActivities({ documents, values }: GraphShare): GraphActivities {
  async function nodeOf(graphId: string, index: number): Promise<NodeSpec> {
    const node = await documents.node(graphId, index);
    if (node === null) throw fault('invalid', `the document of graph ${graphId} has no node ${index}`);
    return node;
  }

  return {
    async loadPlan(graphId, first, count) {
      const nodes = await documents.nodes(graphId, first, count);
      if (nodes.length === 0 && (await documents.header(graphId)) === null)
        throw ApplicationFailure.nonRetryable(`the document of graph ${graphId} has been deleted`, 'NOT_FOUND');
      // A retry may find them: a share on a network shows new files late.
      if (nodes.length < count) throw new Error(`graph ${graphId} has no nodes from ${first + nodes.length} on yet`);
      return planPart(first, nodes);
    },

    async evaluateWhen(graphId, index) {
      const node = await nodeOf(graphId, index);
      const expression = node.when;
      if (expression === null) return true;
      const value = await asked('when', async () =>
        evaluateInTurn(expression, await values.scope({ graphId, node }, referencesOf(expression)), cancelled()),
      );
      if (typeof value === 'boolean') return value;
      throw fault('invalid', `when: ${expression} is ${shown(stringifyExact(value))}, not true or false`);
    },

    async expandMap(graphId, index, first) {
      const before = await documents.mapped(graphId, index);
      if (before?.first === first) return before.count;
      const node = await nodeOf(graphId, index);
      const { map } = node;
      if (map === null) throw fault('invalid', `node "${node.id}" has no map`);
      const list = await asked('map.over', async () =>
        evaluateInTurn(map.over, await values.scope({ graphId, node }, referencesOf(map.over)), cancelled()),
      );
      const items = typeof list === 'object' && list !== null && isList(list) ? list : null;
      if (items === null) throw fault('invalid', `map.over: ${map.over} is ${shown(stringifyExact(list))}, not a list`);
      if (items.length > map.max)
        throw fault('invalid', `map.over: ${map.over} has ${items.length} items, more than its max of ${map.max}`);
      return documents.writeItems(graphId, index, first, items.map(stringifyExact));
    },
  };
}

/** Set when the call is over, be it by its time limit; absent where it is no activity (tests). */
function cancelled(): AbortSignal | undefined {
  try {
    return Context.current().cancellationSignal;
  } catch {
    return undefined;
  }
}

async function asked<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ExpressionError) throw fault('invalid', `${what}: ${error.message}`);
    throw error;
  }
}

function shown(text: string): string {
  return text.length <= 100 ? text : `${text.slice(0, 100)}…`;
}
