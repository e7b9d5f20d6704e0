/** Where the drawing is looked at: a point of it at the left upper corner of the window, and pixels a unit. */
export interface View {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Rectangle extends Size {
  readonly x: number;
  readonly y: number;
}

const [smallest, largest] = [0.02, 2.5];
const margin = 28;

/** The whole of it, not larger than life. */
export function fitted(content: Rectangle, window: Size): View {
  const wide = (window.width - 2 * margin) / content.width;
  const high = (window.height - 2 * margin) / content.height;
  const scale = clamp(Math.min(wide, high, 1));
  return centred({ x: 0, y: 0, scale }, content, window);
}

/** Closer by a factor, or further away; the point below the pointer stays where it is. */
export function zoomed(view: View, factor: number, pointer: { readonly x: number; readonly y: number }): View {
  const scale = clamp(view.scale * factor);
  return {
    scale,
    x: view.x + pointer.x / view.scale - pointer.x / scale,
    y: view.y + pointer.y / view.scale - pointer.y / scale,
  };
}

export function panned(view: View, dx: number, dy: number): View {
  return { ...view, x: view.x - dx / view.scale, y: view.y - dy / view.scale };
}

/** Moved as little as is needed to have a rectangle in sight. */
export function revealing(view: View, { x, y, width, height }: Rectangle, window: Size): View {
  const room = margin / view.scale;
  const along = (from: number, size: number, start: number, length: number) => {
    if (from < start + room) return from - room;
    if (from + size > start + length - room) return from + size - length + room;
    return start;
  };
  return {
    scale: view.scale,
    x: along(x, width, view.x, window.width / view.scale),
    y: along(y, height, view.y, window.height / view.scale),
  };
}

export function centred({ scale }: View, { x, y, width, height }: Rectangle, window: Size): View {
  return {
    scale,
    x: x + width / 2 - window.width / scale / 2,
    y: y + height / 2 - window.height / scale / 2,
  };
}

const clamp = (scale: number) => Math.min(largest, Math.max(smallest, scale));
