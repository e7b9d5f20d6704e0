import { describe, expect, it } from 'vitest';
import { Sessions, sessionSeconds } from '../../../src/api/sessions.js';
import { type ApiUnderTest, startApi, token } from '../../support/api-under-test.js';

const pageHeaders = { 'x-pixyz-ui': '1', 'content-type': 'application/json' };

function login(api: ApiUnderTest, given = token, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${api.url}/ui/login`, {
    method: 'POST',
    headers: { ...pageHeaders, ...headers },
    body: JSON.stringify({ token: given }),
  });
}

/** The cookie as a browser sends it back. */
async function cookieOf(answer: Response | Promise<Response>): Promise<string> {
  return (await answer).headers.getSetCookie()[0]?.split(';')[0] ?? '';
}

describe('the session of the page', () => {
  it('begins with the token and is a cookie that no script and no other site can use', async () => {
    const api = await startApi();
    const answer = await login(api);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ authenticated: true, expires: expect.any(String) });
    const [cookie = ''] = answer.headers.getSetCookie();
    expect(cookie).toMatch(/; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(cookie).not.toContain(token);
    const https = await login(api, token, { origin: `https://127.0.0.1:${api.port}` });
    expect(https.headers.getSetCookie()[0], 'behind TLS').toContain('; Secure');
  });

  it('is taken in place of the token, for reading and, with the header of the page, for everything else', async () => {
    const api = await startApi();
    const cookie = await cookieOf(login(api));
    const { jobId } = await api.seed({ status: 'SUCCESS' });
    expect((await fetch(`${api.url}/jobs`, { headers: { cookie } })).status).toBe(200);
    const remove = (headers: Record<string, string>) =>
      fetch(`${api.url}/jobs/${jobId}`, { method: 'DELETE', headers: { cookie, ...headers } });
    const refused = await remove({});
    expect(refused.status).toBe(403);
    expect(await refused.json()).toEqual({ detail: expect.stringContaining('x-pixyz-ui: 1') });
    expect((await remove({ 'x-pixyz-ui': '1' })).status).toBe(200);
  });

  it.each<Record<string, string>>([
    { origin: 'http://127.0.0.1:1' },
    { origin: 'null' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site' },
  ])('is refused from elsewhere, also for reading: %o', async (headers) => {
    const api = await startApi();
    const cookie = await cookieOf(login(api));
    const answer = await fetch(`${api.url}/jobs`, { headers: { cookie, 'x-pixyz-ui': '1', ...headers } });
    expect(answer.status).toBe(403);
    const ofGraphs = await fetch(`${api.url}/graphs`, { headers: { cookie, ...headers } });
    expect(await ofGraphs.json()).toMatchObject({ code: 'FORBIDDEN' });
    expect((await login(api, token, headers)).status, 'nor can others log a browser in').toBe(403);
  });

  it('leaves the token in the header as it is, from wherever it comes', async () => {
    const api = await startApi();
    expect(
      (await api.call('/jobs', { headers: { origin: 'http://elsewhere', cookie: 'pixyz_session=x' } })).status,
    ).toBe(200);
  });

  it('tells whether it is there, without the token, and ends with a logout', async () => {
    const api = await startApi({ options: { temporalUi: { url: 'http://ui/', namespace: 'n s' } } });
    const session = async (cookie: string) => {
      const answer = await fetch(`${api.url}/ui/session`, { headers: { cookie } });
      expect(answer.headers.get('cache-control')).toBe('no-store');
      return answer.json();
    };
    const cookie = await cookieOf(login(api));
    expect(await session(cookie)).toMatchObject({
      authenticated: true,
      version: expect.stringMatching(/^\d+\.\d+/),
      temporal_ui: 'http://ui/namespaces/n%20s',
    });
    const logout = await fetch(`${api.url}/ui/logout`, { method: 'POST', headers: { cookie, 'x-pixyz-ui': '1' } });
    expect(await logout.json()).toMatchObject({ authenticated: false, expires: null });
    expect(logout.headers.getSetCookie()[0]).toMatch(/^pixyz_session=; Max-Age=0;/);
    expect(await session('')).toMatchObject({ authenticated: false });
  });

  it('is over after a logout for every cookie of it, at every API of the share, and for no other session', async () => {
    const options = { sessionSecret: 'a' };
    const one = await startApi({ options });
    const two = await startApi({ options, share: one.store.root });
    const cookie = await cookieOf(login(one));
    const another = await cookieOf(login(one));
    const ask = async (api: ApiUnderTest, sent: string) =>
      (await fetch(`${api.url}/jobs`, { headers: { cookie: sent } })).status;
    expect(await ask(two, cookie)).toBe(200);
    const logout = await fetch(`${one.url}/ui/logout`, { method: 'POST', headers: { cookie, 'x-pixyz-ui': '1' } });
    expect(logout.status).toBe(200);
    expect([await ask(one, cookie), await ask(two, cookie)]).toEqual([401, 401]);
    expect([await ask(one, another), await ask(two, another)]).toEqual([200, 200]);
  });

  it('is not given for a wrong token, and guesses count as those in the header do', async () => {
    const api = await startApi({ options: { maxWrongTokens: 2 } });
    const wrong = await login(api, 'guess 1');
    expect(wrong.status).toBe(401);
    expect(wrong.headers.getSetCookie()).toEqual([]);
    expect((await api.call('/jobs', { headers: { 'x-api-key': 'guess 2' } })).status).toBe(401);
    const third = await login(api, 'guess 3');
    expect(third.status).toBe(429);
    expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await login(api)).status).toBe(200);
    expect((await login(api, '')).status).toBe(400);
  });

  it('holds with every API of the same secret, and with none of another secret or token', async () => {
    const [one, same, other] = await Promise.all([
      startApi({ options: { sessionSecret: 'a' } }),
      startApi({ options: { sessionSecret: 'a' } }),
      startApi({ options: { sessionSecret: 'b' } }),
    ]);
    const cookie = await cookieOf(login(one));
    expect((await fetch(`${same.url}/jobs`, { headers: { cookie } })).status).toBe(200);
    expect((await fetch(`${other.url}/jobs`, { headers: { cookie } })).status).toBe(401);
    const newToken = await startApi({ options: { sessionSecret: 'a', tokenSha256: 'ab'.repeat(32) } });
    expect((await fetch(`${newToken.url}/jobs`, { headers: { cookie } })).status).toBe(401);
  });

  it('ends after twelve hours, is renewed in its second half, and cannot be made longer', async () => {
    let now = Date.parse('2026-11-21T12:00:00Z');
    const ids = new Set<string>();
    const ended = { add: async (id: string) => void ids.add(id), has: async (id: string) => ids.has(id) };
    const sessions = new Sessions({ secret: 's', tokenSha256: 'ab', ended, now: () => now });
    const { session, setCookie } = sessions.open(false);
    const cookie = setCookie.split(';')[0] ?? '';
    expect(session.expires.toISOString()).toBe('2026-11-22T00:00:00.000Z');
    expect(sessions.isAging(session)).toBe(false);
    now += (sessionSeconds * 1000) / 2 + 1;
    expect(sessions.isAging(session)).toBe(true);
    expect(await sessions.read(cookie)).toEqual(session);
    expect(await sessions.read(`other=1; ${cookie}; more=2`)).toEqual(session);
    const renewed = sessions.open(false, session);
    expect(renewed.session.id).toBe(session.id);
    expect(renewed.session.expires.getTime()).toBeGreaterThan(session.expires.getTime());
    now = session.expires.getTime();
    expect(await sessions.read(cookie)).toBeNull();
    expect(await sessions.read(cookie.replace(/=\d/, '=9'))).toBeNull();
    for (const bad of [undefined, '', 'pixyz_session=', 'pixyz_session=1.a.b', `${cookie}x`]) {
      expect(await sessions.read(bad)).toBeNull();
    }
    const newer = renewed.setCookie.split(';')[0];
    expect(await sessions.read(newer)).toEqual(renewed.session);
    await sessions.end(newer);
    expect(await sessions.read(newer)).toBeNull();
  });
});
