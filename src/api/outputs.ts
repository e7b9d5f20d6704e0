import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, isAbsolute, join, relative, sep } from 'node:path';
import { EngineError } from '../errors/engine-error.js';
import { errorCode, isMissing } from '../store/atomic.js';
import { walk } from '../store/fingerprint.js';
import type { JobStore } from '../store/job-store.js';
import { unlinked } from '../store/unlinked.js';

export interface OutputFile {
  /** Relative to the outputs, with `/`. */
  readonly path: string;
  readonly size: number;
  readonly modified: string;
}

/** What a job has made: its output folder, and what may be read of it. */
export class Outputs {
  readonly #shareRoot: string;
  readonly #folder: string;

  constructor(store: JobStore, jobId: string) {
    this.#shareRoot = store.root;
    this.#folder = store.paths(jobId).outputs;
  }

  /** Names of the direct entries; none where the folder is missing. */
  async names(): Promise<string[]> {
    const root = await this.#root();
    return root === null ? [] : (await readdir(root)).sort();
  }

  /** Every file below the folder, links to files inside it too. */
  async files(): Promise<OutputFile[]> {
    const root = await this.#root();
    const files: OutputFile[] = [];
    if (root === null) return files;
    for await (const entry of walk(root)) {
      if (entry.kind === 'file') {
        files.push({ path: entry.path, size: entry.sizeBytes, modified: new Date(entry.changedMs).toISOString() });
      } else if (entry.kind === 'link') {
        const facts = await linkedFile(root, entry.path);
        if (facts !== null) files.push({ path: entry.path, size: facts.size, modified: facts.mtime.toISOString() });
      }
    }
    return files;
  }

  /**
   * The real place of an output file. Whatever leaves the outputs is refused: `..`, absolute paths, links to elsewhere.
   * @throws EngineError BAD_REQUEST or NOT_FOUND
   */
  async locate(path: string): Promise<string> {
    const parts = path.split(/[/\\]/);
    if (path === '' || path.includes('\0') || isAbsolute(path) || parts.includes('..')) {
      throw new EngineError('BAD_REQUEST', `"${printable(path)}" is not the path of an output file`);
    }
    const root = await this.#root();
    if (root === null) throw new EngineError('NOT_FOUND', `there is no output file "${path}"`);
    return confined(root, path);
  }

  async #root(): Promise<string | null> {
    try {
      return await unlinked(this.#shareRoot, this.#folder);
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }
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

async function confined(root: string, path: string): Promise<string> {
  let target: string;
  try {
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
