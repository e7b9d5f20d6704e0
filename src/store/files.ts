import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  type Stats,
  statfsSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdir, open, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * The small files that tell of jobs (specifications, records, claims): a kilobyte each, a dozen operations a job.
 *
 * On a disk of this machine they are done at once, in the calling thread: a trip through Node's thread pool costs more than
 * the operation (measured: 145 µs of CPU to read a file of 900 bytes through `fs/promises`, 19 µs directly). On anything
 * that may keep a caller waiting (network file systems, FUSE, unknown ones) they go through the pool, so that a file
 * server that is away stops nothing else. Large files, and whole trees, are not for here.
 */
export interface Files {
  /** Whether operations are done at once. */
  readonly direct: boolean;
  /** The text of a file, or null where there is none. */
  read(path: string): Promise<string | null>;
  /** The bytes of a file, or null where there is none of at most that size. */
  readSmall(path: string, mostBytes: number): Promise<Buffer | null>;
  /** The text and what tells this version of the file from others; the text only when that is not `known`. null: no file. */
  readUnless(
    path: string,
    known: string | null,
  ): Promise<{ readonly mark: string; readonly text: string | null } | null>;
  /** Writes a new file that nobody looks at yet. */
  write(path: string, content: string | Uint8Array, options: WriteOptions): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file; one that is not there is fine. */
  remove(path: string): Promise<void>;
  /** A file to add to, made where there is none; null where its folder is not there. */
  openToAppend(path: string): Promise<AppendFile | null>;
  /** Makes one folder; one that is there is fine. The folder above must be there. */
  makeFolder(path: string): Promise<void>;
}

export interface AppendFile {
  size(): Promise<number>;
  /** Bytes from a place to the end of the file as it was found. */
  read(from: number, size: number): Promise<Buffer>;
  /** After whatever others have added meanwhile. */
  append(text: string): Promise<void>;
  close(): Promise<void>;
}

export interface WriteOptions {
  /** On the disk before it returns. */
  readonly flush?: boolean;
  readonly mode?: number;
}

/** @param root a folder that is there, or will be made below one that is */
export function filesAt(root: string): Files {
  return isLocal(root) ? localFiles : pooledFiles;
}

/** Magic numbers of file systems on disks of this machine (`statfs(2)`): ext, XFS, Btrfs, F2FS, ZFS, tmpfs, overlay, APFS. */
const localTypes = new Set([0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x2fc12fc1, 0x01021994, 0x794c7630, 0x1a]);

function isLocal(path: string): boolean {
  try {
    return localTypes.has(statfsSync(path).type);
  } catch {
    const above = dirname(resolve(path));
    return above !== path && isLocal(above);
  }
}

/** Changes with every replacement of a file, whoever made it. */
function markOf({ ino, size, mtimeMs, ctimeMs }: Stats): string {
  return `${ino}.${size}.${mtimeMs}.${ctimeMs}`;
}

const localFiles: Files = {
  direct: true,
  async read(path) {
    return orNull(() => readFileSync(path, 'utf8'));
  },
  async readSmall(path, mostBytes) {
    return orNull(() => (statSync(path).size > mostBytes ? null : readFileSync(path)));
  },
  async readUnless(path, known) {
    // One call where nothing has changed, which is the most common case.
    const seen = known === null ? null : orNull(() => statSync(path));
    if (seen !== null && known === markOf(seen)) return { mark: known, text: null };
    const file = orNull(() => openSync(path, 'r'));
    if (file === null) return null;
    try {
      return { mark: markOf(fstatSync(file)), text: readFileSync(file, 'utf8') };
    } finally {
      closeSync(file);
    }
  },
  async write(path, content, options) {
    writeFileSync(path, content, options);
  },
  async rename(from, to) {
    renameSync(from, to);
  },
  async remove(path) {
    orNull(() => unlinkSync(path));
  },
  async openToAppend(path) {
    const file = orNull(() => openSync(path, 'a+'));
    if (file === null) return null;
    return {
      size: async () => fstatSync(file).size,
      read: async (from, size) => {
        const bytes = Buffer.allocUnsafe(size - from);
        return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, from));
      },
      append: async (text) => {
        writeFileSync(file, text);
      },
      close: async () => closeSync(file),
    };
  },
  async makeFolder(path) {
    try {
      mkdirSync(path);
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error;
    }
  },
};

export const pooledFiles: Files = {
  direct: false,
  async read(path) {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      return missing(error);
    }
  },
  async readSmall(path, mostBytes) {
    try {
      return (await stat(path)).size > mostBytes ? null : await readFile(path);
    } catch (error) {
      return missing(error);
    }
  },
  // Opened each time, not just looked up: on network shares opening is what asks the server for news.
  async readUnless(path, known) {
    const file = await open(path, 'r').catch(missing);
    if (file === null) return null;
    try {
      const mark = markOf(await file.stat());
      return { mark, text: mark === known ? null : await file.readFile('utf8') };
    } finally {
      await file.close();
    }
  },
  write: (path, content, options) => writeFile(path, content, options),
  rename,
  async remove(path) {
    await unlink(path).catch(missing);
  },
  async openToAppend(path) {
    const file = await open(path, 'a+').catch(missing);
    if (file === null) return null;
    return {
      size: async () => (await file.stat()).size,
      read: async (from, size) => {
        const bytes = Buffer.allocUnsafe(size - from);
        return bytes.subarray(0, (await file.read(bytes, 0, bytes.length, from)).bytesRead);
      },
      append: (text) => file.writeFile(text),
      close: () => file.close(),
    };
  },
  async makeFolder(path) {
    try {
      await mkdir(path);
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error;
    }
  },
};

function orNull<T>(act: () => T): T | null {
  try {
    return act();
  } catch (error) {
    return missing(error);
  }
}

function missing(error: unknown): null {
  if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')) return null;
  throw error;
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
