import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileRef } from '../contract/job.js';
import { isMissing } from './atomic.js';

/** A file that nodes may name: where it will lie, and where it lies now. */
export interface KnownFile {
  readonly ref: FileRef;
  readonly path: string;
}

/** Files of earlier requests: a folder for each, named as the form called it, with one file in it. */
export async function filesThere(graphId: string, inputs: string): Promise<Map<string, KnownFile>> {
  const files = new Map<string, KnownFile>();
  let names: string[];
  try {
    names = await readdir(inputs);
  } catch (error) {
    if (isMissing(error)) return files;
    throw error;
  }
  for (const name of names) {
    const [file] = await readdir(join(inputs, name));
    if (file === undefined) continue;
    files.set(name, { ref: { share: `${graphId}/inputs/${name}/${file}` }, path: join(inputs, name, file) });
  }
  return files;
}
