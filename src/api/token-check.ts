import { createHash, timingSafeEqual } from 'node:crypto';
import type { Request } from './deps.js';
import { PlainError } from './plugins/error-facts.js';

const windowMs = 60_000;
/** Addresses remembered at the same time; the oldest are forgotten first. */
const maxAddresses = 10_000;

/**
 * Whether a token is the right one.
 *
 * After 20 different wrong tokens within a minute an address gets 429 for every further one until the minute is over.
 * The same wrong token again (a script with an old setting) counts once, a missing one does not count: neither is a
 * guess. The right token always passes: behind a proxy many clients share one address, and none may lock out the others.
 * So what keeps guessers out is the length of the token; the limit only tells them, and the log, early.
 */
export class TokenCheck {
  readonly #expected: Buffer;
  readonly #guesses: Guesses;

  constructor(options: { readonly tokenSha256: string; readonly maxWrongTokens?: number | undefined }) {
    this.#expected = Buffer.from(options.tokenSha256, 'hex');
    this.#guesses = new Guesses(options.maxWrongTokens ?? 20);
  }

  /** @param forms the token's bytes, in each encoding that the client may have meant. @throws PlainError 401, 429 */
  check(forms: readonly Buffer[], request: Request): void {
    const matches = forms.map(sha256).map((digest) => timingSafeEqual(digest, this.#expected));
    if (matches.includes(true)) return;
    this.#guesses.check(request.ip);
    this.#guesses.add(request.ip, sha256(forms[0] ?? Buffer.of()).toString('base64', 0, 9));
    request.log.warn({ address: request.ip }, 'a wrong token was refused');
    throw unauthorized();
  }
}

export function unauthorized(): PlainError {
  return new PlainError(401, 'Invalid token', { 'www-authenticate': 'x-api-key' });
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** Different wrong tokens by address, within a window that starts with the first of them. */
class Guesses {
  readonly #limit: number;
  readonly #seen = new Map<string, { readonly until: number; readonly tokens: Set<string> }>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  check(address: string): void {
    const entry = this.#seen.get(address);
    if (entry === undefined) return;
    const leftMs = entry.until - Date.now();
    if (leftMs <= 0) {
      this.#seen.delete(address);
    } else if (entry.tokens.size >= this.#limit) {
      const seconds = Math.ceil(leftMs / 1000);
      throw new PlainError(429, `too many wrong tokens from this address: try again in ${seconds} s`, {
        'retry-after': String(seconds),
      });
    }
  }

  add(address: string, token: string): void {
    let entry = this.#seen.get(address);
    if (entry === undefined) {
      if (this.#seen.size >= maxAddresses) {
        const oldest = this.#seen.keys().next().value;
        if (oldest !== undefined) this.#seen.delete(oldest);
      }
      entry = { until: Date.now() + windowMs, tokens: new Set() };
      this.#seen.set(address, entry);
    }
    entry.tokens.add(token);
  }
}
