import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'dotenv';
import { projectRoot } from '../config/project-root.js';
import { CliError, exitCodes } from './exit-codes.js';

/** Where the API is and what opens it: flags, then the environment, then the user's file, then a system of this machine. */
export interface ConnectionChoice {
  readonly url: string;
  readonly token: string | null;
  /** Where the token is from, for `doctor`. */
  readonly tokenFrom: string;
  readonly configFile: string | null;
}

export const defaultUrl = 'http://127.0.0.1:8001';

type Env = Readonly<Record<string, string | undefined>>;

export function chooseConnection(
  flags: { readonly url?: string | undefined; readonly token?: string | undefined },
  env: Env,
  cwd: string,
): ConnectionChoice {
  const configFile = configFileOf(env);
  const config = existsSync(configFile) ? parse(readConfig(configFile)) : {};
  const url = checked(flags.url ?? set(env['PIXYZ_URL']) ?? set(config['PIXYZ_URL']) ?? defaultUrl);
  const found: [string | undefined, string][] = [
    [flags.token, 'the flag -t'],
    [set(env['PIXYZ_TOKEN']), 'PIXYZ_TOKEN'],
    [set(config['PIXYZ_TOKEN']), configFile],
  ];
  const [token, tokenFrom] = found.find(([value]) => value !== undefined) ?? localToken(url, cwd);
  return { url, token: token ?? null, tokenFrom, configFile: existsSync(configFile) ? configFile : null };
}

function readConfig(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new CliError(`the file of settings ${file} cannot be read: ${(error as Error).message}`);
  }
}

export function configFileOf(env: Env): string {
  return (
    set(env['PIXYZ_CONFIG']) ??
    join(set(env['XDG_CONFIG_HOME']) ?? join(env['HOME'] ?? homedir(), '.config'), 'pixyz.conf')
  );
}

/** The token that `npm start` keeps. Only for an API of this machine: it must not travel to an address of somebody else. */
function localToken(url: string, cwd: string): [string | undefined, string] {
  if (!isLocal(url)) return [undefined, 'nowhere'];
  for (const folder of new Set([cwd, projectRoot])) {
    const file = join(folder, '.data', 'api-token');
    try {
      return [readFileSync(file, 'utf8').trim(), file];
    } catch {
      // not there, or not ours to read
    }
  }
  return [undefined, 'nowhere'];
}

export function isLocal(url: string): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(new URL(url).hostname);
}

function set(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === '' ? undefined : value.trim();
}

function checked(url: string): string {
  try {
    const { protocol } = new URL(url);
    if (protocol === 'http:' || protocol === 'https:') return url.replace(/\/+$/, '');
  } catch {
    // told below
  }
  throw new CliError(`"${url}" is no address of an API: it is like ${defaultUrl}`, exitCodes.usage);
}
