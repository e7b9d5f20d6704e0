import { useMemo } from 'preact/hooks';
import type { Attempt } from '../../../../src/client/types.js';
import { spanOf } from '../model/attempts.js';
import type { GraphNode } from '../model/graph-model.js';
import type { LiveGraph } from '../model/live-graph.js';
import { criticalPath, type Span } from '../shape/critical-path.js';
import { useAttempts } from './use-graph.js';

/** By how long nodes took, which is read while the path is shown: the path is found anew with each read. */
export function useCriticalPath(graph: LiveGraph, isShown: boolean): readonly number[] {
  const attempts = useAttempts(graph, isShown);
  const byNode = attempts.byNode.value;
  return useMemo(() => {
    if (!isShown) return [];
    const nodes = [...graph.model.all()];
    const spans = spansOf(nodes, byNode);
    return criticalPath(nodes, ({ id }) => spans.get(id) ?? null, Date.now());
  }, [graph, isShown, byNode]);
}

/** By id; of a map from the first of its items to the last. */
function spansOf(nodes: readonly GraphNode[], attempts: ReadonlyMap<number, readonly Attempt[]>): Map<string, Span> {
  const spans = new Map<string, Span>();
  for (const { id, number, itemOf } of nodes) {
    const span = spanOf(attempts.get(number));
    if (span === null) continue;
    const known = spans.get(itemOf ?? id);
    spans.set(itemOf ?? id, known === undefined ? span : around(known, span));
  }
  return spans;
}

function around(a: Span, b: Span): Span {
  return { from: Math.min(a.from, b.from), to: a.to === null || b.to === null ? null : Math.max(a.to, b.to) };
}
