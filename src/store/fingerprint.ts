import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from './atomic.js';

/**
 * Says whether two archives of a folder would hold the same: SHA-256 over every entry below it (relative path, kind,
 * size, time of change; of a link its target). Content is not read, so a tree of many gigabytes costs one walk.
 * Both sides use it: the API to see whether an archive is still good, the zip activity to say what it has packed.
 * A folder that does not exist counts as empty.
 */
export async function fingerprintOf(folder: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const entry of walk(folder, '')) {
    // JSON keeps the fields apart whatever characters a name has.
    hash.update(`${JSON.stringify([entry.path, entry.kind, entry.sizeBytes, entry.changedMs, entry.target])}\n`);
  }
  return hash.digest('hex');
}

export interface TreeEntry {
  /** Relative to the folder, with `/`. */
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  readonly sizeBytes: number;
  readonly changedMs: number;
  /** Where a link points to, as it is written in the link. */
  readonly target: string | null;
}

/** Everything below a folder, depth first, sorted by name; links are told, not followed. */
export async function* walk(folder: string, prefix = ''): AsyncGenerator<TreeEntry> {
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const full = join(folder, entry.name);
    const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    const told = await describe(full, path);
    if (told === null) continue;
    yield told;
    if (told.kind === 'folder') yield* walk(full, path);
  }
}

/** null when the entry went away since its folder was read: a running script may delete what it wrote. */
async function describe(full: string, path: string): Promise<TreeEntry | null> {
  try {
    const facts = await lstat(full);
    const kind = facts.isFile() ? 'file' : facts.isDirectory() ? 'folder' : facts.isSymbolicLink() ? 'link' : 'other';
    return {
      path,
      kind,
      // The size of a folder depends on the file system, and its time changes with entries that are listed anyway.
      sizeBytes: kind === 'folder' ? 0 : facts.size,
      changedMs: kind === 'folder' ? 0 : facts.mtimeMs,
      target: kind === 'link' ? await readlink(full) : null,
    };
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}
