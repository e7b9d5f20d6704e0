import { createHash, randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode } from '../store/atomic.js';
import type { Settings } from './settings.js';

export interface ApiToken {
  /** SHA-256 of the token, lower-case hexadecimal: all that the API compares with. */
  readonly sha256: string;
  /** The token itself, where this installation made it; null where only its hash is configured. */
  readonly token: string | null;
  /** Made by this call: to be shown, once. */
  readonly isNew: boolean;
  /** Where it is kept, or null. */
  readonly file: string | null;
}

/**
 * The token of this installation. Where the configuration has no hash, the first start makes a token of 256 random bits
 * and keeps it, readable by its owner alone, beside the database; later starts find it there.
 */
export async function ensureToken(
  settings: Pick<Settings, 'GOD_PASSWORD_SHA256' | 'TEMPORAL_DB_FILE'>,
): Promise<ApiToken> {
  if (settings.GOD_PASSWORD_SHA256 !== undefined) {
    return { sha256: settings.GOD_PASSWORD_SHA256, token: null, isNew: false, file: null };
  }
  return keptToken(settings);
}

/** The token that is kept beside the database, made where there is none, whatever the configuration says. */
export async function keptToken(
  settings: Pick<Settings, 'TEMPORAL_DB_FILE'>,
): Promise<ApiToken & { readonly token: string; readonly file: string }> {
  const { file, text, isNew } = await keptSecret(settings, 'api-token');
  return { sha256: sha256(text), token: text, isNew, file };
}

/** What signs the sessions of the page: as configured, else kept beside the database. */
export async function sessionSecret(settings: Pick<Settings, 'SESSION_SECRET' | 'TEMPORAL_DB_FILE'>): Promise<string> {
  return settings.SESSION_SECRET ?? (await keptSecret(settings, 'session-key')).text;
}

/** 256 random bits that this installation keeps under a name, made by whoever needs them first. */
async function keptSecret(
  settings: Pick<Settings, 'TEMPORAL_DB_FILE'>,
  name: string,
): Promise<{ readonly text: string; readonly isNew: boolean; readonly file: string }> {
  const file = join(dirname(settings.TEMPORAL_DB_FILE), name);
  await mkdir(dirname(file), { recursive: true });
  const made = randomBytes(32).toString('base64url');
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await writeFile(temporary, `${made}\n`, { mode: 0o600, flag: 'wx' });
    // A link appears whole, and fails where the file is there: of two processes that start at the same time, one makes
    // the secret for both, and none reads a file that is half written.
    await link(temporary, file);
    return { text: made, isNew: true, file };
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  const text = (await readFile(file, 'utf8')).trim();
  if (text === '') throw new Error(`the file ${file} is empty: delete it, and the next start makes a new one`);
  return { text, isNew: false, file };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
