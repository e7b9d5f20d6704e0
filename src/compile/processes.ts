import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../errors/engine-error.js';
import { errorCode } from '../store/atomic.js';

/** The shipped processes: every script in their folder, read anew on each call; names with `_` in front are helpers. */
export async function listProcesses(folder: string): Promise<string[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    throw new EngineError('INTERNAL', `the process folder ${folder} cannot be read: ${errorCode(error)}`);
  }
  return names
    .filter((name) => name.endsWith('.py') && !name.startsWith('_') && !name.startsWith('.'))
    .map((name) => name.slice(0, -3))
    .sort();
}

/** The script of a process. @throws EngineError BAD_REQUEST when there is none of that name */
export async function processScript(folder: string, name: string): Promise<string> {
  const names = await listProcesses(folder);
  if (!names.includes(name)) {
    throw new EngineError('BAD_REQUEST', `there is no process "${name}": known are ${names.join(', ') || 'none'}`);
  }
  return join(folder, `${name}.py`);
}
