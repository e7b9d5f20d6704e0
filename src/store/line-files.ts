import { open } from 'node:fs/promises';
import { isMissing } from './atomic.js';

/** Lines known by their place, over all files: 8 bytes each. */
const mostLines = 2_000_000;

/**
 * Single lines out of files that are written once, whole, and never changed. A file is read through once in a process;
 * after that a line costs one read of its bytes, however many lines there are.
 */
export class LineFiles {
  /** Where each line begins, and where the last one ends. In the order of last use: the first is the next to go. */
  readonly #offsets = new Map<string, Float64Array>();
  #kept = 0;
  readonly #reading = new Map<string, Promise<Float64Array | null>>();

  /** Number of lines, or null where there is no such file. */
  async count(path: string): Promise<number | null> {
    const offsets = await this.#offsetsOf(path);
    return offsets === null ? null : offsets.length - 1;
  }

  /** Lines `from` (counted from 0) and on, at most `count`; null where there is no such file. */
  async read(path: string, from: number, count: number): Promise<string[] | null> {
    const offsets = await this.#offsetsOf(path);
    if (offsets === null) return null;
    const end = Math.min(from + count, offsets.length - 1);
    if (from >= end) return [];
    const start = offsets[from] as number;
    const bytes = Buffer.allocUnsafe((offsets[end] as number) - start);
    let file: Awaited<ReturnType<typeof open>>;
    try {
      file = await open(path, 'r');
    } catch (error) {
      if (!isMissing(error)) throw error;
      this.#forget(path);
      return null;
    }
    try {
      if ((await file.stat()).size !== offsets.at(-1)) {
        // Deleted, and made anew by a request that was sent again.
        this.#forget(path);
        return await this.read(path, from, count);
      }
      for (let filled = 0; filled < bytes.length; ) {
        const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, start + filled);
        if (bytesRead === 0) throw new Error(`${path} became shorter while it was read`);
        filled += bytesRead;
      }
    } finally {
      await file.close();
    }
    return bytes.toString('utf8', 0, bytes.length - 1).split('\n');
  }

  #offsetsOf(path: string): Promise<Float64Array | null> {
    const known = this.#offsets.get(path);
    if (known !== undefined) {
      this.#offsets.delete(path);
      this.#offsets.set(path, known);
      return Promise.resolve(known);
    }
    const reading = this.#reading.get(path) ?? this.#index(path).finally(() => this.#reading.delete(path));
    this.#reading.set(path, reading);
    return reading;
  }

  async #index(path: string): Promise<Float64Array | null> {
    let file: Awaited<ReturnType<typeof open>>;
    try {
      file = await open(path, 'r');
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
    const starts = [0];
    let position = 0;
    try {
      const bytes = Buffer.allocUnsafe(256 << 10);
      for (;;) {
        const { bytesRead } = await file.read(bytes, 0, bytes.length, position);
        if (bytesRead === 0) break;
        const part = bytes.subarray(0, bytesRead);
        for (let at = part.indexOf(10); at !== -1; at = part.indexOf(10, at + 1)) starts.push(position + at + 1);
        position += bytesRead;
      }
    } finally {
      await file.close();
    }
    if (starts.at(-1) !== position) throw new Error(`${path} does not end with a whole line`);
    const offsets = Float64Array.from(starts);
    this.#offsets.set(path, offsets);
    this.#kept += offsets.length;
    while (this.#kept > mostLines && this.#offsets.size > 1) this.#forget(this.#offsets.keys().next().value as string);
    return offsets;
  }

  #forget(path: string): void {
    this.#kept -= this.#offsets.get(path)?.length ?? 0;
    this.#offsets.delete(path);
  }
}
