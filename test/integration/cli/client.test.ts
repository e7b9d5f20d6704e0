import { execFileSync } from 'node:child_process';
import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ApiError, ConnectionError, PixyzClient } from '../../../src/client/index.js';
import { startApi, token, writeOutput } from '../../support/api-under-test.js';
import { waitFor } from '../../support/wait-for.js';

// The TypeScript client against the real application, and against servers that break connections.

const retry = { pauseMs: 5 };

function ownFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'pixyz-client-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A server that answers the n-th request as the n-th function says, and further ones as the last. */
async function serverOf(
  ...answers: ((request: IncomingMessage, response: ServerResponse) => void)[]
): Promise<{ client: PixyzClient; requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    request.resume();
    request.once('end', () => answers[Math.min(requests.length, answers.length) - 1]?.(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { client: new PixyzClient({ url, token: 't', retry }), requests };
}

const answer =
  (status: number, body: unknown, headers: Record<string, string> = {}) =>
  (_request: IncomingMessage, response: ServerResponse) =>
    void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

const list = answer(200, { jobs: [], next: null });
const away = answer(503, { detail: 'come again' }, { 'retry-after': '0' });

describe('calls', () => {
  it('send a token beyond ASCII as UTF-8, and refuse one that no header can hold', async () => {
    const { client, requests } = await serverOf(list);
    const url = client.url;
    await new PixyzClient({ url, token: 'schlüssel✓' }).jobs.list();
    expect(Buffer.from(requests[0]?.headers['x-api-key'] as string, 'latin1').toString()).toBe('schlüssel✓');
    expect(() => new PixyzClient({ url, token: 'a\nb' })).toThrow('the token has a line break');
  });

  it('say when it is not the API that answers', async () => {
    const html = await serverOf((_request, response) => void response.end('<!doctype html>'));
    await expect(html.client.ready()).rejects.toThrow('something else than the API answers there');
    const other = await serverOf(answer(200, { status: 'ok' }));
    await expect(other.client.ready()).rejects.toThrow('something else than the API answers there');
  });

  it('send a job with all it can have, from files, and tell how far they are', async () => {
    const api = await startApi();
    const client = new PixyzClient({ url: api.url, token });
    const folder = ownFolder();
    writeFileSync(join(folder, 'script.py'), 'def go(pc, params):\n    return 1\n');
    const content = Buffer.alloc(3_000_000, 'x');
    writeFileSync(join(folder, 'quo"te.bin'), content);
    const seen: (readonly [number, number | null])[] = [];
    const job = await client.jobs.submit(
      {
        script: join(folder, 'script.py'),
        file: join(folder, 'quo"te.bin'),
        params: { x: 'ä' },
        name: 'mine',
        config: { entrypoint: 'go', queue: 'gpu' },
      },
      { onProgress: (done, total) => void seen.push([done, total]) },
    );
    expect(job).toMatchObject({ name: 'mine', status: 'SENT' });
    const inputs = api.store.paths(job.uuid).inputs;
    expect(readdirSync(inputs).sort()).toHaveLength(2);
    const stored = readdirSync(inputs).find((name) => name.endsWith('.bin')) as string;
    expect(readFileSync(join(inputs, stored)).equals(content)).toBe(true);
    const [done, total] = seen.at(-1) as [number, number];
    expect(done).toBe(total);
    expect(seen.length).toBeGreaterThan(5);
    expect((await client.jobs.state(job.uuid)).status).toBe('PENDING');
    expect((await client.jobs.list({ queue: 'gpu', since: new Date(0) })).jobs).toHaveLength(1);
  });

  it('a job that was sent twice under one key is one job', async () => {
    const api = await startApi();
    const client = new PixyzClient({ url: api.url, token });
    const request = { script: { name: 's.py', content: 'def main(pc, params):\n    return 1\n' } };
    const a = await client.jobs.submit(request, { idempotencyKey: 'once' });
    const b = await client.jobs.submit(request, { idempotencyKey: 'once' });
    expect(b.uuid).toBe(a.uuid);
  });

  it('errors have status, code and reason, in each of the shapes of the API', async () => {
    const api = await startApi();
    const client = new PixyzClient({ url: api.url, token });
    const id = '3c7b1077-d4f2-42ce-98b0-8d9f00000001';
    const stranger = new PixyzClient({ url: api.url, token: 'wrong' });
    await expect(stranger.jobs.list()).rejects.toMatchObject({
      status: 401,
      code: 'UNAUTHORIZED',
      message: 'Invalid token',
    });
    await expect(client.jobs.cancel(id)).rejects.toMatchObject({ status: 404, code: 'NOT_FOUND', retryable: false });
    await expect(client.graphs.state(id)).rejects.toMatchObject({ status: 404, message: expect.stringContaining(id) });
    const refused = client.graphs.submit({ nodes: [{ id: 'a', process: 'none' }] });
    await expect(refused).rejects.toBeInstanceOf(ApiError);
    await expect(refused).rejects.toMatchObject({ code: 'INVALID_GRAPH', problems: [{ code: 'unknown-process' }] });
    const nobody = new PixyzClient({ url: 'http://127.0.0.1:1' });
    await expect(nobody.processes()).rejects.toMatchObject({ name: 'ConnectionError', refused: true });
  });

  it('graphs are checked, sent with files, and read', async () => {
    const api = await startApi();
    const client = new PixyzClient({ url: api.url, token });
    const graph = {
      name: 'g',
      nodes: [
        { id: 'a', script: 's' },
        { id: 'b', script: 's', deps: ['a'] },
      ],
    };
    const files = { s: { name: 's.py', content: 'def main(pc, params):\n    return 1\n' } };
    expect(await client.graphs.validate(graph, files)).toMatchObject({ valid: true, plan: { nodes: 2, levels: 2 } });
    const made = await client.graphs.submit(graph, files);
    expect(made).toMatchObject({ name: 'g', nodes: 2 });
    expect(await client.graphs.state(made.id)).toMatchObject({ counts: { total: 2 } });
    expect((await client.graphs.allNodes(made.id)).map(({ id, deps }) => [id, deps])).toEqual([
      ['a', []],
      ['b', ['a']],
    ]);
    expect((await client.graphs.node(made.id, 'b')).label).toBe('b');
    expect(await client.graphs.cancel(made.id)).toMatchObject({ id: made.id });
    expect(api.engine.signals.map(({ name }) => name)).toContain('cancel');
  });

  it('queues, workers and readiness can be asked for', async () => {
    const api = await startApi();
    const client = new PixyzClient({ url: `${api.url}/`, token });
    expect((await client.queues()).queues.map(({ queue }) => queue)).toContain('gpu');
    expect((await client.workers()).workers).toEqual([]);
    expect((await client.ready()).parts.temporal.ok).toBe(true);
    api.engine.down = true;
    expect(await client.ready()).toMatchObject({ ready: false });
  });
});

describe('what passes', () => {
  it('503 is tried again, as the API asks', async () => {
    const { client, requests } = await serverOf(away, away, list);
    expect(await client.jobs.list()).toEqual({ jobs: [], next: null });
    expect(requests).toHaveLength(3);
  });

  it('429 as well, but nobody waits longer than a few seconds', async () => {
    const soon = answer(429, { detail: 'wait' }, { 'retry-after': '0' });
    const { client, requests } = await serverOf(soon, list);
    await client.jobs.list();
    expect(requests).toHaveLength(2);
    const later = await serverOf(answer(429, { detail: 'wait' }, { 'retry-after': '60' }));
    await expect(later.client.jobs.list()).rejects.toMatchObject({ status: 429, retryAfterSeconds: 60 });
    expect(later.requests).toHaveLength(1);
  });

  it('gives up after some tries', async () => {
    const { client, requests } = await serverOf(away);
    await expect(client.jobs.list()).rejects.toMatchObject({ status: 503 });
    expect(requests).toHaveLength(5);
  });

  it('a broken connection is tried again under the same key, but not what may not be sent twice', async () => {
    const broken = (request: IncomingMessage) => void request.socket.destroy();
    const made = answer(200, { uuid: 'u', name: null, status: 'SENT', progress: null, error: null });
    const { client, requests } = await serverOf(broken, made);
    expect((await client.jobs.submit({ process: 'sleep' })).uuid).toBe('u');
    const [first, second] = requests.map(({ headers }) => headers['idempotency-key']);
    expect(first).toBe(second);
    const other = await serverOf(broken, made);
    await expect(other.client.jobs.retry('u')).rejects.toBeInstanceOf(ConnectionError);
    expect(other.requests).toHaveLength(1);
  });

  it('other errors are not tried again', async () => {
    const { client, requests } = await serverOf(
      answer(500, { detail: { code: 500, message: 'm', details: 'a fault' } }),
    );
    await expect(client.jobs.list()).rejects.toMatchObject({ status: 500, message: 'a fault' });
    expect(requests).toHaveLength(1);
  });
});

describe('downloads', () => {
  const content = Buffer.from(Array.from({ length: 500_000 }, (_, n) => n % 251));

  /** Sends what is asked for, but breaks off after so many bytes in each of the first answers. */
  const fileServer = (etag: string, breaks: readonly number[]) => {
    let sent = 0;
    return serverOf((request, response) => {
      const same = request.headers['if-range'] === undefined || request.headers['if-range'] === `"${etag}"`;
      const from = same ? Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0) : 0;
      if (from >= content.length) return void response.writeHead(416).end();
      const part = content.subarray(from);
      response.writeHead(from > 0 ? 206 : 200, { etag: `"${etag}"`, 'content-length': part.length });
      const broken = breaks[sent];
      sent += 1;
      if (broken === undefined) response.end(part);
      else response.write(part.subarray(0, broken), () => setTimeout(() => response.destroy(), 20));
    });
  };

  it('go on where a connection broke', async () => {
    const { client, requests } = await fileServer('v1', [100_000, 100_000]);
    const target = join(ownFolder(), 'deep', 'model.glb');
    const seen: number[] = [];
    const { sizeBytes } = await client.jobs.download('j', 'a/model.glb', target, {
      onProgress: (done) => seen.push(done),
    });
    expect(sizeBytes).toBe(content.length);
    expect(readFileSync(target).equals(content)).toBe(true);
    // What was on its way when the connection broke may be lost: it goes on from what has been written.
    const starts = requests.map(({ headers }) => Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0));
    expect(starts).toHaveLength(3);
    expect(starts).toEqual(starts.toSorted((a, b) => a - b));
    expect(starts[1]).toBeLessThanOrEqual(100_000);
    expect(starts[2]).toBeGreaterThan(0);
    expect(requests[0]?.url).toBe('/jobs/j/outputs/a/model.glb');
    expect(seen.at(-1)).toBe(content.length);
    expect(readdirSync(join(target, '..'))).toEqual(['model.glb']);
  });

  it('go on where an earlier call was broken off', async () => {
    const target = join(ownFolder(), 'model.glb');
    writeFileSync(`${target}.v1.part`, content.subarray(0, 300_000));
    const { client, requests } = await fileServer('v1', []);
    expect(await client.jobs.download('j', 'model.glb', target)).toMatchObject({ resumedAt: 300_000 });
    expect(requests.map(({ headers }) => headers.range)).toEqual(['bytes=300000-']);
    expect(readFileSync(target).equals(content)).toBe(true);
  });

  it('begin anew when the file has changed, or when more is there than should be', async () => {
    const target = join(ownFolder(), 'model.glb');
    writeFileSync(`${target}.v0.part`, Buffer.alloc(300_000));
    const { client } = await fileServer('v1', []);
    expect(await client.jobs.download('j', 'model.glb', target)).toMatchObject({ resumedAt: 0 });
    expect(readFileSync(target).equals(content)).toBe(true);
    writeFileSync(`${target}.v1.part`, Buffer.alloc(content.length + 1));
    await client.jobs.download('j', 'model.glb', target);
    expect(readFileSync(target).equals(content)).toBe(true);
    expect(readdirSync(join(target, '..'))).toEqual(['model.glb']);
  });

  it('go into a pipe or a device, through a link, and never in the place of a folder', async () => {
    const { client } = await fileServer('v1', []);
    const folder = ownFolder();
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const read = readFile(pipe);
    expect(await client.jobs.download('id', 'a.bin', pipe)).toMatchObject({ sizeBytes: content.length, resumedAt: 0 });
    expect((await read).equals(content)).toBe(true);
    expect(statSync(pipe).isFIFO()).toBe(true);
    writeFileSync(join(folder, 'old.bin'), 'old');
    symlinkSync('old.bin', join(folder, 'link'));
    await client.jobs.download('id', 'a.bin', join(folder, 'link'));
    expect(lstatSync(join(folder, 'link')).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(folder, 'old.bin')).equals(content)).toBe(true);
    await expect(client.jobs.download('id', 'a.bin', folder)).rejects.toThrow('is a folder');
    expect(readdirSync(folder).sort()).toEqual(['link', 'old.bin', 'pipe']);
  });

  it('of what is not below the outputs are not asked for', async () => {
    const { client, requests } = await fileServer('v1', []);
    for (const output of ['../details', 'a/../../x', '.', '', '/etc/passwd', 'a//b'])
      await expect(client.jobs.download('id', output, join(ownFolder(), 'x')), output).rejects.toThrow(
        'is not the path of an output file',
      );
    expect(requests).toEqual([]);
  });

  it('of the real API resume by its ranges and versions', async () => {
    const api = await startApi();
    const client = new PixyzClient({ url: api.url, token });
    const { jobId } = await api.seed({ status: 'SUCCESS' });
    await writeOutput(api.store, jobId, 'sub/ä b.bin', content);
    const target = join(ownFolder(), 'out.bin');
    await client.jobs.download(jobId, 'sub/ä b.bin', target);
    const etag =
      (await api.call(`/jobs/${jobId}/outputs/sub/${encodeURIComponent('ä b.bin')}`)).headers.get('etag') ?? '';
    writeFileSync(`${target}.${etag.replaceAll('"', '')}.part`, content.subarray(0, 123_456));
    expect(await client.jobs.download(jobId, 'sub/ä b.bin', target)).toMatchObject({ resumedAt: 123_456 });
    expect(readFileSync(target).equals(content)).toBe(true);
    await expect(client.jobs.download(jobId, 'none', target)).rejects.toMatchObject({ status: 404 });
  });
});

describe('streams', () => {
  it('a watched job is told at each change, to its end', async () => {
    const api = await startApi();
    const client = new PixyzClient({ url: api.url, token });
    const record = await api.seed({ status: 'RUNNING', progress: 10 });
    const seen: string[] = [];
    const watching = (async () => {
      for await (const { status, progress } of client.jobs.watch(record.jobId)) seen.push(`${status} ${progress}`);
    })();
    await waitFor(() => expect(seen).toEqual(['RUNNING 10']));
    await api.store.writeRecord({ ...record, status: 'SUCCESS', progress: 100 });
    await watching;
    expect(seen).toEqual(['RUNNING 10', 'SUCCESS 100']);
    expect((await client.jobs.ended(record.jobId)).status).toBe('SUCCESS');
  });

  it('go on after a lost connection with what was not seen yet', async () => {
    const event = (id: number, status: string) => `event: state\nid: ${id}\ndata: ${JSON.stringify({ status })}\n\n`;
    const stream = (text: string, end: boolean) => (_request: IncomingMessage, response: ServerResponse) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`: hello\n\n${text}`);
      if (end) setTimeout(() => response.destroy(), 20);
    };
    const { client, requests } = await serverOf(
      stream(event(1, 'RUNNING'), true),
      away,
      stream(event(2, 'SUCCESS'), false),
    );
    const seen: string[] = [];
    let lost = 0;
    for await (const { status } of client.jobs.watch('j', { onLost: () => (lost += 1) })) seen.push(status);
    expect(seen).toEqual(['RUNNING', 'SUCCESS']);
    expect(lost).toBe(2);
    expect(requests.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '1', '1']);
  });

  it('end when they are told to', async () => {
    const api = await startApi();
    const client = new PixyzClient({ url: api.url, token });
    const { jobId } = await api.seed({ status: 'RUNNING' });
    const stop = new AbortController();
    const watching = client.jobs.ended(jobId, { signal: stop.signal });
    setTimeout(() => stop.abort(), 50);
    await expect(watching).rejects.toThrow('abort');
  });
});
