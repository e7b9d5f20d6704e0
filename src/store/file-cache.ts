import { type Files, pooledFiles } from './files.js';

interface Entry<T> {
  readonly mark: string;
  readonly value: T;
}

/**
 * Parsed content of files that are only ever replaced by a rename. Clients ask for a job's state many times between two
 * changes of it: a file that is still the same one (number, size, times) is not read and parsed again.
 */
export class FileCache<T> {
  readonly #parse: (content: string) => T;
  readonly #most: number;
  readonly #files: Files;
  /** In the order of last use: the first is the next to go. */
  readonly #entries = new Map<string, Entry<T>>();

  constructor(parse: (content: string) => T, most: number, files: Files = pooledFiles) {
    this.#parse = parse;
    this.#most = most;
    this.#files = files;
  }

  /** The content of a file, or null where there is none. The value is shared: it must not be changed. */
  async read(path: string): Promise<T | null> {
    const known = this.#entries.get(path);
    const found = await this.#files.readUnless(path, known?.mark ?? null);
    this.#entries.delete(path);
    if (found === null) return null;
    const entry =
      found.text === null && known !== undefined ? known : { mark: found.mark, value: this.#parse(found.text ?? '') };
    this.#entries.set(path, entry);
    if (this.#entries.size > this.#most) this.#entries.delete(this.#entries.keys().next().value as string);
    return entry.value;
  }
}
