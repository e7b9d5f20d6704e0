import type { GraphSignals } from '../contract/graph.js';
import type { GraphHeader } from '../contract/graph-document.js';

/** The part of the seam to Temporal that is about graphs as a whole. */
export interface GraphEngine {
  /**
   * Tells a running graph something; resolves when it is stored, not when it has been acted on.
   * @returns `unknown` when Temporal does not know the graph (any more)
   */
  signal<N extends keyof GraphSignals>(graphId: string, name: N, ...args: GraphSignals[N]): Promise<SignalOutcome>;
  /** Asks the whole graph to stop. */
  cancel(graphId: string): Promise<SignalOutcome>;
  /** What a run has failed with; null: it has not, or Temporal does not know it. */
  failureOf(graphId: string): Promise<string | null>;
  list(query: GraphQuery): Promise<GraphPage>;
  /** Graphs by state, for metrics. */
  count(): Promise<Readonly<Record<'open' | 'success' | 'failure' | 'revoked', number>>>;
}

export type SignalOutcome = 'sent' | 'already-ended' | 'unknown';

export interface GraphQuery {
  /** Only graphs in one of these states; empty: all. */
  readonly states: readonly ('OPEN' | 'SUCCESS' | 'FAILURE' | 'REVOKED')[];
  readonly name?: string;
  readonly front?: GraphHeader['front'];
  readonly since?: Date;
  readonly until?: Date;
  readonly limit: number;
  /** From the page before. */
  readonly cursor?: string;
}

/** Graphs, newest first; the documents on the share have the rest. */
export interface GraphPage {
  readonly graphIds: readonly string[];
  /** The name of each, in the same order. */
  readonly names: readonly (string | null)[];
  /** null on the last page. */
  readonly next: string | null;
}
