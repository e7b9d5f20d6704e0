import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, readFile, unlink, writeFile } from 'node:fs/promises';
import { type Files, pooledFiles } from './files.js';

/**
 * Replaces a file as a whole: readers see the old content or the new, never a part. With `sync` the bytes are on the
 * disk before the name points to them, so a power cut cannot leave an empty file.
 */
export async function writeFileAtomic(
  path: string,
  content: string,
  options: { readonly sync?: boolean; readonly files?: Files } = {},
): Promise<void> {
  const { files = pooledFiles, sync = false } = options;
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await files.write(temporary, content, { flush: sync });
    await files.rename(temporary, path);
  } catch (error) {
    await files.remove(temporary).catch(() => undefined);
    throw error;
  }
}

/**
 * Makes a file, whole, unless there is one of that name.
 * @returns false when there is; then nothing has changed
 */
export async function createFileAtomic(
  path: string,
  content: string,
  options: { readonly sync?: boolean } = {},
): Promise<boolean> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await writeFile(temporary, content, { flush: options.sync ?? false });
    await linkOrCopy(temporary, path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await unlink(temporary).catch(() => undefined);
  }
}

/** A second name for a file, or a copy where the file system has no links. @throws EEXIST when the name is taken */
export async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV', 'EMLINK'].includes(errorCode(error) ?? '')) throw error;
    await copyFile(from, to, constants.COPYFILE_EXCL);
  }
}

/** The text of a file, or null where there is none. */
export async function readTextIfExists(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

export function isMissing(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
