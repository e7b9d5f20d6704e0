import type { RecordActivities } from '../activities/index.js';
import type { GraphNode, PlanPart } from '../contract/graph.js';

/** Rows of one answer of `loadPlan`: some 100 kB, far from the 2 MB that a payload may have. */
const sliceRows = 2000;

/** Nodes `first`…`first + count - 1` of a graph's document. */
export async function loadNodes(
  load: RecordActivities['loadPlan'],
  graphId: string,
  first: number,
  count: number,
): Promise<GraphNode[]> {
  const nodes: GraphNode[] = [];
  for (let from = first; from < first + count; from += sliceRows) {
    const part = await load(graphId, from, Math.min(sliceRows, first + count - from));
    nodes.push(...nodesOf(part));
  }
  return nodes;
}

export function nodesOf(part: PlanPart): GraphNode[] {
  return part.rows.map(([at, label, deps], row) => {
    const template = part.templates[at];
    if (template === undefined) throw new RangeError(`the plan has no template ${at}`);
    return { ...template, index: part.first + row, label, deps: [...deps] };
  });
}
