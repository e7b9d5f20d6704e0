import type { Palette } from '../drawing/palette.js';
import { shortened } from '../drawing/short-text.js';
import { type Bar, type Lane, ticksOf } from './rows.js';

export const laneHeight = 26;
export const axisHeight = 30;
export const namesWidth = 150;

/** What of the time is in sight: milliseconds since 1970 at the left side, and pixels a millisecond. */
export interface TimeView {
  readonly from: number;
  readonly scale: number;
}

export interface TimelinePicture {
  readonly lanes: readonly Lane[];
  /** Zero of the axis. */
  readonly origin: number;
  readonly now: number;
  readonly view: TimeView;
  /** How far it is scrolled down, pixels. */
  readonly top: number;
  readonly selected: number | null;
  readonly toneOf: (bar: Bar) => keyof Palette['tone'];
  readonly tickText: (ms: number, stepMs: number) => string;
}

export function paintTimeline(
  context: CanvasRenderingContext2D,
  picture: TimelinePicture,
  palette: Palette,
  { width, height, density }: { readonly width: number; readonly height: number; readonly density: number },
): void {
  context.resetTransform();
  context.clearRect(0, 0, context.canvas.width, context.canvas.height);
  context.setTransform(density, 0, 0, density, 0, 0);
  context.textBaseline = 'middle';
  paintAxis(context, picture, palette, width, height);
  context.save();
  context.beginPath();
  context.rect(0, axisHeight, width, height - axisHeight);
  context.clip();
  const { lanes, top } = picture;
  const first = Math.max(0, Math.floor(top / laneHeight));
  const last = Math.min(lanes.length - 1, Math.ceil((top + height) / laneHeight));
  for (let at = first; at <= last; at++) {
    const y = axisHeight + at * laneHeight - top;
    paintLane(context, picture, lanes[at] as Lane, lanes[at - 1], y, palette, width);
  }
  context.restore();
}

function paintAxis(
  context: CanvasRenderingContext2D,
  { origin, view, tickText }: TimelinePicture,
  palette: Palette,
  width: number,
  height: number,
): void {
  const room = width - namesWidth;
  const { stepMs } = ticksOf(room / view.scale, room / 110);
  context.font = `450 11.5px ${palette.font}`;
  const first = Math.ceil((view.from - origin) / stepMs);
  for (let tick = Math.max(0, first); ; tick++) {
    const x = namesWidth + (origin + tick * stepMs - view.from) * view.scale;
    if (x > width) break;
    context.fillStyle = palette.line;
    context.fillRect(Math.round(x), axisHeight - 6, 1, height);
    context.fillStyle = palette.textSoft;
    const text = tickText(tick * stepMs, stepMs);
    if (x + 5 + context.measureText(text).width < width) context.fillText(text, x + 5, axisHeight / 2);
  }
}

function paintLane(
  context: CanvasRenderingContext2D,
  { view, now, selected, toneOf }: TimelinePicture,
  lane: Lane,
  above: Lane | undefined,
  y: number,
  palette: Palette,
  width: number,
): void {
  if (lane.worker !== above?.worker) {
    context.fillStyle = palette.lineStrong;
    context.globalAlpha = 0.5;
    context.fillRect(0, y, width, 1);
    context.globalAlpha = 1;
    context.fillStyle = palette.text;
    context.font = `600 12px ${palette.font}`;
    context.fillText(shortened(context, lane.worker, namesWidth - 20), 12, y + laneHeight / 2);
  }
  context.save();
  context.beginPath();
  context.rect(namesWidth, y, width - namesWidth, laneHeight);
  context.clip();
  context.font = `500 11px ${palette.font}`;
  /** Right end of the last bar that was drawn: of bars narrower than a pixel one stands for all at its place. */
  let drawnTo = -1;
  for (let at = firstAfter(lane.bars, view.from, now); at < lane.bars.length; at++) {
    const bar = lane.bars[at] as Bar;
    const x = namesWidth + (bar.from - view.from) * view.scale;
    if (x > width) break;
    const right = namesWidth + ((bar.to ?? now) - view.from) * view.scale;
    if (right <= drawnTo + 0.5 && bar.node !== selected) continue;
    const length = Math.max(1.5, right - x - (right - x > 4 ? 1 : 0));
    drawnTo = x + length;
    const tone = toneOf(bar);
    context.fillStyle = length > 4 ? palette.soft[tone] : palette.tone[tone];
    context.fillRect(x, y + 4, length, laneHeight - 8);
    if (length > 4) {
      context.fillStyle = palette.tone[tone];
      context.fillRect(x, y + 4, 3, laneHeight - 8);
    }
    if (bar.node === selected) {
      context.strokeStyle = palette.focus;
      context.lineWidth = 2;
      context.strokeRect(x, y + 3, length, laneHeight - 6);
    }
    // The name begins where the bar is in sight.
    const left = Math.max(x, namesWidth);
    if (x + length - left > 34) {
      context.fillStyle = palette.tone[tone];
      context.fillText(shortened(context, bar.title, x + length - left - 12), left + 8, y + laneHeight / 2);
    }
  }
  context.restore();
}

/** The first bar that ends after a time: bars of a lane do not overlap, so their ends are in order, too. */
function firstAfter(bars: readonly Bar[], time: number, now: number): number {
  let [low, high] = [0, bars.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (((bars[middle] as Bar).to ?? now) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function barAt({ lanes, view, top, now }: TimelinePicture, x: number, y: number): Bar | null {
  const lane = lanes[Math.floor((y - axisHeight + top) / laneHeight)];
  if (lane === undefined || x < namesWidth || y < axisHeight) return null;
  const time = view.from + (x - namesWidth) / view.scale;
  // A bar of less than a pixel can be hit, too.
  const near = 2 / view.scale;
  const at = firstAfter(lane.bars, time - near, now);
  const bar = lane.bars[at];
  return bar !== undefined && bar.from <= time + near ? bar : null;
}
