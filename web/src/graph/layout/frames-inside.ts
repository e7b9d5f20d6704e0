import type { Visible } from '../shape/boxes.js';

/** Of each frame the boxes inside, by position. */
export function framesInside({ boxes, frames }: Visible): number[][] {
  const placeOf = new Map<number, number>();
  for (const [place, { members }] of boxes.entries()) for (const number of members) placeOf.set(number, place);
  return frames.map(({ members }) => [...new Set(members.flatMap((number) => placeOf.get(number) ?? []))]);
}
