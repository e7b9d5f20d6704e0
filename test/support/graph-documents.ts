import type { GraphHeader, NodeSpec } from '../../src/contract/graph-document.js';
import { newGraphId } from '../../src/contract/new-graph-id.js';
import { retryPolicy } from './graphs.js';

/** Graphs as a front would write them: a test names only what it is about. */

export function graphHeader(overrides: Partial<GraphHeader> = {}): GraphHeader {
  return {
    version: 1,
    graphId: newGraphId(),
    name: 'assembly',
    labels: {},
    front: 'rest',
    open: false,
    onFailure: 'finish',
    maxParallel: null,
    parent: null,
    retryOf: null,
    workflow: null,
    timeRequest: '2026-11-21T11:49:05.570674',
    digest: null,
    ...overrides,
  };
}

export function nodeSpec(index: number, overrides: Partial<NodeSpec> = {}): NodeSpec {
  return {
    index,
    id: `n${index}`,
    name: null,
    kind: 'script',
    process: 'custom',
    script: { path: '/nowhere/s.py' },
    entrypoint: 'main',
    command: null,
    data: null,
    rootFile: null,
    computeOnly: false,
    raw: true,
    handsOn: 'value',
    context: {},
    params: { kind: 'text', text: '{}' },
    queue: 'cpu',
    timeLimit: 60,
    countdown: 0,
    expires: null,
    priority: 3,
    retry: retryPolicy,
    deps: [],
    trigger: 'all_succeeded',
    when: null,
    map: null,
    reuse: false,
    callback: null,
    tags: {},
    ...overrides,
  };
}

/** Nodes 1…count. */
export function nodeSpecs(count: number, first = 1): NodeSpec[] {
  return Array.from({ length: count }, (_, at) => nodeSpec(first + at));
}
