import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { parseCookie, stringifySetCookie } from 'cookie';

/** Twelve hours: a working day. */
export const sessionSeconds = 12 * 3600;
const cookieName = 'pixyz_session';

export interface Session {
  /** The same in all cookies of a session, which each renewal makes a new one of. */
  readonly id: string;
  readonly expires: Date;
}

/** Sessions that were ended before their time. */
export interface Ended {
  add(id: string): Promise<void>;
  has(id: string): Promise<boolean>;
}

/**
 * Sessions of people who look at the page in a browser: a cookie that says until when it holds, signed by us. Only ends are
 * stored, so every API with the same secret takes the cookies of the others, and a restart ends none. The token is part of
 * the key: a new token ends them all.
 *
 * 1. The token itself is in no cookie, and scripts of the page cannot read the cookie (`HttpOnly`).
 * 2. A browser sends it with requests of our own page only (`SameSite=Strict`; `plugins/auth.ts` has the rest).
 * 3. After a logout no cookie of the session holds, wherever it was copied to.
 */
export class Sessions {
  readonly #key: Buffer;
  readonly #ended: Ended;
  readonly #now: () => number;

  constructor(options: {
    readonly secret: string;
    readonly tokenSha256: string;
    readonly ended: Ended;
    readonly now?: () => number;
  }) {
    this.#ended = options.ended;
    this.#key = createHmac('sha256', options.secret).update(`session ${options.tokenSha256}`).digest();
    this.#now = options.now ?? Date.now;
  }

  /**
   * A new one, as the value of a `Set-Cookie` header.
   * @param secure the browser reached us over TLS
   * @param renewed the session that goes on with it
   */
  open(secure: boolean, renewed?: Session): { readonly session: Session; readonly setCookie: string } {
    const expires = Math.floor(this.#now() / 1000) + sessionSeconds;
    const id = renewed?.id ?? randomBytes(12).toString('base64url');
    const claim = `${expires}.${id}`;
    return {
      session: { id, expires: new Date(expires * 1000) },
      setCookie: cookie(`${claim}.${this.#sign(claim)}`, sessionSeconds, secure),
    };
  }

  /** Ends the session of a `Cookie` header for everybody who has a cookie of it. */
  async end(header: string | undefined): Promise<void> {
    const session = await this.read(header);
    if (session !== null) await this.#ended.add(session.id);
  }

  /** What takes the cookie out of the browser. */
  close(secure: boolean): string {
    return cookie('', 0, secure);
  }

  /** The session of a `Cookie` header, or null where it has none that holds. */
  async read(header: string | undefined): Promise<Session | null> {
    const value = header === undefined ? undefined : parseCookie(header)[cookieName];
    const [, claim, signature] = /^(\d{1,12}\.[\w-]+)\.([\w-]+)$/.exec(value ?? '') ?? [];
    if (claim === undefined || signature === undefined) return null;
    const expected = Buffer.from(this.#sign(claim));
    const given = Buffer.from(signature);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
    const expires = Number.parseInt(claim, 10) * 1000;
    const id = claim.slice(claim.indexOf('.') + 1);
    if (expires <= this.#now() || (await this.#ended.has(id))) return null;
    return { id, expires: new Date(expires) };
  }

  /** Half of its time has gone: who is still there gets a new one. */
  isAging({ expires }: Session): boolean {
    return expires.getTime() - this.#now() < (sessionSeconds * 1000) / 2;
  }

  #sign(claim: string): string {
    return createHmac('sha256', this.#key).update(claim).digest('base64url');
  }
}

function cookie(value: string, maxAge: number, secure: boolean): string {
  return stringifySetCookie(cookieName, value, { httpOnly: true, sameSite: 'strict', path: '/', maxAge, secure });
}
