const known = new Map<string, string>();
const mostKnown = 5000;

/** As much of a text as there is room for, in the font that is set. Kept, since to measure costs time in every frame. */
export function shortened(context: CanvasRenderingContext2D, text: string, room: number): string {
  const key = `${context.font}|${Math.round(room)}|${text}`;
  let result = known.get(key);
  if (result === undefined) {
    result = cut(context, text.slice(0, 200), room);
    if (known.size > mostKnown) known.clear();
    known.set(key, result);
  }
  return result;
}

function cut(context: CanvasRenderingContext2D, text: string, room: number): string {
  if (context.measureText(text).width <= room) return text;
  let [fits, tooLong] = [0, text.length];
  while (fits + 1 < tooLong) {
    const middle = (fits + tooLong) >> 1;
    if (context.measureText(`${text.slice(0, middle)}…`).width <= room) fits = middle;
    else tooLong = middle;
  }
  return fits === 0 ? '' : `${text.slice(0, fits).trimEnd()}…`;
}
