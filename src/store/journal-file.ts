import { open } from 'node:fs/promises';
import { entryKey, type JournalEntry, journalEntrySchema } from '../contract/journal.js';
import { isMissing } from './atomic.js';
import { type AppendFile, type Files, filesAt } from './files.js';
import { graphPaths } from './layout.js';

/**
 * The journals of graphs, as their writers and readers see them. Rules:
 * 1. An entry is a line; its sequence number is the line's number, from 1. A line that was never finished (the writer died)
 *    keeps its number and says nothing.
 * 2. Lines are only ever added. Writers take turns with the graph's workflow; for a moment there can be two of them.
 * 3. An entry is written once: who writes has read what is there. Where two writers met, a line may stand twice, so
 *    whoever reads must take the second for what it is (`GraphFold` does).
 */

/**
 * Graphs whose journals are kept in mind, and entries of all of them together: those that have been quiet for longest go
 * first. An entry costs some 100 bytes.
 */
const mostWriters = 300;
const mostEntries = 300_000;
/** How much is read at a time. */
const readBytes = 1 << 20;

export interface NumberedEntry {
  readonly seq: number;
  readonly entry: JournalEntry;
}

/** How far a journal has been read: the place and the number of the next line. */
export interface JournalPlace {
  readonly offset: number;
  /** Of the last whole line before `offset`. */
  readonly seq: number;
}

export const journalStart: JournalPlace = { offset: 0, seq: 0 };

interface Piece {
  readonly entries: readonly NumberedEntry[];
  readonly place: JournalPlace;
  /** Bytes after the last whole line: a line that is being written, or never will be. */
  readonly unfinished: number;
  /** The file went on: as much as was asked for has come, and there is more. */
  readonly more: boolean;
  /** The file is shorter than the place that was to be read from: it is another one. */
  readonly shorter: boolean;
}

/** Reads on from a place: whole lines only, about as much as `most` bytes. The same place, where nothing is new. */
export async function readJournal(path: string, from: JournalPlace, most = Number.POSITIVE_INFINITY): Promise<Piece> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (isMissing(error)) return { entries: [], place: from, unfinished: 0, more: false, shorter: from.offset > 0 };
    throw error;
  }
  const entries: NumberedEntry[] = [];
  let { offset, seq } = from;
  try {
    const { size } = await file.stat();
    let rest: Buffer = Buffer.alloc(0);
    for (let position = offset; position < size; ) {
      if (offset - from.offset >= most)
        return { entries, place: { offset, seq }, unfinished: 0, more: true, shorter: false };
      const bytes = Buffer.allocUnsafe(Math.min(readBytes, size - position, Math.max(4096, most)));
      const { bytesRead } = await file.read(bytes, 0, bytes.length, position);
      if (bytesRead === 0) break;
      position += bytesRead;
      const part =
        rest.length === 0 ? bytes.subarray(0, bytesRead) : Buffer.concat([rest, bytes.subarray(0, bytesRead)]);
      const end = part.lastIndexOf(10) + 1;
      rest = part.subarray(end);
      if (end === 0) continue;
      for (const line of part.toString('utf8', 0, end - 1).split('\n')) {
        seq += 1;
        const entry = parsed(line);
        if (entry !== null) entries.push({ seq, entry });
      }
      offset += end;
    }
    return { entries, place: { offset, seq }, unfinished: rest.length, more: false, shorter: size < from.offset };
  } finally {
    await file.close();
  }
}

function parsed(line: string): JournalEntry | null {
  try {
    return journalEntrySchema.parse(JSON.parse(line));
  } catch {
    return null; // begun by a writer that died
  }
}

/** Adds to journals. One for a process: it keeps in mind what each journal holds. */
export class JournalWriter {
  readonly #root: string;
  readonly #onError: (graphId: string, error: unknown) => void;
  readonly #files: Files;
  readonly #writers = new Map<string, OneJournal>();

  /** @param onError told when entries could not be written; they are kept, and tried again with the next ones */
  constructor(root: string, onError: (graphId: string, error: unknown) => void = () => undefined) {
    this.#root = root;
    this.#files = filesAt(root);
    this.#onError = onError;
  }

  /**
   * Adds the entries that the journal does not hold yet, in the order of the calls. What comes while the file is being
   * written goes out together after it.
   * @returns when they are on the share, or could not be written
   */
  append(graphId: string, entries: readonly JournalEntry[]): Promise<void> {
    const writer = this.#writers.get(graphId) ?? new OneJournal(graphPaths(this.#root, graphId).journal, this.#files);
    this.#writers.delete(graphId);
    this.#writers.set(graphId, writer);
    // After the end nothing more is expected. Should the graph be tried again, its file is read again.
    const ends = entries.some(({ type }) => type === 'ended');
    return writer
      .append(entries)
      .catch((error: unknown) => this.#onError(graphId, error))
      .finally(() => {
        if (ends && writer.idle && this.#writers.get(graphId) === writer) this.#writers.delete(graphId);
        this.#shrink();
      });
  }

  #shrink(): void {
    let total = [...this.#writers.values()].reduce((sum, { entries }) => sum + entries, 0);
    for (const [graphId, writer] of this.#writers) {
      if (this.#writers.size <= mostWriters && total <= mostEntries) return;
      if (!writer.idle) continue;
      this.#writers.delete(graphId);
      total -= writer.entries;
    }
  }
}

class OneJournal {
  readonly #path: string;
  readonly #files: Files;
  /** Keys of all entries that the file holds, as far as it was read. */
  readonly #keys = new Set<string>();
  /** Up to here, and how long it was at the last look. */
  #read = 0;
  #size = 0;
  #waiting: JournalEntry[] = [];
  #writing: Promise<void> | null = null;

  constructor(path: string, files: Files) {
    this.#path = path;
    this.#files = files;
  }

  /** Entries that it keeps in mind. */
  get entries(): number {
    return this.#keys.size;
  }

  get idle(): boolean {
    return this.#writing === null && this.#waiting.length === 0;
  }

  append(entries: readonly JournalEntry[]): Promise<void> {
    // A replay brings the whole history again: nearly all of it is known, and costs no look at the file.
    for (const entry of entries) if (!this.#keys.has(entryKey(entry))) this.#waiting.push(entry);
    if (this.#waiting.length === 0) return this.#writing ?? Promise.resolve();
    if (this.#writing === null) {
      this.#writing = this.#writeAll().finally(() => {
        this.#writing = null;
      });
    }
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const taken = this.#waiting;
      this.#waiting = [];
      try {
        await this.#write(taken);
      } catch (error) {
        this.#waiting = [...taken, ...this.#waiting];
        throw error;
      }
    }
  }

  async #write(entries: readonly JournalEntry[]): Promise<void> {
    const file = await this.#files.openToAppend(this.#path);
    // The graph was deleted, or has no folder (yet): nobody reads its journal.
    if (file === null) return;
    try {
      const unfinished = await this.#catchUp(file);
      const lines: string[] = [];
      const keys = new Set<string>();
      for (const entry of entries) {
        const key = entryKey(entry);
        if (this.#keys.has(key) || keys.has(key)) continue;
        keys.add(key);
        lines.push(`${JSON.stringify(entry)}\n`);
      }
      if (lines.length === 0) return;
      const text = `${unfinished ? '\n' : ''}${lines.join('')}`;
      await file.append(text);
      for (const key of keys) this.#keys.add(key);
      // Unless somebody else was at it as well, there is nothing in it that is not known.
      const end = this.#size + Buffer.byteLength(text);
      if ((await file.size()) === end) this.#read = end;
    } finally {
      await file.close();
    }
  }

  /** Takes note of what another writer has added since the last look. @returns whether its last line has no end */
  async #catchUp(file: AppendFile): Promise<boolean> {
    const size = await file.size();
    this.#size = size;
    if (size < this.#read) {
      this.#keys.clear();
      this.#read = 0;
    }
    let unfinished = 0;
    while (this.#read + unfinished < size) {
      const bytes = await file.read(this.#read, Math.min(size, this.#read + unfinished + readBytes));
      const end = bytes.lastIndexOf(10) + 1;
      for (const line of bytes.toString('utf8', 0, Math.max(0, end - 1)).split('\n')) {
        const entry = parsed(line);
        if (entry !== null) this.#keys.add(entryKey(entry));
      }
      this.#read += end;
      unfinished = bytes.length - end;
      if (bytes.length === 0) break;
    }
    return unfinished > 0;
  }
}
