import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** The token that the first start makes where the configuration has none. It stays with the data, for its owner only. */
export interface ApiToken {
  readonly token: string;
  readonly sha256: string;
  readonly file: string;
  readonly isNew: boolean;
}

export function ensureApiToken(file: string): ApiToken {
  const isNew = !existsSync(file);
  if (isNew) {
    try {
      writeFileSync(file, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
    } catch (error) {
      // Another start made it between the two calls: that one counts.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  const token = readFileSync(file, 'utf8').trim();
  return { token, sha256: createHash('sha256').update(token).digest('hex'), file, isNew };
}
