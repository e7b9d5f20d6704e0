import { createHash, timingSafeEqual } from 'node:crypto';
import type { ApiOptions, App, Request } from '../deps.js';
import { PlainError } from './error-facts.js';

const windowMs = 60_000;
/** Addresses remembered at the same time; the oldest are forgotten first. */
const maxAddresses = 10_000;

/**
 * The token is looked at before anything else of the request is, so a refused upload is never read.
 *
 * After 20 different wrong tokens within a minute an address gets 429 for every further one until the minute is over.
 * The same wrong token again (a script with an old setting) counts once, a missing one does not count: neither is a
 * guess. The right token always passes: behind a proxy many clients share one address, and none may lock out the others.
 * So what keeps guessers out is the length of the token; the limit only tells them, and the log, early.
 */
export function useAuth(app: App, options: ApiOptions): void {
  const expected = Buffer.from(options.tokenSha256, 'hex');
  const guesses = new Guesses(options.maxWrongTokens ?? 20);

  app.addHook('onRequest', async (request) => {
    if (!needsToken(request)) return;
    const token = request.headers['x-api-key'];
    if (typeof token !== 'string' || token === '') throw unauthorized();
    // The hash is over UTF-8. Node reads header bytes as latin1: a token beyond ASCII may come in either encoding.
    const digests = [sha256(Buffer.from(token, 'utf8')), sha256(Buffer.from(token, 'latin1'))];
    const matches = digests.map((digest) => digest.length === expected.length && timingSafeEqual(digest, expected));
    if (matches.includes(true)) return;
    guesses.check(request.ip);
    guesses.add(request.ip, sha256(Buffer.from(token)).toString('base64', 0, 9));
    request.log.warn({ address: request.ip }, 'a wrong token was refused');
    throw unauthorized();
  });
}

/** Everything below these needs the token; unknown paths answer 404 without one, as they always did. */
function needsToken(request: Request): boolean {
  const route = request.routeOptions.url;
  return route !== undefined && /^\/(?:jobs|graphs|workflows|queues|workers|backend)(?:\/|$)/.test(route);
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function unauthorized(): PlainError {
  return new PlainError(401, 'Invalid token', { 'www-authenticate': 'x-api-key' });
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
