import { gaps, type Layout } from '../layout/layout.js';
import type { Visible } from '../shape/boxes.js';
import type { Summary } from '../shape/summary.js';
import type { Rectangle } from './view.js';

export const boxWidth = 196;
export const boxHeight = 54;

/** What is drawn, with all places known. */
export interface Scene extends Visible {
  readonly layout: Layout;
}

/** What may change between two frames of one scene. Boxes are named by their positions, -1 is none. */
export interface Marks {
  readonly summaries: readonly Summary[];
  /** On the critical path: each with the one before it, or -1. */
  readonly critical: ReadonlyMap<number, number>;
  /** What a search has found; null: nothing is searched. */
  readonly found: ReadonlySet<number> | null;
  /** Where the keyboard is. */
  readonly focused: number;
  /** Whose panel is open. */
  readonly selected: number;
}

export function boxAt({ layout: { places }, boxes }: Scene, x: number, y: number): number {
  for (let box = boxes.length - 1; box >= 0; box--) {
    const [left, top] = [places[2 * box] as number, places[2 * box + 1] as number];
    if (x >= left && x < left + boxWidth && y >= top && y < top + boxHeight) return box;
  }
  return -1;
}

/** The frame whose title a point is on: inner frames first. */
export function frameTitleAt({ layout, frames }: Scene, x: number, y: number): number {
  for (let at = frames.length - 1; at >= 0; at--) {
    const frame = rectangleOfFrame(layout, at);
    const isBeside = x < frame.x || x >= frame.x + frame.width;
    if (!isBeside && y >= frame.y && y < frame.y + gaps.frameTitle) return at;
  }
  return -1;
}

export function rectangleOfFrame({ frames }: Layout, at: number): Rectangle {
  const [x = 0, y = 0, width = 0, height = 0] = frames.subarray(at * 4, at * 4 + 4);
  return { x, y, width, height };
}

export function rectangleOfBox({ layout: { places } }: Scene, box: number): Rectangle {
  return { x: places[2 * box] ?? 0, y: places[2 * box + 1] ?? 0, width: boxWidth, height: boxHeight };
}

/** Everything, frames included. */
export function boundsOf({ layout, frames }: Scene): Rectangle {
  let [left, top, right, bottom] = [0, 0, Math.max(boxWidth, layout.width), Math.max(boxHeight, layout.height)];
  for (const at of frames.keys()) {
    const frame = rectangleOfFrame(layout, at);
    left = Math.min(left, frame.x);
    top = Math.min(top, frame.y);
    right = Math.max(right, frame.x + frame.width);
    bottom = Math.max(bottom, frame.y + frame.height);
  }
  return { x: left, y: top, width: right - left, height: bottom - top };
}

export type Direction = 'left' | 'right' | 'up' | 'down';

/** Where an arrow key leads: to the left and right along the edges where there are some, else to the nearest box that way. */
export function neighbour(scene: Scene, box: number, direction: Direction): number {
  const { places } = scene.layout;
  const [x, y] = [places[2 * box] as number, places[2 * box + 1] as number];
  const isAlong = direction === 'left' || direction === 'right';
  const sign = direction === 'left' || direction === 'up' ? -1 : 1;
  const connected = isAlong ? connectedTo(scene, box, direction) : [];
  let best = box;
  let least = Infinity;
  for (const other of connected.length > 0 ? connected : scene.boxes.keys()) {
    const [dx, dy] = [(places[2 * other] as number) - x, (places[2 * other + 1] as number) - y];
    const ahead = (isAlong ? dx : dy) * sign;
    if (other === box || (ahead <= 0 && connected.length === 0)) continue;
    // What lies to the side counts more than what lies far ahead.
    const far = Math.abs(ahead) + 3 * Math.abs(isAlong ? dy : dx);
    if (far < least) [best, least] = [other, far];
  }
  return best;
}

function connectedTo({ deps }: Scene, box: number, direction: 'left' | 'right'): number[] {
  if (direction === 'left') return [...(deps[box] ?? [])];
  return [...deps.keys()].filter((other) => deps[other]?.includes(box));
}
