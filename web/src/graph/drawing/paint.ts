import { gaps } from '../layout/layout.js';
import { paintBox, titlesFrom } from './paint-box.js';
import type { Palette } from './palette.js';
import { boxHeight, boxWidth, type Marks, rectangleOfFrame, type Scene } from './scene.js';
import { shortened } from './short-text.js';
import type { Rectangle, View } from './view.js';

/** Of very many edges so many are drawn as a frame has time for. */
const mostEdges = 4000;

/** One frame of the drawing: only what is in sight. */
export function paint(
  context: CanvasRenderingContext2D,
  scene: Scene,
  marks: Marks,
  { x, y, scale }: View,
  palette: Palette,
  { width, height, density }: { readonly width: number; readonly height: number; readonly density: number },
): void {
  context.resetTransform();
  context.clearRect(0, 0, context.canvas.width, context.canvas.height);
  const zoom = density * scale;
  context.setTransform(zoom, 0, 0, zoom, -x * zoom, -y * zoom);
  const sight: Rectangle = { x, y, width: width / scale, height: height / scale };

  paintFrames(context, scene, palette, scale);
  paintEdges(context, scene, marks, sight, palette, scale);
  const { places } = scene.layout;
  for (const at of scene.boxes.keys()) {
    const [left, top] = [places[2 * at] as number, places[2 * at + 1] as number];
    if (left + boxWidth + 8 < sight.x || top + boxHeight + 8 < sight.y) continue;
    if (left > sight.x + sight.width || top > sight.y + sight.height) continue;
    paintBox(context, scene, marks, at, palette, scale);
  }
  context.globalAlpha = 1;
}

function paintFrames(context: CanvasRenderingContext2D, scene: Scene, palette: Palette, scale: number): void {
  for (const [at, { title, members }] of scene.frames.entries()) {
    const { x, y, width, height } = rectangleOfFrame(scene.layout, at);
    context.beginPath();
    context.roundRect(x, y, width, height, 12);
    context.fillStyle = palette.sunken;
    context.globalAlpha = 0.7;
    context.fill();
    context.globalAlpha = 1;
    context.strokeStyle = palette.lineStrong;
    context.lineWidth = 1 / Math.max(scale, 0.5);
    context.setLineDash([5, 4]);
    context.stroke();
    context.setLineDash([]);
    if (scale < titlesFrom) continue;
    context.fillStyle = palette.textSoft;
    context.font = `600 12px ${palette.font}`;
    context.textBaseline = 'middle';
    const text = `▾ ${title}  ×${members.length.toLocaleString('en')}`;
    context.fillText(shortened(context, text, width - 24), x + 12, y + gaps.frameTitle / 2 + 2);
  }
}

function paintEdges(
  context: CanvasRenderingContext2D,
  { boxes, deps, layout: { places, bends } }: Scene,
  { critical, selected, focused }: Marks,
  sight: Rectangle,
  palette: Palette,
  scale: number,
): void {
  const [plain, onPath, near] = [new Path2D(), new Path2D(), new Path2D()];
  const of = selected >= 0 ? selected : focused;
  let count = 0;
  for (const [to, list] of deps.entries()) {
    const toX = places[2 * to] as number;
    const toY = (places[2 * to + 1] as number) + boxHeight / 2;
    for (const from of list) {
      const isCritical = critical.get(to) === from;
      const isNear = from === of || to === of;
      if (!isCritical && !isNear && count >= mostEdges) continue;
      const fromX = (places[2 * from] as number) + boxWidth;
      const fromY = (places[2 * from + 1] as number) + boxHeight / 2;
      if (Math.max(fromX, toX) < sight.x || Math.min(fromX, toX) > sight.x + sight.width) continue;
      const between = bends.get(from * boxes.length + to);
      const isBeside = Math.max(fromY, toY) < sight.y || Math.min(fromY, toY) > sight.y + sight.height;
      if (isBeside && between === undefined) continue;
      count += 1;
      trace(isCritical ? onPath : isNear ? near : plain, fromX, fromY, toX, toY, between);
    }
  }
  const width = 1.3 / Math.max(scale, 0.4);
  const stroke = (path: Path2D, colour: string, lineWidth: number, alpha: number) => {
    context.strokeStyle = colour;
    context.lineWidth = lineWidth;
    context.globalAlpha = alpha;
    context.stroke(path);
  };
  stroke(plain, palette.lineStrong, width, count > 1000 ? 0.22 : count > 250 ? 0.4 : 0.6);
  stroke(near, palette.accent, width * 1.4, 1);
  stroke(onPath, palette.accent, width * 2.4, 1);
  context.globalAlpha = 1;
}

/** From the right side of a box to the left side of another one, in a curve, around what the layout has in between. */
function trace(
  path: Path2D,
  fromX: number,
  fromY: number,
  toX: number,
  toY: number,
  between: Float64Array | undefined,
): void {
  path.moveTo(fromX, fromY);
  let [x, y] = [fromX, fromY];
  const curve = (nextX: number, nextY: number) => {
    const middle = (x + nextX) / 2;
    path.bezierCurveTo(middle, y, middle, nextY, nextX, nextY);
    [x, y] = [nextX, nextY];
  };
  for (let at = 0; between !== undefined && at < between.length; at += 2) {
    const nextX = between[at] as number;
    if (nextX > x + 8 && nextX < toX - 8) curve(nextX, between[at + 1] as number);
  }
  curve(toX, toY);
}
