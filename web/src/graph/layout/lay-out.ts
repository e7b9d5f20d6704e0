import { layered } from './layered.js';
import type { Layout, LayoutInput } from './layout.js';

/** Boxes and edges that dagre lays out within about a second on a slow machine. */
const mostForCareful = 300;

/** Never fails: a graph that dagre cannot do gets the plain layout. */
export async function layOut(input: LayoutInput): Promise<Layout> {
  const size = input.deps.reduce((sum, list) => sum + list.length, input.deps.length);
  if (size > mostForCareful) return layered(input);
  try {
    const { careful } = await import('./careful.js');
    return careful(input);
  } catch (error) {
    console.warn('this graph is laid out without dagre', error);
    return layered(input);
  }
}
