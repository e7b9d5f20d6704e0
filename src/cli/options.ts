import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { CliError, exitCodes } from './exit-codes.js';

export function wholeNumber(text: string): number {
  if (!/^-?\d+$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

export function collect<T>(parse: (text: string) => T) {
  return (text: string, before: readonly T[] | undefined): T[] => [...(before ?? []), parse(text)];
}

export function jsonOption(flag: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CliError(`${flag} is no JSON (${(error as Error).message}): write it like '{"extension": "glb"}'`);
  }
}

/** A file that has to be there, as it was named. */
export function existingFile(flag: string, path: string, cwd: string): string {
  const full = resolve(cwd, path);
  if (statSync(full, { throwIfNoEntry: false })?.isFile() !== true)
    throw new CliError(`${flag}: there is no file ${path}`, exitCodes.usage);
  return full;
}

/** One job, by flag or as a word. */
export function oneId(options: { readonly jobid?: string }, words: readonly string[], what = 'job'): string {
  const [id, more] = idsOf(options, words, what);
  if (more !== undefined) throw new CliError(`one ${what} at a time`, exitCodes.usage);
  return id as string;
}

export function idsOf(
  { jobid }: { readonly jobid?: string },
  words: readonly string[],
  what = 'job',
): readonly [string, ...string[]] {
  const ids = [...(jobid === undefined ? [] : [jobid]), ...words];
  const [first, ...rest] = ids;
  if (first === undefined)
    throw new CliError(`which ${what}? Name its id${what === 'job' ? ' (-j)' : ''}`, exitCodes.usage);
  return [first, ...rest];
}
