import { type FileHandle, open } from 'node:fs/promises';
import { isMissing } from './atomic.js';

/** Lines known by their place, over all files: 8 bytes each. */
const mostLines = 2_000_000;

interface Index {
  /** Tells whether the file is still the one that was read. */
  readonly mark: string;
  /** Where each line begins, and where the last one ends. */
  readonly offsets: Float64Array;
}

/**
 * Single lines out of files that are written once, whole, and never changed. A file is read through once in a process;
 * after that a line costs one look and one read of its bytes, however many lines there are.
 */
export class LineFiles {
  /** In the order of last use: the first is the next to go. */
  readonly #known = new Map<string, Index>();
  #kept = 0;

  /** Number of lines, or null where there is no such file. */
  count(path: string): Promise<number | null> {
    return this.#within(path, async (_file, { offsets }) => offsets.length - 1);
  }

  /** Lines `from` (counted from 0) and on, at most `count`; null where there is no such file. */
  read(path: string, from: number, count: number): Promise<string[] | null> {
    return this.#within(path, async (file, { offsets }) => {
      const end = Math.min(from + count, offsets.length - 1);
      if (from >= end) return [];
      const start = offsets[from] as number;
      const bytes = Buffer.allocUnsafe((offsets[end] as number) - start);
      for (let filled = 0; filled < bytes.length; ) {
        const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, start + filled);
        if (bytesRead === 0) throw new Error(`${path} became shorter while it was read`);
        filled += bytesRead;
      }
      return bytes.toString('utf8', 0, bytes.length - 1).split('\n');
    });
  }

  async #within<T>(path: string, work: (file: FileHandle, index: Index) => Promise<T>): Promise<T | null> {
    let file: FileHandle;
    try {
      file = await open(path, 'r');
    } catch (error) {
      if (!isMissing(error)) throw error;
      this.#forget(path);
      return null;
    }
    try {
      // A file can be deleted and made anew, by a request that was sent again after the graph had been cleaned away.
      const { ino, size, mtimeMs } = await file.stat();
      const mark = `${ino}.${size}.${mtimeMs}`;
      let index = this.#known.get(path);
      if (index?.mark !== mark) index = { mark, offsets: await offsetsOf(file, path) };
      this.#forget(path);
      this.#known.set(path, index);
      this.#kept += index.offsets.length;
      while (this.#kept > mostLines && this.#known.size > 1) this.#forget(this.#known.keys().next().value as string);
      return await work(file, index);
    } finally {
      await file.close();
    }
  }

  #forget(path: string): void {
    this.#kept -= this.#known.get(path)?.offsets.length ?? 0;
    this.#known.delete(path);
  }
}

async function offsetsOf(file: FileHandle, path: string): Promise<Float64Array> {
  const starts = [0];
  const bytes = Buffer.allocUnsafe(256 << 10);
  let position = 0;
  for (;;) {
    const { bytesRead } = await file.read(bytes, 0, bytes.length, position);
    if (bytesRead === 0) break;
    const part = bytes.subarray(0, bytesRead);
    for (let at = part.indexOf(10); at !== -1; at = part.indexOf(10, at + 1)) starts.push(position + at + 1);
    position += bytesRead;
  }
  if (starts.at(-1) !== position) throw new Error(`${path} does not end with a whole line`);
  return Float64Array.from(starts);
}
