import type { GraphInput, GraphNode } from '../../src/contract/graph.js';
import { newGraphId } from '../../src/contract/new-graph-id.js';
import type { RetryPolicy } from '../../src/contract/scheduling.js';

/** Builders of small graphs: a test names only what it is about. */

export const retryPolicy: RetryPolicy = {
  maxRetries: 1,
  maxLosses: 3,
  rescueQueue: 'gpuhigh',
  rescueTimeLimit: 3600,
  rescueWait: 60,
};

export function node(index: number, overrides: Partial<GraphNode> = {}): GraphNode {
  return {
    index,
    label: `node ${index}`,
    queue: 'cpu',
    timeLimit: 60,
    countdown: 0,
    expires: null,
    priority: 3,
    retry: retryPolicy,
    deps: [],
    trigger: 'all_succeeded',
    hasCallback: false,
    ...overrides,
  };
}

export function graph(nodes: GraphNode[], graphId = newGraphId()): GraphInput {
  return { graphId, nodes };
}
