import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { startApi, token } from '../../support/api-under-test.js';
import { raw } from '../../support/raw-request.js';

const unknown = '3c7b1077-d4f2-42ce-98b0-8d9fba12a471';

describe('transport', () => {
  it('greets at / with the version, as text', async () => {
    const api = await startApi();
    const answer = await fetch(api.url);
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await answer.text()).toMatch(/v1\.0\.7!$/);
  });

  it.each([
    ['GET', '/jobs/', '/jobs'],
    ['GET', '/processes/', '/processes'],
    ['GET', `/jobs/${unknown}/`, `/jobs/${unknown}`],
    ['GET', `/jobs/${unknown}/details/?x=1`, `/jobs/${unknown}/details?x=1`],
  ])('answers %s %s with an empty 307 to the path without the slash', async (method, path, target) => {
    const api = await startApi();
    const answer = await raw(api.port, method, path, { 'x-api-key': token });
    expect(answer.status).toBe(307);
    expect(answer.headers.location).toBe(`http://127.0.0.1:${api.port}${target}`);
    expect(answer.body).toBe('');
  });

  it.each(['/nope', '/admin/tasks', '/jobs/x/y/z', '/nope/'])('answers 404 in the plain shape for %s', async (path) => {
    const api = await startApi();
    const answer = await fetch(`${api.url}${path}`);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toEqual({ detail: 'Not Found' });
  });

  it.each([
    ['PUT', '/jobs', 'GET, POST'],
    ['POST', '/processes', 'GET'],
    ['HEAD', '/jobs', 'GET, POST'],
    ['HEAD', '/', 'GET'],
    ['PATCH', `/jobs/${unknown}/details`, 'GET'],
  ])('answers %s %s with 405 and the methods allowed', async (method, path, allow) => {
    const api = await startApi();
    const answer = await raw(api.port, method, path);
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toBe(allow);
    if (method !== 'HEAD') expect(JSON.parse(answer.body)).toEqual({ detail: 'Method Not Allowed' });
  });

  it('lets every origin in, and says so on errors too', async () => {
    const api = await startApi();
    for (const path of ['/processes', '/jobs']) {
      const answer = await fetch(`${api.url}${path}`, { headers: { origin: 'http://page.test' } });
      expect(answer.headers.get('access-control-allow-origin')).toBe('http://page.test');
      expect(answer.headers.get('access-control-allow-credentials')).toBe('true');
    }
  });

  it('answers a preflight with 200 OK, for ten minutes, and echoes the headers asked for', async () => {
    const api = await startApi();
    const answer = await raw(api.port, 'OPTIONS', '/jobs', {
      origin: 'http://page.test',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'x-api-key, x-other',
    });
    expect(answer.status).toBe(200);
    expect(answer.body).toBe('OK');
    expect(answer.headers).toMatchObject({
      'access-control-max-age': '600',
      'access-control-allow-headers': 'x-api-key, x-other',
      'access-control-allow-origin': 'http://page.test',
      'access-control-allow-methods': expect.stringContaining('DELETE'),
    });
  });

  it.each(['x', 'Z'.repeat(36), `${unknown}0`, unknown.replaceAll('-', '_')])(
    'answers a job id that is none (%s) with a structured 400 that names job_uuid, never 422',
    async (id) => {
      const api = await startApi();
      for (const path of [
        `/jobs/${id}`,
        `/jobs/${id}/details`,
        `/jobs/${id}/outputs`,
        `/backend/get_task_meta/${id}`,
      ]) {
        const answer = await api.call(path);
        expect(answer.status).toBe(400);
        expect(await answer.json()).toMatchObject({
          detail: { code: 400, message: 'Bad Request', details: expect.stringContaining('job_uuid') },
        });
      }
    },
  );

  it('answers a path that cannot be decoded with a structured 400', async () => {
    const api = await startApi();
    const answer = await raw(api.port, 'GET', '/processes/%ff', { 'x-api-key': token });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toMatchObject({ detail: { code: 400 } });
  });

  it.each([
    ['what is no HTTP', 'HELLO\r\n\r\n', 400],
    ['headers that are too large', `GET / HTTP/1.1\r\nhost: x\r\nx-large: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ])('answers %s in the plain shape, too', async (_what, sent, status) => {
    const api = await startApi();
    const socket = connect(api.port, '127.0.0.1');
    socket.write(sent);
    const answer = await text(socket);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toEqual({ detail: expect.stringContaining('request') });
  });

  it('never cuts a request off for being long, only for being silent', async () => {
    const api = await startApi();
    expect(api.app.server.requestTimeout).toBe(0);
    expect(api.app.server.timeout).toBeGreaterThan(0);
    expect(api.app.server.headersTimeout).toBeGreaterThan(0);
  });

  it('gives every answer an id that the log has too', async () => {
    const api = await startApi();
    expect((await fetch(api.url)).headers.get('x-request-id')).toMatch(/^[\w-]{36}$/);
    const own = await fetch(api.url, { headers: { 'x-request-id': 'mine-1' } });
    expect(own.headers.get('x-request-id')).toBe('mine-1');
  });
});

describe('the processes', () => {
  it('are the scripts of their folder, sorted, without helpers, seen at once', async () => {
    const api = await startApi();
    for (const name of ['sleep.py', 'convert_file.py', '__init__.py', '_helper.py', 'notes.txt']) {
      await writeFile(`${api.processes}/${name}`, 'def main(params, pc):\n    """Doc of it.\n\n    More.\n    """\n');
    }
    expect(await (await fetch(`${api.url}/processes`)).json()).toEqual({ processes: ['convert_file', 'sleep'] });
    const doc = await fetch(`${api.url}/processes/sleep`);
    expect(await doc.json()).toMatchObject({ doc: "Process 'sleep' documentation:\n\nDoc of it.\n\nMore." });
  });

  it('answer 400 for an unknown name, 404 without a main, and no "None" without a docstring', async () => {
    const api = await startApi();
    await writeFile(`${api.processes}/bare.py`, 'def main(params, pc):\n    pass\n');
    await writeFile(`${api.processes}/other.py`, 'def other(): pass\n');
    expect((await fetch(`${api.url}/processes/nope`)).status).toBe(400);
    expect((await fetch(`${api.url}/processes/..%2Fshare`)).status).toBe(400);
    const missing = await fetch(`${api.url}/processes/other`);
    expect(missing.status).toBe(404);
    expect(await missing.json()).toMatchObject({ detail: { code: 404, message: 'Not Found' } });
    expect(await (await fetch(`${api.url}/processes/bare`)).json()).toMatchObject({
      doc: "Process 'bare' documentation:\n\n",
    });
  });
});

describe('what scripts say of themselves', () => {
  const script = `@pixyz_schedule(queue="gpu", retries=2)
def main(params, pc):
    """Halve a mesh.

    Params:
        ratio (float, default 0.5): what stays.
    """
`;
  const facts = {
    summary: 'Halve a mesh.',
    settings: { queue: 'gpu', retries: 2 },
    params: [
      { name: 'ratio', type: 'number', default: 0.5, required: false, description: 'what stays.', choices: null },
    ],
  };

  it('is told of all processes at once, and one that cannot be read keeps nothing back', async () => {
    const api = await startApi();
    await writeFile(`${api.processes}/halve.py`, script);
    await writeFile(`${api.processes}/broken.py`, 'def main(:');
    await mkdir(`${api.processes}/folder.py`);
    expect(await (await fetch(`${api.url}/processes?details=true`)).json()).toMatchObject({
      processes: ['broken', 'folder', 'halve'],
      details: [{ name: 'halve', doc: expect.stringContaining('Halve'), ...facts }],
    });
    expect(await (await fetch(`${api.url}/processes/halve`)).json()).toMatchObject(facts);
    const folder = await fetch(`${api.url}/processes/folder`);
    expect([folder.status, await folder.json()]).toMatchObject([
      404,
      { detail: { details: expect.stringContaining('cannot be read') } },
    ]);
  });

  it('is told of a script before it is sent, which is not run and not kept', async () => {
    const api = await startApi();
    const inspect = (text: string | null, entrypoint?: string) => {
      const form = new FormData();
      if (text !== null) form.set('script', new Blob([text]), 'x.py');
      if (entrypoint !== undefined) form.set('entrypoint', entrypoint);
      return api.call('/scripts/inspect', { method: 'POST', body: form });
    };
    expect(await (await inspect(script)).json()).toMatchObject({ ok: true, problem: null, ...facts });
    expect(await (await inspect(script, 'other')).json()).toMatchObject({
      ok: false,
      problem: expect.stringContaining('other'),
      params: [],
    });
    expect((await inspect(null)).status).toBe(400);
    expect((await inspect('x'.repeat(5 * 1024 * 1024))).status).toBe(413);
    expect((await fetch(`${api.url}/scripts/inspect`, { method: 'POST' })).status).toBe(401);
    expect(await api.leftovers()).toEqual([]);
  });
});

describe('POST /dev/callback', () => {
  it('takes an object and answers null; anything else is a structured 400', async () => {
    const api = await startApi();
    const post = (body: string | undefined, type = 'application/json') =>
      fetch(`${api.url}/dev/callback`, {
        method: 'POST',
        headers: { 'content-type': type },
        ...(body === undefined ? {} : { body }),
      });
    const answer = await post('{"a": 1}');
    expect([answer.status, await answer.text()]).toEqual([200, 'null']);
    for (const body of ['[]', '5', '{', undefined]) {
      const refused = await post(body);
      expect(refused.status).toBe(400);
      expect(await refused.json()).toMatchObject({ detail: { code: 400 } });
    }
    expect((await post('x', 'text/plain')).status).toBe(400);
  });
});
