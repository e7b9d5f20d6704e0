import type { Tone } from '../../ui/states.js';
import { bySeverity, type StateName, toneOf } from '../model/states.js';
import type { Summary } from '../shape/summary.js';
import type { Palette } from './palette.js';
import { boxHeight, boxWidth, type Marks, type Scene } from './scene.js';
import { shortened } from './short-text.js';
import { symbols } from './symbols.js';

/**
 * A box, with less the further away it is: below `wordsFrom` it has no second line, below `titlesFrom` it is an area of its
 * colour with its symbol, below `symbolsFrom` without.
 */
const wordsFrom = 0.55;
export const titlesFrom = 0.34;
const symbolsFrom = 0.16;

const badgeWidth = 36;
const radius = 8;

const paths = Object.fromEntries(
  Object.entries(symbols).map(([state, { fill, line }]) => [
    state,
    { fill: fill === null ? null : new Path2D(fill), line: line === null ? null : new Path2D(line) },
  ]),
) as Record<StateName, { fill: Path2D | null; line: Path2D | null }>;

export function paintBox(
  context: CanvasRenderingContext2D,
  { boxes, layout: { places } }: Scene,
  marks: Marks,
  at: number,
  palette: Palette,
  scale: number,
): void {
  const [x, y] = [places[2 * at] as number, places[2 * at + 1] as number];
  const { title, members } = boxes[at] as Scene['boxes'][number];
  const summary = marks.summaries[at] as Summary;
  const tone = toneOf(summary.state);
  const isCalm = isCalmTone(tone);
  context.globalAlpha = marks.found !== null && !marks.found.has(at) ? 0.25 : 1;

  if (scale < titlesFrom) {
    paintShares(context, x, y, summary, palette);
    outline(context, marks, at, x, y, palette, scale);
    if (scale < symbolsFrom) return;
    // Many that are partly done are under way even when none runs just now: then no strong ground is below.
    const isLight = isCalm || (summary.total > 1 && summary.counts[summary.state] === 0);
    const [colour, ground] = isLight ? [palette.tone[tone], palette.soft[tone]] : [palette.raised, palette.tone[tone]];
    paintSymbol(context, summary.state, x + 30, y + boxHeight / 2, 2, colour, ground);
    return;
  }

  if (members.length > 1) paintStack(context, x, y, palette);
  card(context, x, y, palette.raised, isCalm ? palette.lineStrong : palette.tone[tone], isCalm ? 1 : 1.6);
  context.save();
  context.clip();
  context.fillStyle = palette.soft[tone];
  context.fillRect(x, y, badgeWidth, boxHeight);
  paintProgress(context, x + badgeWidth, y + boxHeight - 4, summary, palette);
  context.restore();
  outline(context, marks, at, x, y, palette, scale);
  paintSymbol(context, summary.state, x + badgeWidth / 2, y + boxHeight / 2, 1, palette.tone[tone], palette.soft[tone]);

  const hasWords = scale >= wordsFrom;
  const left = x + badgeWidth + 10;
  const line = y + (hasWords ? 19 : boxHeight / 2);
  let room = boxWidth - badgeWidth - 20;
  context.textBaseline = 'middle';
  if (members.length > 1) {
    const count = `×${summary.total.toLocaleString('en')}`;
    context.font = `600 11px ${palette.font}`;
    context.fillStyle = palette.textSoft;
    const { width } = context.measureText(count);
    context.fillText(count, x + boxWidth - 10 - width, line);
    room -= width + 6;
  }
  context.font = `600 13px ${palette.font}`;
  context.fillStyle = palette.text;
  context.fillText(shortened(context, title, room), left, line);
  if (!hasWords) return;
  context.font = `450 11.5px ${palette.font}`;
  context.fillStyle = isCalm ? palette.textSoft : palette.tone[tone];
  context.fillText(shortened(context, summary.text, boxWidth - badgeWidth - 20), left, y + 36);
}

/** What has come to nothing yet, or to its end, is light; what runs or has failed is seen from far away. */
const isCalmTone = (tone: Tone) => tone === 'off' || tone === 'ok';

/** The whole area by states, the worst first: of a thousand nodes with one that has failed not all is red. */
function paintShares(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  { counts, total, state }: Summary,
  palette: Palette,
): void {
  let left = x;
  for (const one of total > 1 ? bySeverity : [state]) {
    const count = total > 1 ? counts[one] : 1;
    if (count === 0) continue;
    const tone = toneOf(one);
    // The first has room for its symbol.
    const share = Math.max(left === x ? 60 : 4, (boxWidth * count) / Math.max(1, total));
    const width = Math.min(share, x + boxWidth - left);
    context.fillStyle = isCalmTone(tone) ? palette.soft[tone] : palette.tone[tone];
    context.fillRect(left, y, width, boxHeight);
    left += width;
  }
  context.strokeStyle = palette.lineStrong;
  context.lineWidth = 2;
  context.strokeRect(x, y, boxWidth, boxHeight);
}

/** Cards behind a card: there are several. */
function paintStack(context: CanvasRenderingContext2D, x: number, y: number, palette: Palette): void {
  for (const step of [7, 3.5]) card(context, x + step, y + step, palette.raised, palette.lineStrong, 1);
}

function card(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  fill: string,
  line: string,
  lineWidth: number,
): void {
  context.beginPath();
  context.roundRect(x, y, boxWidth, boxHeight, radius);
  context.fillStyle = fill;
  context.fill();
  context.strokeStyle = line;
  context.lineWidth = lineWidth;
  context.stroke();
}

function paintProgress(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  { progress, counts, total, state }: Summary,
  palette: Palette,
): void {
  if (progress === null) return;
  const width = boxWidth - badgeWidth;
  context.fillStyle = palette.sunken;
  context.fillRect(x, y, width, 4);
  if (total <= 1) {
    context.fillStyle = palette.tone[toneOf(state)];
    context.fillRect(x, y, width * progress, 4);
    return;
  }
  // Of many a piece for each state that has come to something, light for what is under way.
  let left = x;
  for (const one of bySeverity.toReversed()) {
    if (one === 'waiting' || one === 'queued' || counts[one] === 0) continue;
    const piece = Math.max(2, (width * counts[one]) / total);
    context.fillStyle = one === 'running' ? palette.soft.run : palette.tone[toneOf(one)];
    context.fillRect(left, y, piece, 4);
    left += piece;
  }
}

function paintSymbol(
  context: CanvasRenderingContext2D,
  state: StateName,
  x: number,
  y: number,
  size: number,
  colour: string,
  ground: string,
): void {
  const { fill, line } = paths[state];
  context.save();
  context.translate(x, y);
  context.scale(size, size);
  context.fillStyle = colour;
  context.strokeStyle = symbols[state].cutOut ? ground : colour;
  context.lineWidth = 1.8;
  context.lineCap = 'round';
  context.lineJoin = 'round';
  if (fill !== null) context.fill(fill);
  if (line !== null) context.stroke(line);
  context.restore();
}

function outline(
  context: CanvasRenderingContext2D,
  { focused, selected, critical }: Marks,
  at: number,
  x: number,
  y: number,
  palette: Palette,
  scale: number,
): void {
  const isOn = at === focused || at === selected;
  if (!isOn && !critical.has(at)) return;
  const width = 2.4 / Math.max(scale, 0.3);
  const gap = isOn ? width : 0;
  context.beginPath();
  context.roundRect(x - gap, y - gap, boxWidth + 2 * gap, boxHeight + 2 * gap, radius + gap);
  context.strokeStyle = isOn ? palette.focus : palette.accent;
  context.lineWidth = width;
  context.stroke();
}
