/** Of a long log the end is shown; all of it is a file to download. */
export const shownLines = 2000;
/** Of a longer line the beginning and the end are shown: a browser that lays out a line of megabytes stands still. */
const longestLine = 10_000;

/** The last lines of a text that grows, with a line where a new attempt begins. */
export class LogText {
  #lines: string[] = [''];
  #attempt: number | null = null;
  /** A piece ended where a line is to be written over, or broken: the next one tells. */
  #returned = false;

  add(attempt: number, text: string): void {
    if (this.#attempt !== null && this.#attempt !== attempt) this.#put(`\n── attempt ${attempt} ──\n`);
    this.#attempt = attempt;
    this.#put(text.replace(escapes, ''));
  }

  text(): string {
    return this.#lines.slice(-shownLines).join('\n');
  }

  clear(): void {
    this.#lines = [''];
    this.#attempt = null;
    this.#returned = false;
  }

  #put(text: string): void {
    for (const [at, line] of text.split('\n').entries()) {
      if (at > 0) {
        this.#lines.push('');
        this.#returned = false;
      }
      this.#write(line);
    }
    if (this.#lines.length > 2 * shownLines) this.#lines = this.#lines.slice(-shownLines);
  }

  /** Goes on with the last line. Of one that is written over, as progress bars do, the last version stays. */
  #write(text: string): void {
    if (text === '') return;
    let end = text.length;
    while (text[end - 1] === '\r') end -= 1;
    const last = text.slice(text.lastIndexOf('\r', end - 1) + 1, end);
    const isOver = this.#returned || last.length < end;
    if (last !== '') {
      this.#lines[this.#lines.length - 1] = shortened(isOver ? last : (this.#lines.at(-1) as string) + last);
    }
    this.#returned = end < text.length;
  }
}

function shortened(line: string): string {
  if (line.length <= longestLine) return line;
  return `${line.slice(0, longestLine / 2)} … ${line.slice(-longestLine / 2)}`;
}

/** The colours of terminals. */
const escapes = new RegExp(`${String.fromCharCode(27)}\\[[\\d;?]*[A-Za-z]`, 'g');
