import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/**
 * Programs that set-up downloaded or built, each set in a folder of its own, beside a manifest of what was checked.
 *
 * 1. A folder appears under its final name only when it is complete: it is made under another name and renamed.
 * 2. Before use, size and time of each file are held against the manifest; where they differ, the SHA-256 decides. Hashing
 *    300 MB at every start would cost more than starting the server.
 */

const manifestName = 'manifest.json';

interface Manifest {
  /** What the programs said to `--version`. */
  readonly versions: Readonly<Record<string, string>>;
  readonly files: Readonly<
    Record<string, { readonly size: number; readonly mtimeMs: number; readonly sha256: string }>
  >;
}

export async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** Records what is in `folder` and gives it its final name. A folder that another set-up finished meanwhile is kept. */
export async function publishPrograms(
  folder: string,
  destination: string,
  versions: Readonly<Record<string, string>>,
): Promise<void> {
  const files: Record<string, { size: number; mtimeMs: number; sha256: string }> = {};
  for (const name of Object.keys(versions)) {
    const file = join(folder, name);
    const { size, mtimeMs } = statSync(file);
    files[name] = { size, mtimeMs, sha256: await sha256(file) };
  }
  const manifest: Manifest = { versions, files };
  writeFileSync(join(folder, manifestName), `${JSON.stringify(manifest, null, 2)}\n`);
  try {
    renameSync(folder, destination);
  } catch (error) {
    if (!existsSync(join(destination, manifestName))) {
      rmSync(destination, { recursive: true, force: true });
      renameSync(folder, destination);
    } else if (!['EEXIST', 'ENOTEMPTY', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) {
      throw error;
    }
  }
}

/** Whether the folder holds these programs unchanged. */
export async function hasPrograms(folder: string, names: readonly string[]): Promise<boolean> {
  let manifest: Manifest;
  try {
    manifest = JSON.parse(readFileSync(join(folder, manifestName), 'utf8')) as Manifest;
    let touched = false;
    for (const name of names) {
      const file = join(folder, name);
      const recorded = manifest.files[name];
      const { size, mtimeMs } = statSync(file);
      if (recorded === undefined || recorded.size !== size) return false;
      if (recorded.mtimeMs !== mtimeMs) {
        if ((await sha256(file)) !== recorded.sha256) return false;
        manifest = { ...manifest, files: { ...manifest.files, [name]: { ...recorded, mtimeMs } } };
        touched = true;
      }
    }
    if (touched) rewrite(folder, manifest);
    return true;
  } catch {
    return false;
  }
}

/** The new times spare the next start the hashing; where they cannot be written it is merely slower. */
function rewrite(folder: string, manifest: Manifest): void {
  const file = join(folder, manifestName);
  try {
    const temporary = join(dirname(file), `.${manifestName}.${process.pid}`);
    writeFileSync(temporary, `${JSON.stringify(manifest, null, 2)}\n`);
    renameSync(temporary, file);
  } catch {
    // a cache that others own
  }
}
