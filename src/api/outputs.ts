import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, isAbsolute, join, relative, sep } from 'node:path';
import { EngineError } from '../errors/engine-error.js';
import { errorCode, isMissing } from '../store/atomic.js';
import { walk } from '../store/fingerprint.js';

export interface OutputFile {
  /** Relative to the outputs, with `/`. */
  readonly path: string;
  readonly size: number;
  readonly modified: string;
}

/** Names of the direct entries; none where the folder is missing. */
export async function listOutputs(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Every file below the folder, links to files inside it too. */
export async function listOutputTree(folder: string): Promise<OutputFile[]> {
  const files: OutputFile[] = [];
  for await (const entry of walk(folder)) {
    if (entry.kind === 'file') {
      files.push({ path: entry.path, size: entry.sizeBytes, modified: new Date(entry.changedMs).toISOString() });
    } else if (entry.kind === 'link') {
      const facts = await linkedFile(folder, entry.path);
      if (facts !== null) files.push({ path: entry.path, size: facts.size, modified: facts.mtime.toISOString() });
    }
  }
  return files;
}

async function linkedFile(folder: string, path: string) {
  try {
    const facts = await stat(await confined(folder, path));
    return facts.isFile() ? facts : null;
  } catch {
    // A link that is broken or leads out: it cannot be downloaded, so it is not listed.
    return null;
  }
}

/**
 * The real place of an output file. Whatever leaves the outputs is refused: `..`, absolute paths, links to elsewhere.
 * @throws EngineError BAD_REQUEST or NOT_FOUND
 */
export async function confined(folder: string, path: string): Promise<string> {
  const parts = path.split(/[/\\]/);
  if (path === '' || path.includes('\0') || isAbsolute(path) || parts.includes('..')) {
    throw new EngineError('BAD_REQUEST', `"${printable(path)}" is not the path of an output file`);
  }
  let root: string;
  let target: string;
  try {
    root = await realpath(folder);
    target = await realpath(join(root, path));
  } catch (error) {
    if (errorCode(error) === 'ELOOP') throw new EngineError('BAD_REQUEST', `"${path}" is a link that leads nowhere`);
    if (isMissing(error) || errorCode(error) === 'ENAMETOOLONG') {
      throw new EngineError('NOT_FOUND', `there is no output file "${path}"`);
    }
    throw error;
  }
  const inside = relative(root, target);
  if (inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
    throw new EngineError('BAD_REQUEST', `"${path}" leads out of the outputs of the job`);
  }
  if ((await stat(target)).isDirectory()) {
    throw new EngineError('BAD_REQUEST', `"${path}" is a folder: name a file in it, or fetch the archive`);
  }
  return target;
}

/** The name a download is saved under. */
export function downloadName(path: string): string {
  return basename(path);
}

function printable(text: string): string {
  return text.replaceAll('\0', '\\0');
}
