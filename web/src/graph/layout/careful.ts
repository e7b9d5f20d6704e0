import { Graph, layout } from '@dagrejs/dagre';
import { framesAround, gaps, type Layout, type LayoutInput } from './layout.js';

/** By dagre: few crossings, and long edges lead around boxes. Its time grows faster than the graph. */
export function careful(input: LayoutInput): Layout {
  const { deps, frames, width, height } = input;
  const graph = new Graph({ compound: true });
  graph.setGraph({ rankdir: 'LR', nodesep: gaps.along, ranksep: gaps.across, edgesep: gaps.along / 2 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const box of deps.keys()) graph.setNode(`${box}`, { width, height });
  for (const [box, list] of deps.entries()) for (const dep of list) graph.setEdge(`${dep}`, `${box}`);
  // Frames keep their boxes together: of the frames around a box the innermost is its parent.
  for (const [at, boxes] of frames.entries()) {
    graph.setNode(`f${at}`, {});
    const outer = graph.parent(`${boxes[0]}`);
    for (const box of boxes) graph.setParent(`${box}`, `f${at}`);
    if (outer !== undefined) graph.setParent(`f${at}`, outer as string);
  }
  layout(graph);
  const size = graph.graph() as { width?: number; height?: number };
  const isTurned = turned(deps, (box) => graph.node(`${box}`) as { x: number; y: number });
  const upright = (y: number) => (isTurned ? (size.height ?? 0) - y : y);

  const places = new Float64Array(deps.length * 2);
  for (const box of deps.keys()) {
    const { x, y } = graph.node(`${box}`) as { x: number; y: number };
    places[2 * box] = x - width / 2;
    places[2 * box + 1] = upright(y) - height / 2;
  }
  const bends = new Map<number, Float64Array>();
  for (const { v, w } of graph.edges()) {
    const { points } = graph.edge(v, w) as { points: { x: number; y: number }[] };
    // The first and the last are where the edge meets its boxes.
    const inner = points.slice(1, -1);
    bends.set(Number(v) * deps.length + Number(w), new Float64Array(inner.flatMap(({ x, y }) => [x, upright(y)])));
  }
  return { places, frames: framesAround(input, places), width: size.width ?? 0, height: size.height ?? 0, bends };
}

/** Whether boxes one above the other stand rather against the order of the document: dagre does not care, people do. */
function turned(
  deps: LayoutInput['deps'],
  placeOf: (box: number) => { readonly x: number; readonly y: number },
): boolean {
  const columns = new Map<number, number>();
  let order = 0;
  for (const box of deps.keys()) {
    const { x, y } = placeOf(box);
    const above = columns.get(x);
    if (above !== undefined) order += Math.sign(y - above);
    columns.set(x, y);
  }
  return order < 0;
}
