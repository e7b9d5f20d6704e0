/** What a layout is made of, and what comes of it: plain data, so that it can be made in a worker. Places are pixels at scale 1. */
export interface LayoutInput {
  readonly width: number;
  readonly height: number;
  /** By position of a box: positions of those that it waits for. */
  readonly deps: readonly (readonly number[])[];
  /** Frames around boxes: the boxes inside, by position. Inner frames after outer ones. */
  readonly frames: readonly (readonly number[])[];
}

export interface Layout {
  /** Left upper corners of the boxes: x, y, x, y … */
  readonly places: Float64Array;
  /** Left, top, width, height of each frame. */
  readonly frames: Float64Array;
  readonly width: number;
  readonly height: number;
  /** Bends of the edges that do not go straight: `from × boxes + to` to x, y, x, y … */
  readonly bends: ReadonlyMap<number, Float64Array>;
}

export const gaps = { across: 54, along: 18, frame: 14, frameTitle: 22 } as const;

/** The rectangle around the boxes of each frame. */
export function framesAround({ frames, width, height }: LayoutInput, places: Float64Array): Float64Array {
  const depth = depthsOf(frames);
  const rectangles = new Float64Array(frames.length * 4);
  for (const [at, boxes] of frames.entries()) {
    let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
    for (const box of boxes) {
      const [x, y] = [places[2 * box] as number, places[2 * box + 1] as number];
      left = Math.min(left, x);
      top = Math.min(top, y);
      right = Math.max(right, x + width);
      bottom = Math.max(bottom, y + height);
    }
    const room = gaps.frame * (depth[at] as number);
    const title = gaps.frameTitle * (depth[at] as number);
    rectangles.set([left - room, top - title, right - left + 2 * room, bottom - top + room + title], at * 4);
  }
  return rectangles;
}

/** How many frames lie in each, itself counted: an outer frame leaves room for those inside. */
function depthsOf(frames: readonly (readonly number[])[]): number[] {
  const inside = frames.map(() => 1);
  const innermost = new Map<number, number>();
  for (let at = frames.length - 1; at >= 0; at--) {
    for (const box of frames[at] as readonly number[]) {
      const inner = innermost.get(box);
      if (inner !== undefined) inside[at] = Math.max(inside[at] as number, (inside[inner] as number) + 1);
      innermost.set(box, at);
    }
  }
  return inside;
}
