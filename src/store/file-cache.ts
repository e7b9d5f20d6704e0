import { open } from 'node:fs/promises';
import { isMissing } from './atomic.js';

interface Entry<T> {
  readonly mark: string;
  readonly value: T;
}

/**
 * Parsed content of files that are only ever replaced by a rename. Clients ask for a job's state many times between two
 * changes of it: a file that is still the same one (number, size, times) is not read and parsed again.
 *
 * The file is opened each time, not just looked up: on network shares opening is what asks the server for news.
 */
export class FileCache<T> {
  readonly #parse: (content: string) => T;
  readonly #most: number;
  /** In the order of last use: the first is the next to go. */
  readonly #entries = new Map<string, Entry<T>>();

  constructor(parse: (content: string) => T, most: number) {
    this.#parse = parse;
    this.#most = most;
  }

  /** The content of a file, or null where there is none. The value is shared: it must not be changed. */
  async read(path: string): Promise<T | null> {
    let file: Awaited<ReturnType<typeof open>>;
    try {
      file = await open(path, 'r');
    } catch (error) {
      if (!isMissing(error)) throw error;
      this.#entries.delete(path);
      return null;
    }
    try {
      const { ino, size, mtimeMs, ctimeMs } = await file.stat();
      const mark = `${ino}.${size}.${mtimeMs}.${ctimeMs}`;
      const known = this.#entries.get(path);
      this.#entries.delete(path);
      const entry = known?.mark === mark ? known : { mark, value: this.#parse(await file.readFile('utf8')) };
      this.#entries.set(path, entry);
      if (this.#entries.size > this.#most) this.#entries.delete(this.#entries.keys().next().value as string);
      return entry.value;
    } finally {
      await file.close();
    }
  }
}
