import type { GraphEvent, NodeState } from '../../src/client/types.js';
import { GraphModel } from '../../web/src/graph/model/graph-model.js';

/** Graphs as the page gets them. */
export function nodeState(number: number, id: string, more: Partial<NodeState> = {}): NodeState {
  return {
    id,
    number,
    job: null,
    label: id,
    state: 'waiting',
    message: null,
    fault: null,
    kind: 'script',
    queue: 'cpu',
    attempt: 0,
    progress: null,
    deps: [],
    ...more,
  };
}

export function event(
  type: GraphEvent['type'],
  number: number,
  node: string,
  more: Partial<GraphEvent> = {},
): GraphEvent {
  return { seq: 1, at: '2026-11-21T12:00:00.000Z', type, node, number, ...more };
}

/** Nodes by name with the names that they wait for, numbered in this order. */
export function modelOf(
  deps: Readonly<Record<string, readonly string[]>>,
  more: (id: string) => Partial<NodeState> = () => ({}),
): GraphModel {
  const model = new GraphModel();
  model.refresh(Object.entries(deps).map(([id, list], at) => nodeState(at + 1, id, { deps: [...list], ...more(id) })));
  return model;
}
