import { paint } from './paint.js';
import { type Palette, paletteOf } from './palette.js';
import {
  boundsOf,
  boxAt,
  type Direction,
  frameTitleAt,
  type Marks,
  neighbour,
  rectangleOfBox,
  type Scene,
} from './scene.js';
import { centred, fitted, panned, revealing, type View, zoomed } from './view.js';

export interface DrawingEvents {
  /** A click on a box, or Enter. */
  readonly onSelect: (box: number) => void;
  /** A double click, or Space: into the box. */
  readonly onOpen: (box: number) => void;
  /** The title of an open box. */
  readonly onClose: (frame: number) => void;
  /** The keyboard has come to a box. */
  readonly onFocus: (box: number) => void;
  /** Escape. */
  readonly onLeave: () => void;
}

/** A pointer that moves less clicks. */
const clickPixels = 4;
const step = 60;
const readable = 0.6;

/**
 * The drawing in a canvas: paints when something has changed, at most once a frame, and turns pointers and keys into a view
 * or into events. Knows boxes by their positions only.
 */
export class Drawing {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #events: DrawingEvents;
  readonly #ending = new AbortController();
  readonly #observer: ResizeObserver;
  readonly #pointers = new Map<number, { x: number; y: number }>();
  #scene: Scene | null = null;
  #marks: Marks | null = null;
  #palette: Palette;
  #view: View = { x: 0, y: 0, scale: 1 };
  #size = { width: 1, height: 1, density: 1 };
  #asked = 0;
  /** Nobody has moved it yet: a new layout is shown whole again. */
  #isWhole = true;
  #moved = 0;

  constructor(canvas: HTMLCanvasElement, events: DrawingEvents) {
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d') as CanvasRenderingContext2D;
    this.#events = events;
    this.#palette = paletteOf(canvas.parentElement as HTMLElement);
    this.#observer = new ResizeObserver(() => this.#resize());
    this.#observer.observe(canvas.parentElement as HTMLElement);
    this.#listen();
  }

  end(): void {
    this.#ending.abort();
    this.#observer.disconnect();
    cancelAnimationFrame(this.#asked);
  }

  /**
   * @param anchor a box of the old scene and of the new one: it stays where it is on the screen
   */
  show(scene: Scene, marks: Marks, anchor: { readonly before: number; readonly now: number } | null = null): void {
    const old = this.#scene;
    this.#scene = scene;
    this.#marks = marks;
    if (this.#isWhole || old === null) this.#fit();
    else if (anchor !== null) {
      const [before, now] = [rectangleOfBox(old, anchor.before), rectangleOfBox(scene, anchor.now)];
      this.#view = { ...this.#view, x: this.#view.x + now.x - before.x, y: this.#view.y + now.y - before.y };
    }
    this.#paintSoon();
  }

  mark(marks: Marks): void {
    this.#marks = marks;
    this.#paintSoon();
  }

  repaint(): void {
    this.#palette = paletteOf(this.#canvas.parentElement as HTMLElement);
    this.#paintSoon();
  }

  fit(): void {
    this.#isWhole = true;
    this.#fit();
    this.#paintSoon();
  }

  /** @param factor above 1: closer */
  zoom(factor: number): void {
    this.#move(zoomed(this.#view, factor, { x: this.#size.width / 2, y: this.#size.height / 2 }));
  }

  /** To a box, in the middle and large enough to read. */
  goTo(box: number): void {
    if (this.#scene === null) return;
    const view = { ...this.#view, scale: Math.max(this.#view.scale, 0.8) };
    this.#move(centred(view, rectangleOfBox(this.#scene, box), this.#size));
  }

  /** Where a box is on the screen, from the corner of the drawing. */
  placeOf(box: number): { readonly x: number; readonly y: number } | null {
    if (this.#scene === null || box < 0) return null;
    const { x, y, width, height } = rectangleOfBox(this.#scene, box);
    const { scale } = this.#view;
    return { x: (x + width / 2 - this.#view.x) * scale, y: (y + height / 2 - this.#view.y) * scale };
  }

  #fit(): void {
    if (this.#scene !== null) this.#view = fitted(boundsOf(this.#scene), this.#size);
  }

  #move(view: View): void {
    this.#isWhole = false;
    this.#view = view;
    this.#paintSoon();
  }

  #paintSoon(): void {
    if (this.#asked !== 0) return;
    this.#asked = requestAnimationFrame(() => {
      this.#asked = 0;
      if (this.#scene === null || this.#marks === null) return;
      paint(this.#context, this.#scene, this.#marks, this.#view, this.#palette, this.#size);
    });
  }

  #resize(): void {
    const { clientWidth: width, clientHeight: height } = this.#canvas.parentElement as HTMLElement;
    const density = window.devicePixelRatio || 1;
    this.#size = { width, height, density };
    this.#canvas.width = Math.max(1, Math.round(width * density));
    this.#canvas.height = Math.max(1, Math.round(height * density));
    this.#canvas.style.width = `${width}px`;
    this.#canvas.style.height = `${height}px`;
    if (this.#isWhole) this.#fitOrStay();
    this.#paintSoon();
  }

  /** Where all of it would become too small to read, what is looked at stays as large as it is. */
  #fitOrStay(): void {
    const before = this.#view;
    this.#fit();
    const at = Math.max(this.#marks?.selected ?? -1, this.#marks?.focused ?? -1);
    if (this.#scene === null || at < 0 || this.#view.scale > readable || before.scale <= this.#view.scale) return;
    this.#isWhole = false;
    this.#view = revealing(before, rectangleOfBox(this.#scene, at), this.#size);
  }

  #listen(): void {
    const { signal } = this.#ending;
    const canvas = this.#canvas;
    canvas.addEventListener('pointerdown', (event) => this.#down(event), { signal });
    canvas.addEventListener('pointermove', (event) => this.#drag(event), { signal });
    for (const type of ['pointerup', 'pointercancel'] as const)
      canvas.addEventListener(type, (event) => this.#up(event), { signal });
    canvas.addEventListener('dblclick', (event) => this.#onBox(event, this.#events.onOpen), { signal });
    canvas.addEventListener('wheel', (event) => this.#wheel(event), { signal, passive: false });
    canvas.parentElement?.addEventListener('keydown', (event) => this.#key(event), { signal });
    // Fonts that come late, and another theme of the system.
    void document.fonts?.ready.then(() => this.repaint());
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.repaint(), { signal });
  }

  #down(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.#pointers.set(event.pointerId, this.#place(event));
    if (this.#pointers.size === 1) this.#moved = 0;
    this.#canvas.setPointerCapture(event.pointerId);
  }

  #drag(event: PointerEvent): void {
    const before = this.#pointers.get(event.pointerId);
    const now = this.#place(event);
    if (before === undefined) {
      const isOver = this.#scene !== null && this.#at(now, boxAt) >= 0;
      this.#canvas.style.cursor = isOver || this.#at(now, frameTitleAt) >= 0 ? 'pointer' : '';
      return;
    }
    this.#pointers.set(event.pointerId, now);
    const [dx, dy] = [now.x - before.x, now.y - before.y];
    this.#moved += Math.abs(dx) + Math.abs(dy);
    if (this.#pointers.size === 1) {
      if (this.#moved > clickPixels) this.#move(panned(this.#view, dx, dy));
      return;
    }
    // Two fingers: their distance zooms, around the one that rests.
    const other = [...this.#pointers].find(([id]) => id !== event.pointerId)?.[1] ?? now;
    const distance = (a: { x: number; y: number }) => Math.max(1, Math.hypot(a.x - other.x, a.y - other.y));
    this.#move(zoomed(this.#view, distance(now) / distance(before), other));
  }

  #up(event: PointerEvent): void {
    const wasDown = this.#pointers.delete(event.pointerId);
    if (!wasDown || this.#moved > clickPixels || event.type === 'pointercancel') return;
    const place = this.#place(event);
    const box = this.#at(place, boxAt);
    if (box >= 0) return this.#events.onSelect(box);
    const frame = this.#at(place, frameTitleAt);
    if (frame >= 0) this.#events.onClose(frame);
  }

  #wheel(event: WheelEvent): void {
    event.preventDefault();
    // Lines and pages, where the mouse counts in them.
    const pixels = event.deltaY * ([1, 16, 400][event.deltaMode] ?? 1);
    if (event.shiftKey) this.#move(panned(this.#view, -pixels - event.deltaX, 0));
    else this.#move(zoomed(this.#view, Math.exp(-Math.max(-200, Math.min(200, pixels)) * 0.0025), this.#place(event)));
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const focused = this.#marks?.focused ?? -1;
    const arrows: Readonly<Record<string, Direction>> = {
      ArrowLeft: 'left',
      ArrowRight: 'right',
      ArrowUp: 'up',
      ArrowDown: 'down',
    };
    const keys: Readonly<Record<string, () => void>> = {
      '+': () => this.zoom(1.25),
      '=': () => this.zoom(1.25),
      '-': () => this.zoom(0.8),
      '0': () => this.fit(),
      f: () => this.fit(),
      Home: () => this.#focus(0),
      End: () => this.#focus((this.#scene?.boxes.length ?? 0) - 1),
      Enter: () => focused >= 0 && this.#events.onSelect(focused),
      ' ': () => focused >= 0 && this.#events.onOpen(focused),
      Escape: () => this.#events.onLeave(),
    };
    const direction = arrows[event.key];
    if (direction !== undefined && event.shiftKey) {
      const [dx, dy] = { left: [step, 0], right: [-step, 0], up: [0, step], down: [0, -step] }[direction] as [
        number,
        number,
      ];
      this.#move(panned(this.#view, dx, dy));
    } else if (direction !== undefined && this.#scene !== null) {
      this.#focus(focused < 0 ? 0 : neighbour(this.#scene, focused, direction));
    } else {
      const act = keys[event.key];
      if (act === undefined) return;
      act();
    }
    event.preventDefault();
  }

  #focus(box: number): void {
    if (this.#scene === null || box < 0 || box >= this.#scene.boxes.length) return;
    if (!this.#isWhole) this.#view = revealing(this.#view, rectangleOfBox(this.#scene, box), this.#size);
    this.#events.onFocus(box);
  }

  #onBox(event: MouseEvent, act: (box: number) => void): void {
    const box = this.#at(this.#place(event), boxAt);
    if (box >= 0) act(box);
  }

  #at(place: { x: number; y: number }, find: (scene: Scene, x: number, y: number) => number): number {
    if (this.#scene === null) return -1;
    const { x, y, scale } = this.#view;
    return find(this.#scene, x + place.x / scale, y + place.y / scale);
  }

  #place({ clientX, clientY }: MouseEvent): { x: number; y: number } {
    const { left, top } = this.#canvas.getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  }
}
