import { defineSignal } from '@temporalio/workflow';
import type { GraphNode } from '../contract/graph.js';
import type { FailurePolicy } from '../contract/scheduling.js';
import type { PartReport } from '../graph/coordination.js';
import type { GraphEvent } from '../graph/events.js';

/** What the coordinator of a large graph and its parts say to each other. */

/** Input of a part of a large graph. */
export interface PartInput {
  readonly graphId: string;
  /** From 0. */
  readonly part: number;
  readonly stretches: readonly (readonly [first: number, count: number])[];
  /** Its nodes, where the graph has no stored plan. */
  readonly nodes: readonly GraphNode[];
  readonly window: number;
  readonly firstItem: number;
  readonly onFailure: FailurePolicy;
  readonly journal: boolean;
}

/** Orders of the coordinator: events for the part's core. */
export const tellPart = defineSignal<[readonly GraphEvent[]]>('tellPart');

export const reportPart = defineSignal<[PartReport]>('reportPart');

/** Workflow id of a part. */
export function partId(graphId: string, part: number): string {
  return `${graphId}/part-${part + 1}`;
}
