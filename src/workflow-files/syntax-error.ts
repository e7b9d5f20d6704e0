/** Reads what compilers say of a file that they cannot read, for people who have only the file. */

export interface SyntaxFinding {
  readonly said: string;
  /** From 1; null where it cannot be told. */
  readonly line: number | null;
  readonly column: number | null;
}

/** @param message of webpack, without colours @param source the file as it was written */
export function syntaxError(message: string, source: string): SyntaxFinding {
  return drawn(message, source) ?? parsed(message, source) ?? { said: firstLine(message), line: null, column: null };
}

/**
 * As swc draws it. The place in its head is where the line begins, so the column is that of the mark below it:
 *
 *       x Expression expected
 *        ,-[half.ts:5:1]
 *      5 |   return a +;
 *        :             ^
 */
function drawn(message: string, source: string): SyntaxFinding | null {
  const [, said] = /^(?:\w*Error:)?\s*[x×]\s+(.+)$/m.exec(message) ?? [];
  if (said === undefined) return null;
  const [, line, indent] = /^\s*(\d+) [|│] .*\n\s*[:·] ( *)[\^─┬]/m.exec(message) ?? [];
  if (line !== undefined && indent !== undefined) {
    const text = source.split('\n')[Number(line) - 1] ?? '';
    return { said, line: Number(line), column: columnAt(text, indent.length) };
  }
  const [, head] = /\[[^\]\n]*?:(\d+):\d+\]/.exec(message) ?? [];
  return { said, line: head === undefined ? null : Number(head), column: null };
}

/** Which character, from 1, is drawn at a place, from 0, where a tab goes on to the next multiple of four. */
function columnAt(text: string, place: number): number {
  let drawnTo = 0;
  for (let index = 0; index < text.length; index++) {
    drawnTo += text[index] === '\t' ? 4 - (drawnTo % 4) : 1;
    if (drawnTo > place) return index + 1;
  }
  return text.length + 1;
}

/**
 * As webpack tells what it cannot read itself: line and column (from 0) are those of what swc has made of a TypeScript file,
 * which has lost lines and changed its margins, so the line that it shows is looked for in the source.
 *
 *     Module parse failed: Identifier 'a' has already been declared (2:4)
 *       1 | let a = 1;
 *     > 2 | let a = 2;
 *         |     ^
 */
function parsed(message: string, source: string): SyntaxFinding | null {
  const [, said, at, offset] = /^Module parse failed: (.*) \((\d+):(\d+)\)$/m.exec(message) ?? [];
  if (said === undefined) return null;
  const [, shown] = /^> *\d+ \| (.*)$/m.exec(message) ?? [];
  const wanted = shown?.trim() ?? '';
  const lines = source.split('\n');
  const places = lines.flatMap((line, index) => (wanted !== '' && line.trim() === wanted ? [index] : []));
  // Lines only get lost on the way: the first that is not before.
  const place = places.find((index) => index + 1 >= Number(at)) ?? places.at(-1);
  if (place === undefined || shown === undefined) return { said, line: null, column: null };
  const margin = (lines[place] as string).search(/\S/) - shown.search(/\S/);
  return { said, line: place + 1, column: Number(offset) + margin + 1 };
}

function firstLine(message: string): string {
  return (message.split('\n').find((line) => line.trim() !== '') ?? '').trim();
}
