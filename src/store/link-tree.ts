import { constants } from 'node:fs';
import { copyFile, link, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileRef } from '../contract/job.js';
import { walk } from './fingerprint.js';

/** Repeats everything below a folder in another one, by hard links where the share can do that: no time, and no room. */
export async function linkTree(source: string, target: string): Promise<void> {
  for await (const entry of walk(source)) {
    const to = join(target, entry.path);
    if (entry.kind === 'folder') await mkdir(to, { recursive: true });
    else if (entry.kind === 'file') await linkFile(join(source, entry.path), to);
  }
}

export async function linkFile(source: string, target: string): Promise<void> {
  try {
    await link(source, target);
  } catch {
    // Some shares have no hard links; where the file system can, the copy shares its blocks.
    await copyFile(source, target, constants.COPYFILE_FICLONE);
  }
}

/** Files of the job or graph itself move with it; those of others and of other places stay where they are. */
export function movedRef(ref: FileRef, from: string, to: string): FileRef {
  return 'share' in ref && ref.share.startsWith(`${from}/`) ? { share: `${to}${ref.share.slice(from.length)}` } : ref;
}
