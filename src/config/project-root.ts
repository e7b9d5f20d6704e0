import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json: the same from `src/` (tests) and from `dist/` (production). */
export const projectRoot = findRoot(dirname(fileURLToPath(import.meta.url)));

function findRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json')) && existsSync(join(folder, 'python'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('the project folder (package.json beside python/) was not found');
  return findRoot(parent);
}
