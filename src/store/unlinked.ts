import { realpath } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { EngineError } from '../errors/engine-error.js';

/**
 * A folder of a job, at its real place. Scripts may write to the share, and one could put a link in the place of a folder
 * of its job: what is then read through it would be files of this host, not of the job.
 * @throws EngineError BAD_REQUEST when the folder, or one above it up to the share, is a link; ENOENT where it is missing
 */
export async function unlinked(shareRoot: string, folder: string): Promise<string> {
  const real = await realpath(folder);
  const expected = join(await realpath(shareRoot), relative(shareRoot, folder));
  if (real !== expected) {
    throw new EngineError('BAD_REQUEST', `${relative(shareRoot, folder)} is a link: only real folders are served`);
  }
  return real;
}
