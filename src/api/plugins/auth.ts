import type { App, Request } from '../deps.js';
import type { Sessions } from '../sessions.js';
import { type TokenCheck, unauthorized } from '../token-check.js';
import { PlainError } from './error-facts.js';

/** The header that our page sends with every request that changes something: no form and no picture of others can. */
const pageHeader = 'x-pixyz-ui';

/**
 * Who may call: programs with the token in `x-api-key`, and the page in a browser with the cookie of its session. Looked at
 * before anything else of the request is, so a refused upload is never read.
 */
export function useAuth(app: App, tokens: TokenCheck, sessions: Sessions): void {
  app.addHook('onRequest', async (request, reply) => {
    if (!needsToken(request)) return;
    const token = request.headers['x-api-key'];
    if (typeof token === 'string' && token !== '') {
      // The hash is over UTF-8. Node reads header bytes as latin1: a token beyond ASCII may come in either encoding.
      tokens.check([Buffer.from(token, 'utf8'), Buffer.from(token, 'latin1')], request);
      return;
    }
    const session = await sessions.read(request.headers.cookie);
    if (session === null) throw unauthorized();
    refuseForeign(request);
    if (sessions.isAging(session)) reply.header('set-cookie', sessions.open(isSecure(request), session).setCookie);
  });
}

/**
 * The cookie is for our page alone. `SameSite=Strict` keeps it from other sites, but another port of the same host is the
 * same site: what the browser says of the origin of the request counts, and for what changes something our own header, too.
 *
 * @throws PlainError 403
 */
export function refuseForeign(request: Request): void {
  if (!isOwnOrigin(request)) {
    throw new PlainError(403, 'the session of the page is not for other pages: send the token in x-api-key');
  }
  if (request.method !== 'GET' && request.method !== 'HEAD' && request.headers[pageHeader] === undefined) {
    throw new PlainError(403, `a request of the page that changes something needs the header ${pageHeader}: 1`);
  }
}

function isOwnOrigin({ headers, host }: Request): boolean {
  const site = headers['sec-fetch-site'];
  // Told by every browser of today over TLS and on this machine; "none": typed in by a person.
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  return headers.origin === undefined || hostOf(headers.origin) === host;
}

function hostOf(origin: string): string | null {
  try {
    return new URL(origin).host;
  } catch {
    return null;
  }
}

/** Whether the browser talks TLS, to us or to the proxy in front: its own origin says so. */
export function isSecure(request: Request): boolean {
  return request.protocol === 'https' || request.headers.origin?.startsWith('https:') === true;
}

/** Everything below these needs the token; unknown paths answer 404 without one, as they always did. */
function needsToken(request: Request): boolean {
  const route = request.routeOptions.url;
  return (
    route !== undefined && /^\/(?:jobs|graphs|workflows|queues|workers|summary|scripts|backend)(?:\/|$)/.test(route)
  );
}
