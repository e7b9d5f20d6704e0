import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json: the same from `src/` (tests) and from `dist/` (production). */
export const projectRoot = findRoot(dirname(fileURLToPath(import.meta.url)));

/** An installed package, in somebody's `node_modules`: what is kept must not lie in it, since the next installation takes it away. */
export const isInstalled = basename(dirname(projectRoot)) === 'node_modules';

/** Folders in which npm may have put what this program depends on: beside it, where it is a package itself. */
export const moduleFolders: readonly string[] =
  createRequire(join(projectRoot, 'package.json')).resolve.paths('pixyz-temporal-scheduler') ?? [];

/** The `package.json` of a package that this program depends on. */
export function manifestOf(name: string): string {
  const files = moduleFolders.map((folder) => join(folder, name, 'package.json'));
  const found = files.find((file) => existsSync(file));
  if (found === undefined) throw new Error(`the package ${name} is not installed`);
  return found;
}

function findRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json')) && existsSync(join(folder, 'python'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('the project folder (package.json beside python/) was not found');
  return findRoot(parent);
}
