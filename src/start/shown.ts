import { relative } from 'node:path';

/** A path as short as it can be said in `cwd`. */
export function shown(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short.startsWith('..') ? path : short;
}
