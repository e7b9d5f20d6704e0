import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { startApi, token } from '../../support/api-under-test.js';
import { waitFor } from '../../support/wait-for.js';

const unknown = '3c7b1077-d4f2-42ce-98b0-8d9fba12a471';

describe('the token', () => {
  it.each([
    ['GET', '/jobs'],
    ['POST', '/jobs'],
    ['GET', `/jobs/${unknown}`],
    ['GET', '/jobs/not-an-id'],
    ['GET', `/jobs/${unknown}/outputs/archive`],
    ['GET', `/backend/get_task_meta/${unknown}`],
  ])('is needed for %s %s: 401 in the plain shape, before the parameters are looked at', async (method, path) => {
    const api = await startApi();
    for (const headers of [{}, { 'x-api-key': 'wrong' }, { 'x-api-key': '' }]) {
      const answer = await fetch(`${api.url}${path}`, { method, headers: headers as Record<string, string> });
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe('x-api-key');
      expect(await answer.json()).toEqual({ detail: 'Invalid token' });
    }
  });

  it.each(['/', '/processes', '/metrics', '/docs', '/redoc', '/openapi.json', '/healthz'])(
    'is not needed for %s',
    async (path) => {
      const api = await startApi();
      expect((await fetch(`${api.url}${path}`)).status).toBe(200);
    },
  );

  it('may have letters beyond ASCII, in either encoding of headers', async () => {
    const api = await startApi({ options: { tokenSha256: createHash('sha256').update('schlüssel').digest('hex') } });
    for (const encoding of ['latin1', 'utf8'] as const) {
      const answer = await sendRaw(
        api.port,
        Buffer.from(`GET /jobs HTTP/1.1\r\nHost: x\r\nConnection: close\r\nx-api-key: schlüssel\r\n\r\n`, encoding),
      );
      expect(answer).toMatch(/^HTTP\/1.1 200 /);
    }
  });

  it('is checked before the body: a gigabyte with a wrong token is refused unread', async () => {
    const api = await startApi();
    const read = await uploadWithWrongToken(api.port, 2 ** 30);
    expect(read.answer).toMatch(/^HTTP\/1.1 401 /);
    expect(read.answer).toContain('{"detail":"Invalid token"}');
    expect(read.sentBytes).toBeLessThan(32 * 2 ** 20);
    expect(await api.leftovers()).toEqual([]);
  });

  it('costs a client that waits for "100 Continue" no upload at all', async () => {
    const api = await startApi();
    const head = (key: string) =>
      `POST /jobs HTTP/1.1\r\nHost: x\r\nx-api-key: ${key}\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n` +
      'Content-Type: multipart/form-data; boundary=b\r\n\r\n';
    expect(await sendRaw(api.port, Buffer.from(head('wrong')))).toMatch(/^HTTP\/1.1 401 /);
    const socket = connect(api.port, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString();
    });
    socket.write(head(token));
    await waitFor(() => expect(answer).toMatch(/^HTTP\/1.1 100 Continue/));
    socket.destroy();
  });

  it('is refused with 429 after some different wrong ones, and the right one is never refused', async () => {
    const api = await startApi({ options: { maxWrongTokens: 3 } });
    const attempt = (key: string) => fetch(`${api.url}/jobs`, { headers: { 'x-api-key': key } });
    // The same wrong token again is a script with an old setting, not a guess.
    for (let i = 0; i < 10; i++) expect((await attempt('old')).status).toBe(401);
    expect((await attempt('guess 1')).status).toBe(401);
    expect((await attempt('guess 2')).status).toBe(401);
    for (const key of ['guess 3', 'old']) {
      const refused = await attempt(key);
      expect(refused.status).toBe(429);
      expect(await refused.json()).toEqual({ detail: expect.stringContaining('too many wrong tokens') });
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    // Many clients share the address of a proxy: those with the right token have done nothing wrong.
    expect((await attempt(token)).status).toBe(200);
    expect((await attempt('guess 4')).status, 'and it gives the others nothing').toBe(429);
  });
});

/** Sends bytes as they are, and returns all that comes back until the server closes. */
function sendRaw(port: number, bytes: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

/** Keeps sending zeros until told to stop, as a client that reads the answer only when it has sent everything. */
async function uploadWithWrongToken(port: number, size: number): Promise<{ answer: string; sentBytes: number }> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let answer = '';
  let closed = false;
  socket.on('data', (chunk) => {
    answer += chunk.toString();
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    closed = true;
  });
  socket.write(
    `POST /jobs HTTP/1.1\r\nHost: x\r\nx-api-key: wrong\r\nContent-Length: ${size}\r\n` +
      'Content-Type: multipart/form-data; boundary=b\r\n\r\n',
  );
  const chunk = Buffer.alloc(64 * 1024);
  let left = size;
  while (!closed && left > 0) {
    if (!socket.write(chunk)) {
      await new Promise<void>((resolve) => {
        socket.once('drain', resolve);
        socket.once('close', () => resolve());
      });
    }
    left -= chunk.length;
  }
  await waitFor(() => expect(closed).toBe(true));
  return { answer, sentBytes: socket.bytesWritten };
}
