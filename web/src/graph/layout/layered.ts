import { followersOf, levelsOf } from '../shape/classes.js';
import { framesAround, gaps, type Layout, type LayoutInput } from './layout.js';

/**
 * A layout in linear time, for drawings that are too large for a careful one: a column for each level, in it the boxes in the
 * order of what they wait for, and full columns go on in a further one beside.
 */

/** Boxes one above the other in a column. */
const mostInColumn = 60;
const sweeps = 4;

export function layered(input: LayoutInput): Layout {
  const { deps, width, height } = input;
  const levels = levelsOf(deps);
  const columns: number[][] = [];
  for (const [box, level] of levels.entries()) (columns[level] ??= []).push(box);
  order(columns, deps);

  const places = new Float64Array(deps.length * 2);
  const highest = Math.min(mostInColumn, Math.max(0, ...columns.map((column) => column.length)));
  const full = highest * (height + gaps.along);
  let x = 0;
  let bottom = 0;
  for (const column of columns) {
    // Wide levels become a block, about as high as the highest column.
    const folds = Math.ceil(column.length / mostInColumn);
    const rows = Math.ceil(column.length / folds);
    const top = (full - rows * (height + gaps.along)) / 2;
    for (const [at, box] of column.entries()) {
      places[2 * box] = x + Math.floor(at / rows) * (width + gaps.along);
      places[2 * box + 1] = top + (at % rows) * (height + gaps.along);
    }
    x += folds * (width + gaps.along) - gaps.along + gaps.across;
    bottom = Math.max(bottom, top + rows * (height + gaps.along) - gaps.along);
  }
  return {
    places,
    frames: framesAround(input, places),
    width: Math.max(0, x - gaps.across),
    height: bottom,
    bends: new Map(),
  };
}

/** Sorts each column by the middle of its neighbours: forth along what boxes wait for, and back. */
function order(columns: readonly number[][], deps: readonly (readonly number[])[]): void {
  const followers = followersOf(deps);
  const rank = new Float64Array(deps.length);
  const number = (column: readonly number[]) => {
    for (const [at, box] of column.entries()) rank[box] = (at + 0.5) / column.length;
  };
  columns.forEach(number);
  const sort = (column: number[], neighbours: readonly (readonly number[])[]) => {
    const middle = new Map(
      column.map((box) => [box, middleOf(neighbours[box] as readonly number[], rank, rank[box] as number)]),
    );
    column.sort((a, b) => (middle.get(a) as number) - (middle.get(b) as number));
    number(column);
  };
  for (let sweep = 0; sweep < sweeps; sweep++) {
    for (const column of columns) sort(column, deps);
    for (const column of columns.toReversed()) sort(column, followers);
  }
}

function middleOf(boxes: readonly number[], rank: Float64Array, own: number): number {
  if (boxes.length === 0) return own;
  let sum = 0;
  for (const box of boxes) sum += rank[box] as number;
  return sum / boxes.length;
}
