import { chmodSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Problem } from '../setup/tools.js';

/**
 * The pinned server with one change: its SQLite statements stay prepared (`tools/temporal/patch`). Go builds it from a copy,
 * which a `replace` in a copy of the module file names: what the user's own module cache holds stays as it is.
 */

export const serverModule = 'go.temporal.io/server';

/**
 * @param moduleFolder with `go.mod`, `go.sum` and `patch`
 * @param sources of the server, as Go has downloaded and checked them
 * @param scratch an existing folder for the copy
 * @returns the module file to build with (`-modfile`)
 */
export function patchServer(moduleFolder: string, sources: string, scratch: string): string {
  const copy = join(scratch, 'server');
  rmSync(copy, { recursive: true, force: true });
  cpSync(sources, copy, { recursive: true });
  makeWritable(copy);

  const plugin = join(copy, 'common', 'persistence', 'sql', 'sqlplugin', 'sqlite');
  const driver = join(plugin, 'driver.go');
  const before = readFileSync(driver, 'utf8');
  const after = before.replace(/(\bgoSQLDriverName\s*=\s*)"sqlite"/, '$1preparedDriverName');
  if (after === before) throw new Problem(`the sources of ${serverModule} are not those that tools/temporal expects`);
  writeFileSync(driver, after);
  cpSync(join(moduleFolder, 'patch', 'prepared.go'), join(plugin, 'prepared.go'));

  const modules = join(scratch, 'patched.mod');
  const replace = `\nreplace ${serverModule} => ${JSON.stringify(copy)}\n`;
  writeFileSync(modules, readFileSync(join(moduleFolder, 'go.mod'), 'utf8') + replace);
  cpSync(join(moduleFolder, 'go.sum'), join(scratch, 'patched.sum'));
  return modules;
}

/** A module cache is read-only, and a copy of it would be, too: it could not be changed, nor deleted. */
function makeWritable(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) makeWritable(path);
    else if (entry.isFile()) chmodSync(path, 0o644);
  }
}
