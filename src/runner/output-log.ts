import { type FileHandle, mkdir, open } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { dirname } from 'node:path';

/** Kept in memory for messages about crashes. */
const recentBytes = 8192;
/** Longest end of an overlong log that is kept; it lives in memory until it is written. */
const maxTailBytes = 1 << 20;
/** Room for the line that tells what was dropped. */
const noteBytes = 128;
const tailRefreshMs = 1000;
/** Written behind this much: the script has to wait, so that a fast printer cannot fill the memory. */
const maxUnwrittenBytes = 4 << 20;

/**
 * The log of one attempt: what its processes print, in order of arrival, and never more than `maxBytes`. Of a longer log the
 * beginning and the end stay, with a line between them. The file can be read at any time; it is made with the first output.
 */
export class OutputLog {
  readonly #path: string;
  readonly #headRoom: number;
  readonly #tail: Ring;
  readonly #recent = new Ring(recentBytes);
  readonly #onError: (error: unknown) => void;
  #file: FileHandle | null = null;
  #failed = false;
  #headBytes = 0;
  #tailTotal = 0;
  #tailWritten = 0;
  #unwritten = 0;
  #work: Promise<void> = Promise.resolve();
  #refresh: NodeJS.Timeout | null = null;
  #source: Socket | null = null;

  constructor(path: string, maxBytes: number, onError: (error: unknown) => void) {
    const tailBytes = Math.min(maxTailBytes, Math.floor(maxBytes / 4));
    this.#path = path;
    this.#headRoom = Math.max(0, maxBytes - tailBytes - noteBytes);
    this.#tail = new Ring(tailBytes);
    this.#onError = onError;
  }

  /** Reads until all writers have closed. */
  pump(source: Socket): void {
    this.#source = source;
    source.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  /** The last complete lines, for messages. */
  recentLines(count: number): string[] {
    const text = this.#recent.content().toString('utf8');
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    return lines.slice(-count);
  }

  /** Ends when everything is in the file. */
  async close(): Promise<void> {
    if (this.#refresh !== null) clearTimeout(this.#refresh);
    if (this.#tailTotal > this.#tailWritten) this.#queueTail();
    await this.#work;
    await this.#file?.close().catch(this.#onError);
    this.#file = null;
  }

  #take(chunk: Buffer): void {
    this.#recent.add(chunk);
    const head = chunk.subarray(0, Math.max(0, this.#headRoom - this.#headBytes));
    if (head.length > 0) {
      const at = this.#headBytes;
      this.#headBytes += head.length;
      this.#unwritten += head.length;
      if (this.#unwritten > maxUnwrittenBytes) this.#source?.pause();
      this.#queue(async (file) => {
        await file.write(head, 0, head.length, at);
        this.#unwritten -= head.length;
        if (this.#unwritten <= maxUnwrittenBytes / 2) this.#source?.resume();
      });
    }
    const rest = chunk.subarray(head.length);
    if (rest.length === 0) return;
    this.#tail.add(rest);
    this.#tailTotal += rest.length;
    this.#refresh ??= setTimeout(() => {
      this.#refresh = null;
      this.#queueTail();
    }, tailRefreshMs);
  }

  /** Writes the note and the end of the log behind its beginning, over what stood there before. */
  #queueTail(): void {
    const total = this.#tailTotal;
    this.#tailWritten = total;
    const tail = this.#tail.content();
    const dropped = total - tail.length;
    const note = dropped === 0 ? '' : `\n[... ${dropped} bytes of the log were dropped here ...]\n`;
    const content = Buffer.concat([Buffer.from(note), tail]);
    this.#queue(async (file) => {
      await file.write(content, 0, content.length, this.#headBytes);
      await file.truncate(this.#headBytes + content.length);
    });
  }

  #queue(write: (file: FileHandle) => Promise<void>): void {
    this.#work = this.#work.then(async () => {
      if (this.#failed) {
        this.#source?.resume();
        return;
      }
      try {
        this.#file ??= await this.#create();
        await write(this.#file);
      } catch (error) {
        // A full disk must not stop the script: what it prints is dropped from here on.
        this.#failed = true;
        this.#source?.resume();
        this.#onError(error);
      }
    });
  }

  async #create(): Promise<FileHandle> {
    await mkdir(dirname(this.#path), { recursive: true });
    return open(this.#path, 'w');
  }
}

/** The last bytes of a stream. */
class Ring {
  readonly #size: number;
  #buffer: Buffer | null = null;
  #start = 0;
  #length = 0;

  constructor(size: number) {
    this.#size = size;
  }

  add(chunk: Buffer): void {
    this.#buffer ??= Buffer.allocUnsafe(this.#size);
    const kept = chunk.length > this.#size ? chunk.subarray(chunk.length - this.#size) : chunk;
    const end = (this.#start + this.#length) % this.#size;
    const first = kept.copy(this.#buffer, end, 0, Math.min(kept.length, this.#size - end));
    kept.copy(this.#buffer, 0, first);
    const length = this.#length + kept.length;
    this.#length = Math.min(length, this.#size);
    this.#start = (this.#start + (length - this.#length)) % this.#size;
  }

  content(): Buffer {
    if (this.#buffer === null) return Buffer.alloc(0);
    const end = this.#start + this.#length;
    if (end <= this.#size) return Buffer.from(this.#buffer.subarray(this.#start, end));
    return Buffer.concat([this.#buffer.subarray(this.#start), this.#buffer.subarray(0, end - this.#size)]);
  }
}
