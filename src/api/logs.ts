import { constants, createReadStream, type ReadStream } from 'node:fs';
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { EngineError } from '../errors/engine-error.js';
import { errorCode, isMissing } from '../store/atomic.js';
import { type JobPaths, logFileOf } from '../store/layout.js';

/** Longest piece read at once. */
const chunkBytes = 256 * 1024;

/** Bytes of each attempt's log, by attempt. */
export async function logSizes(paths: JobPaths): Promise<Map<number, number>> {
  const sizes = new Map<number, number>();
  let names: string[];
  try {
    names = await readdir(paths.logs);
  } catch (error) {
    if (isMissing(error)) return sizes;
    throw error;
  }
  const attempts = names
    .map((name) => Number(/^(\d{1,9})\.log$/.exec(name)?.[1]))
    .filter((attempt) => attempt > 0)
    .sort((a, b) => a - b);
  for (const attempt of attempts) sizes.set(attempt, await sizeOf(logFileOf(paths, attempt)));
  return sizes;
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}

export interface LogText {
  readonly stream: ReadStream;
  readonly sizeBytes: number;
}

/**
 * A log from byte `offset` on, but not more than its last `tail` lines; all of them for null. null where there is nothing.
 */
export async function readLog(file: string, tail: number | null, offset = 0): Promise<LogText | null> {
  const handle = await openLog(file);
  if (handle === null) return null;
  const { size } = await handle.stat();
  const start = Math.max(offset, tail === null ? 0 : await tailOffset(handle, size, tail));
  if (start >= size) {
    await handle.close();
    return null;
  }
  // The end is fixed: a log that grows would send more than its Content-Length.
  return { stream: createReadStream('', { fd: handle, start, end: size - 1 }), sizeBytes: size - start };
}

/** A script could put a link or a pipe in the place of its log: neither is followed, nor waited for. */
async function openLog(file: string): Promise<FileHandle | null> {
  try {
    return await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0));
  } catch (error) {
    if (isMissing(error)) return null;
    if (errorCode(error) === 'ELOOP')
      throw new EngineError('BAD_REQUEST', 'the log is a link: only real files are served');
    throw error;
  }
}

/** Where the last `lines` lines of the first `size` bytes begin; read from the end, so a long log costs nothing. */
async function tailOffset(file: FileHandle, size: number, lines: number): Promise<number> {
  if (lines === 0) return size;
  const buffer = Buffer.alloc(chunkBytes);
  let left = lines;
  let end = size;
  while (end > 0) {
    const start = Math.max(0, end - chunkBytes);
    const { bytesRead } = await file.read(buffer, 0, end - start, start);
    if (bytesRead === 0) return start;
    for (let i = bytesRead - 1; i >= 0; i--) {
      // The line break that ends the last line does not begin another one.
      if (buffer[i] !== 0x0a || start + i === size - 1) continue;
      if (--left === 0) return start + i + 1;
    }
    end = start;
  }
  return 0;
}

export interface LogPiece {
  readonly text: string;
  /** Bytes of the log up to the end of the piece. */
  readonly offset: number;
}

/** Reads a log that may still grow, piece by piece. */
export class LogFollower {
  readonly #file: string;
  #offset: number;

  constructor(file: string, offset: number) {
    this.#file = file;
    this.#offset = offset;
  }

  /** Where to begin in order to show the last lines only. */
  static async startOf(file: string, tail: number | null): Promise<number> {
    if (tail === null) return 0;
    const handle = await openLog(file);
    if (handle === null) return 0;
    try {
      return await tailOffset(handle, (await handle.stat()).size, tail);
    } finally {
      await handle.close();
    }
  }

  /** What has been added. @param ended nothing will be added any more: half a character at the end is given too */
  async *pieces(ended: boolean): AsyncGenerator<LogPiece> {
    const handle = await openLog(this.#file);
    if (handle === null) return;
    try {
      const { size } = await handle.stat();
      // The middle of a log that grew too long is taken out when it ends; what is left cannot be told apart from new.
      if (size < this.#offset) this.#offset = size;
      const buffer = Buffer.alloc(chunkBytes);
      for (;;) {
        const { bytesRead } = await handle.read(buffer, 0, chunkBytes, this.#offset);
        const whole = ended && bytesRead < chunkBytes ? bytesRead : wholeCharacters(buffer, bytesRead);
        if (whole === 0) return;
        this.#offset += whole;
        yield { text: buffer.toString('utf8', 0, whole), offset: this.#offset };
      }
    } finally {
      await handle.close();
    }
  }
}

/** How many of the bytes make whole UTF-8 characters: a piece may end in the middle of one. */
function wholeCharacters(buffer: Buffer, length: number): number {
  for (let back = 1; back <= Math.min(3, length); back++) {
    const byte = buffer[length - back] ?? 0;
    if (byte < 0x80) return length;
    if (byte >= 0xc0) {
      const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return back < needed ? length - back : length;
    }
  }
  return length;
}
