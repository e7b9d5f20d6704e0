import { fit, harmless } from './output.js';
import type { Screen } from './shell.js';

const everyMs = 80;

/** Lines that are drawn over and over in the same place of a terminal; nothing at all where there is none. */
export class Live {
  readonly #screen: Screen;
  #drawn = 0;
  #next: readonly string[] | null = null;
  #timer: NodeJS.Timeout | null = null;
  #last = '';

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** Of a line that can be drawn. */
  get columns(): number {
    return Math.max(1, this.#screen.columns - 1);
  }

  get shown(): boolean {
    return this.#screen.isTTY;
  }

  /** The rows that can be drawn over; what has left the screen cannot. */
  get rows(): number {
    return Math.max(3, this.#screen.rows - 1);
  }

  draw(lines: readonly string[]): void {
    if (!this.shown) return;
    this.#next = lines;
    this.#timer ??= setTimeout(() => this.#flush(), this.#drawn === 0 ? 0 : everyMs);
  }

  /** Takes the lines away. */
  clear(): void {
    this.#stopTimer();
    this.#next = null;
    if (this.#drawn > 0) this.#screen.write(`\u001b[${this.#drawn}A\r\u001b[J`);
    this.#drawn = 0;
    this.#last = '';
  }

  #flush(): void {
    this.#stopTimer();
    if (this.#next === null) return;
    const lines = this.#next.slice(0, this.rows).map((line) => `${fit(harmless(line), this.columns)}\u001b[K\n`);
    const text = lines.join('');
    if (text === this.#last) return;
    const up = this.#drawn > 0 ? `\u001b[${this.#drawn}A\r` : '';
    this.#screen.write(`${up}${text}\u001b[J`);
    this.#last = text;
    this.#drawn = lines.length;
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
