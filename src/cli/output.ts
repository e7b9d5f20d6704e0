import { stripVTControlCharacters, styleText } from 'node:util';
import type { Screen, Shell } from './shell.js';

export type Colour = 'red' | 'green' | 'yellow' | 'cyan' | 'gray' | 'bold';

/** What a command says: results on standard output, everything else on standard error. */
export class Output {
  readonly json: boolean;
  readonly #stdout: Screen;
  readonly #stderr: Screen;
  readonly #colour: boolean;

  constructor({ stdout, stderr, env }: Pick<Shell, 'stdout' | 'stderr' | 'env'>, json: boolean) {
    this.json = json;
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.#colour = wantsColour(stdout, env);
  }

  /** Tables and drawings for people; programs that read the output get JSON, as they always did. */
  get forPeople(): boolean {
    return !this.json && this.#stdout.isTTY;
  }

  print(text: string): void {
    this.#stdout.write(`${this.#stdout.isTTY ? harmless(text, '\n\t') : text}\n`);
  }

  value(value: unknown): void {
    this.print(JSON.stringify(value, null, 4));
  }

  /** JSON, or the text where somebody reads it. */
  show(value: unknown, text: () => string): void {
    if (this.forPeople) this.print(text());
    else this.value(value);
  }

  /** The sentence, or JSON where it is asked for. */
  tell(value: unknown, text: string): void {
    if (this.json) this.value(value);
    else this.print(text);
  }

  note(text: string): void {
    this.#stderr.write(`${this.#stderr.isTTY ? harmless(text, '\n\t') : text}\n`);
  }

  paint(colour: Colour, text: string): string {
    return this.#colour ? styleText(colour, text, { validateStream: false }) : text;
  }
}

/** https://no-color.org: any value that is not empty. */
export function wantsColour(screen: Screen, env: Shell['env']): boolean {
  if ((env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb') return false;
  if ((env['FORCE_COLOR'] ?? '') !== '' && env['FORCE_COLOR'] !== '0') return true;
  return screen.isTTY;
}

/** Columns as wide as their widest cell, one line a row. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows].map((row) => row.map((cell) => harmless(cell)));
  const widths = head.map((_, column) => Math.max(...all.map((row) => widthOf(row[column] ?? ''))));
  return all
    .map((row) => row.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell))).join('  '))
    .map((line) => line.trimEnd())
    .join('\n');
}

const escape = '\u001b';
/** A colour, or a character with what is written over it. */
const pieces = new RegExp(`${escape}\\[[\\d;]*m|.(?:\\p{M}|\\u200d|\\ufe0f)*`, 'gsu');
/** Two columns wide on every terminal: East Asian scripts and pictures (UAX #11, roughly). */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u;

/** Columns on a terminal. */
export function widthOf(text: string): number {
  const characters = stripVTControlCharacters(text).matchAll(pieces);
  return Array.from(characters).reduce((sum, [piece]) => sum + columnsOf(piece), 0);
}

const columnsOf = (piece: string) => (wide.test(piece) ? 2 : 1);

/** What moves the cursor, clears the screen, sets titles or turns text round; colours of ours are none of it. */
const harmful = new RegExp(
  `${escape}\\[[\\d;]*m|[\\u0000-\\u001f\\u007f-\\u009f\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]`,
  'gu',
);

/**
 * Names, steps and errors come from whoever sent the job: on the terminal of another they must be text and nothing else.
 * Control characters become their pictures (`␛`).
 */
export function harmless(text: string, kept = ''): string {
  return text.replace(harmful, (found) => {
    if (found.length > 1 || kept.includes(found)) return found;
    const code = found.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : '\ufffd';
  });
}

/** At most so wide; colours are kept whole and do not count. */
export function fit(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let left = width - 1;
  let fitted = '';
  for (const [piece] of text.matchAll(pieces)) {
    if (piece.startsWith(escape)) fitted += piece;
    else if (left >= columnsOf(piece)) {
      fitted += piece;
      left -= columnsOf(piece);
    } else left = 0;
  }
  return `${fitted}…`;
}

/** `3.8MiB` */
export function sizeText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toFixed(1)}${units[unit]}`;
}

export function durationText(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes} min ${whole % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Ten or thirty characters of it. */
export function bar(share: number, width: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width);
  return '█'.repeat(full) + '░'.repeat(width - full);
}
