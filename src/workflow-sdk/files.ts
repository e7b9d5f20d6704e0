import { currentRun } from './run.js';

/** A file that {@link filesIn} has found. */
export interface FoundFile {
  /** Absolute. */
  readonly path: string;
  /** Below the folder. */
  readonly name: string;
  readonly sizeBytes: number;
  /** When it was last written: ISO 8601. */
  readonly changedAt: string;
}

/**
 * Lists the files of a folder that the engine's machine sees, sorted by name. Once listed, the list stays what it is for this
 * run, whatever happens to the folder.
 *
 * @param pattern which files, by their path below the folder: `*` within a name, `**` over folders, `{step,iges}`. Default `*`.
 */
export async function filesIn(folder: string, pattern = '*'): Promise<FoundFile[]> {
  return currentRun().filesIn(folder, pattern);
}
