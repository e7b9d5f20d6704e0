import type { StatsFs } from 'node:fs';
import filesystem, { chmod, mkdir, rm, utimes, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { pino } from 'pino';
import { Counter, Registry } from 'prom-client';
import { describe, expect, it, vi } from 'vitest';
import { queueListSchema, workerListSchema } from '../../../src/api/schemas/operations.js';
import { type ApiUnderTest, reportWorker, startApi, token } from '../../support/api-under-test.js';
import { createGraph } from '../../support/graph-client.js';
import { raw } from '../../support/raw-request.js';
import { waitFor } from '../../support/wait-for.js';

async function report(api: ApiUnderTest, name: string, changes: object = {}): Promise<string> {
  const registry = new Registry();
  const attempts = new Counter({
    name: 'pixyz_attempts_total',
    help: 'Attempts that have ended.',
    labelNames: ['queue', 'outcome'],
    registers: [registry],
  });
  attempts.inc({ queue: 'cpu', outcome: 'succeeded' }, 5);
  new Counter({ name: 'other_total', help: 'Not ours.', registers: [registry] }).inc();
  return reportWorker(api, name, { metrics: await registry.getMetricsAsJSON(), ...changes });
}

describe('queues that nobody serves', () => {
  const named = async (api: ApiUnderTest) => {
    const { queues } = queueListSchema.parse(await (await api.call('/queues')).json());
    return queues.filter(({ queue }) => queue.startsWith('far')).map(({ queue, backlog }) => [queue, backlog]);
  };

  it('are shown while jobs wait in them, or while they are paused', async () => {
    const api = await startApi();
    await api.submit({ config: '{"queue": "far"}' });
    expect(await named(api)).toEqual([]);
    api.engine.stats.set('far-away', { backlog: 2, oldestAgeSeconds: 60, pollers: 0 });
    const graph = { nodes: ['far-away', 'far-off'].map((queue) => ({ id: queue, command: ['true'], queue })) };
    const id = await createGraph(api, graph);
    expect(await named(api)).toEqual([['far-away', 2]]);
    expect((await api.call('/queues/far-off/pause', { method: 'POST' })).status).toBe(200);
    expect(await named(api)).toEqual([
      ['far-away', 2],
      ['far-off', 0],
    ]);
    // What waits in Temporal may be of jobs that have ended.
    const run = api.engine.graphs.get(id);
    if (run !== undefined) run.open = false;
    expect(await named(api)).toEqual([['far-off', 0]]);
  });

  it('are found by the open jobs, when the API has just been started', async () => {
    const first = await startApi();
    await first.submit({ config: '{"queue": "far"}' });
    first.engine.stats.set('far', { backlog: 1, oldestAgeSeconds: 60, pollers: 0 });
    const second = await startApi({ engine: first.engine });
    expect(await named(second)).toEqual([['far', 1]]);
  });
});

describe('/metrics', () => {
  it('counts requests by route, method and class of status, with the names that dashboards know', async () => {
    const api = await startApi();
    await api.call('/jobs/3c7b1077-d4f2-42ce-98b0-8d9fba12a471');
    await api.call('/jobs/nope/x/y');
    await fetch(`${api.url}/jobs`);
    const text = await waitFor(async () => {
      const answer = await (await fetch(`${api.url}/metrics`)).text();
      expect(answer).toContain('http_requests_total{handler="/jobs/{job_uuid}",method="GET",status="2xx"} 1');
      return answer;
    });
    expect(text).toContain('http_requests_total{handler="none",method="GET",status="4xx"} 1');
    expect(text).toContain('http_requests_total{handler="/jobs",method="GET",status="4xx"} 1');
    for (const name of [
      'http_request_size_bytes_count{handler="/jobs"}',
      'http_response_size_bytes_sum{handler="/jobs"}',
      'http_request_duration_highr_seconds_bucket{le="0.1"}',
      'http_request_duration_seconds_bucket{le="0.1",handler="/jobs",method="GET"}',
      'process_cpu_seconds_total',
    ]) {
      expect(text).toContain(name);
    }
  });

  it('shows jobs by state, and backlog, age and pollers of known queues and of those that are served', async () => {
    const api = await startApi();
    await api.submit();
    api.engine.stats.set('gpu', { backlog: 3, oldestAgeSeconds: 12, pollers: 2 });
    await report(api, 'w1');
    const text = await (await fetch(`${api.url}/metrics`)).text();
    expect(text).toContain('pixyz_jobs{state="open"} 1');
    expect(text).toContain('pixyz_queue_backlog{queue="gpu"} 3');
    expect(text).toContain('pixyz_queue_oldest_age_seconds{queue="gpu"} 12');
    expect(text).toContain('pixyz_queue_pollers{queue="gpu"} 2');
    expect(text).toContain('pixyz_queue_backlog{queue="wine"} 0');
    for (const queue of ['cpu', 'gpu', 'gpuhigh', 'control', 'zip', 'clean']) {
      expect(text).toContain(`pixyz_queue_pollers{queue="${queue}"}`);
    }
  });

  it('merges what live workers report, and forgets the dead', async () => {
    const api = await startApi();
    await report(api, 'w1');
    await report(api, 'w2');
    const old = new Date(Date.now() - 60_000);
    const dead = await report(api, 'dead', { at: old.toISOString() });
    await utimes(dead, old, old);
    await writeFile(join(api.store.root, '.workers', 'broken.json'), '{');
    const text = await (await fetch(`${api.url}/metrics`)).text();
    expect(text).toContain('pixyz_workers 2');
    expect(text).toContain('pixyz_slots{kind="limit"} 8');
    expect(text).toContain('pixyz_children{kind="warm"} 4');
    expect(text).toContain('pixyz_attempts_total{queue="cpu",outcome="succeeded",worker="w1"} 5');
    expect(text).toContain('pixyz_attempts_total{queue="cpu",outcome="succeeded",worker="w2"} 5');
    expect(text).not.toContain('dead');
    expect(text).not.toContain('other_total');
    const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]);
    expect(new Set(names).size, 'every family stands once').toBe(names.length);
  });

  it('is there when Temporal is not', async () => {
    const api = await startApi();
    api.engine.down = true;
    const answer = await fetch(`${api.url}/metrics`);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('pixyz_temporal_up 0');
  });

  it('tells of a Temporal that hangs long before the scrape is given up', async () => {
    const api = await startApi();
    api.engine.ping = async () => false;
    api.engine.countByState = () => new Promise(() => {});
    const answer = await fetch(`${api.url}/metrics`, { signal: AbortSignal.timeout(5000) });
    expect(await answer.text()).toContain('pixyz_temporal_up 0');
  });

  it('is compressed when asked, the only answer that is', async () => {
    const api = await startApi();
    const plain = await raw(api.port, 'GET', '/metrics');
    expect(plain.headers['content-encoding']).toBeUndefined();
    const answer = await fetch(`${api.url}/metrics`, { headers: { 'accept-encoding': 'gzip' } });
    expect(answer.headers.get('content-encoding')).toBe('gzip');
    expect(await answer.text()).toContain('http_requests_total');
    const other = await raw(api.port, 'GET', '/openapi.json', { 'accept-encoding': 'gzip' });
    expect(other.headers['content-encoding']).toBeUndefined();
  });
});

describe('/queues and /workers', () => {
  it('need the token', async () => {
    const api = await startApi();
    for (const path of ['/queues', '/workers']) expect((await fetch(`${api.url}${path}`)).status).toBe(401);
  });

  it('tell what waits in each queue, and who serves it', async () => {
    const api = await startApi();
    api.engine.stats.set('wine', { backlog: 3, oldestAgeSeconds: 12, pollers: 2 });
    await report(api, 'w1');
    await report(api, 'w2', { queues: ['zip'] });
    const { queues } = queueListSchema.parse(await (await api.call('/queues')).json());
    expect(queues.map(({ queue }) => queue)).toEqual(['cpu', 'gpu', 'gpuhigh', 'control', 'zip', 'clean', 'wine']);
    expect(queues.at(-1)).toEqual({
      queue: 'wine',
      backlog: 3,
      oldest_age: 12,
      pollers: 2,
      workers: ['w1'],
      service: false,
      paused: null,
      slots: 4,
      slots_used: 3,
      running: 0,
    });
    expect(queues.find(({ queue }) => queue === 'zip')).toMatchObject({ workers: ['w2'], service: true });
  });

  it('tell of live workers only', async () => {
    const api = await startApi();
    await report(api, 'w1', { draining: true });
    const old = new Date(Date.now() - 60_000);
    await utimes(await report(api, 'dead', { at: old.toISOString() }), old, old);
    const { workers } = workerListSchema.parse(await (await api.call('/workers')).json());
    expect(workers).toHaveLength(1);
    expect(workers[0]).toMatchObject({
      name: 'w1',
      host: 'h',
      queues: ['cpu', 'wine'],
      draining: true,
      slots: { limit: 4, used: 3, lent: 1 },
      children: { warm: 2, running: 3, resident_bytes: 1000 },
    });
  });

  it('tell what a worker runs, and its machine', async () => {
    const api = await startApi();
    const jobId = '3c7b1077-d4f2-42ce-98b0-8d9f00000002';
    const since = new Date().toISOString();
    await report(api, 'w1', {
      version: '1.2.3',
      engine: 'open',
      machine: { cpus: 8, load: 0.5, memoryTotal: 2000, memoryFree: 1000 },
      gpus: [{ index: 0, name: 'GPU', memoryTotal: 100, memoryUsed: 50, utilization: null }],
      running: [{ jobId, inGraph: true, name: 'n', queue: 'wine', attempt: 2, since, pid: 7 }],
      tasks: { succeeded: 3, failed: 1 },
    });
    const { workers } = workerListSchema.parse(await (await api.call('/workers')).json());
    expect(workers[0]).toMatchObject({
      version: '1.2.3',
      machine: { cpus: 8, load: 0.5, memory_total: 2000, memory_free: 1000 },
      gpus: [{ index: 0, name: 'GPU', memory_total: 100, memory_used: 50, utilization: null }],
      running: [{ job: jobId, graph: `${jobId.slice(0, -1)}0`, name: 'n', queue: 'wine', attempt: 2, since, pid: 7 }],
      tasks: { succeeded: 3, failed: 1 },
    });
    const { queues } = queueListSchema.parse(await (await api.call('/queues')).json());
    expect(queues.find(({ queue }) => queue === 'wine')?.running).toBe(1);
  });

  it('refuse names that are none, and take a pause with and without a reason', async () => {
    const api = await startApi();
    const post = (path: string, body?: string) =>
      api.call(path, {
        method: 'POST',
        ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }),
      });
    expect((await post('/queues/a%20b/pause')).status).toBe(400);
    expect((await post('/queues/cpu/pause', '{"reson": "x"}')).status).toBe(400);
    expect(await (await post('/queues/cpu/pause')).json()).toMatchObject({ paused: { reason: null } });
    const paused = await post('/queues/cpu/pause', '{"reason": "x"}');
    expect(await paused.json()).toMatchObject({ paused: { reason: 'x' } });
    const text = await (await fetch(`${api.url}/metrics`)).text();
    expect(text).toContain('pixyz_queue_paused{queue="cpu"} 1');
    expect(text).toContain('pixyz_queue_paused{queue="gpu"} 0');
    expect(await (await post('/queues/cpu/resume')).json()).toMatchObject({ paused: null });
    expect((await post('/workers/..%2Fx/drain')).status).toBe(404);
  });

  it('without Temporal the workers are still told, and the queues answer 503', async () => {
    const api = await startApi();
    api.engine.down = true;
    expect((await api.call('/workers')).status).toBe(200);
    expect((await api.call('/queues')).status).toBe(503);
  });
});

describe('health', () => {
  it('is alive as long as it answers', async () => {
    const api = await startApi();
    api.engine.down = true;
    expect(await (await fetch(`${api.url}/healthz`)).json()).toEqual({ status: 'ok' });
  });

  it('is ready with Temporal and the share, and says that no worker is there', async () => {
    const api = await startApi();
    const answer = await fetch(`${api.url}/readyz`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      ready: true,
      parts: { temporal: { ok: true }, share: { ok: true }, workers: { ok: false } },
    });
    await report(api, 'w1');
    expect(await (await fetch(`${api.url}/readyz`)).json()).toMatchObject({
      parts: { workers: { ok: true, detail: '1 alive, queues cpu, wine' } },
    });
  });

  it('is not ready without Temporal, or without the share, and says which', async () => {
    const api = await startApi();
    api.engine.down = true;
    const first = await fetch(`${api.url}/readyz`);
    expect(first.status).toBe(503);
    expect(await first.json()).toMatchObject({ ready: false, parts: { temporal: { ok: false }, share: { ok: true } } });
    api.engine.down = false;
    await rm(api.store.root, { recursive: true });
    const second = await fetch(`${api.url}/readyz`);
    expect(second.status).toBe(503);
    expect(await second.json()).toMatchObject({
      parts: { share: { ok: false, detail: expect.stringContaining('SHARE_PATH') } },
    });
    await mkdir(api.store.root);
    await chmod(api.store.root, 0o755);
  });
});

describe('a share that is full', () => {
  it('makes the API not ready, and is told as such', async () => {
    const api = await startApi();
    vi.spyOn(filesystem, 'statfs').mockResolvedValue({ bavail: 10, bsize: 4096 } as StatsFs);
    syncBuiltinESMExports();
    try {
      const answer = await fetch(`${api.url}/readyz`);
      expect(answer.status).toBe(503);
      expect(await answer.json()).toMatchObject({
        parts: { share: { ok: false, detail: `is full: make room on the disk of ${api.store.root}` } },
      });
    } finally {
      vi.restoreAllMocks();
      syncBuiltinESMExports();
    }
  });
});

describe('the documentation pages', () => {
  it.each(['/docs', '/redoc'])('%s is a page that loads nothing from elsewhere', async (path) => {
    const api = await startApi();
    const page = await (await fetch(`${api.url}${path}`)).text();
    expect(page).toMatch(/<html/);
    const assets = [...page.matchAll(/<(?:script|link|img)[^>]*\s(?:src|href)="([^"]+)"/g)].map(
      (match) => match[1] ?? '',
    );
    expect(assets.filter((asset) => /^(?:https?:)?\/\//.test(asset))).toEqual([]);
    for (const asset of assets) {
      const answer = await fetch(new URL(asset, `${api.url}${path}`));
      expect(answer.status, asset).toBe(200);
      await answer.arrayBuffer();
    }
  });

  it('take HEAD, which no other path does', async () => {
    const api = await startApi();
    for (const path of ['/docs', '/redoc', '/openapi.json']) {
      expect((await raw(api.port, 'HEAD', path)).status).toBe(200);
    }
  });

  it('have an OpenAPI 3.1 document with title, version, token and tags, and examples everywhere', async () => {
    const api = await startApi();
    // biome-ignore lint/suspicious/noExplicitAny: the document is looked at as JSON
    const document: any = await (await fetch(`${api.url}/openapi.json`)).json();
    expect(document.openapi).toBe('3.1.0');
    expect(document.info).toMatchObject({ title: 'PiXYZ API', version: '1.0.7' });
    expect(document.components.securitySchemes).toEqual({
      APIKeyHeader: { type: 'apiKey', in: 'header', name: 'x-api-key' },
    });
    expect(document.tags.map((tag: { name: string }) => tag.name)).toEqual([
      'processes',
      'jobs',
      'graphs',
      'workflows',
      'operations',
      'page',
      'backend',
      'dev',
    ]);
    expect(Object.keys(document.paths).sort()).toEqual([
      '/',
      '/backend/get_task_meta/{job_uuid}',
      '/codec/decode',
      '/codec/encode',
      '/dev/callback',
      '/graphs',
      '/graphs/cancel',
      '/graphs/retry',
      '/graphs/validate',
      '/graphs/{graph}',
      '/graphs/{graph}/cancel',
      '/graphs/{graph}/close',
      '/graphs/{graph}/events',
      '/graphs/{graph}/nodes',
      '/graphs/{graph}/nodes/cancel',
      '/graphs/{graph}/nodes/{node}',
      '/graphs/{graph}/nodes/{node}/log',
      '/graphs/{graph}/nodes/{node}/retry',
      '/graphs/{graph}/nodes/{node}/why',
      '/graphs/{graph}/pause',
      '/graphs/{graph}/resume',
      '/graphs/{graph}/retry',
      '/graphs/{graph}/signals/{signal}',
      '/healthz',
      '/jobs',
      '/jobs/cancel',
      '/jobs/retry',
      '/jobs/{job_uuid}',
      '/jobs/{job_uuid}/cancel',
      '/jobs/{job_uuid}/details',
      '/jobs/{job_uuid}/events',
      '/jobs/{job_uuid}/logs',
      '/jobs/{job_uuid}/outputs',
      '/jobs/{job_uuid}/outputs/archive',
      '/jobs/{job_uuid}/outputs/{file_path}',
      '/jobs/{job_uuid}/request',
      '/jobs/{job_uuid}/retry',
      '/metrics',
      '/processes',
      '/processes/{process_name}',
      '/queues',
      '/queues/{queue}/pause',
      '/queues/{queue}/resume',
      '/readyz',
      '/scripts/inspect',
      '/summary',
      '/ui/login',
      '/ui/logout',
      '/ui/session',
      '/workers',
      '/workers/{worker}/drain',
      '/workflows',
      '/workflows/{workflow}',
      '/workflows/{workflow}/schedules',
      '/workflows/{workflow}/schedules/{schedule}',
    ]);
    expect(document.paths['/jobs'].post.requestBody.content['multipart/form-data'].schema.properties).toMatchObject({
      file: { format: 'binary' },
      script: { format: 'binary' },
      config: { examples: [expect.any(String)] },
    });
    const graphBody = document.paths['/graphs'].post.requestBody.content;
    expect(graphBody['application/json'].schema).toEqual({ $ref: '#/components/schemas/GraphRequest' });
    expect(document.components.schemas.GraphNode.properties).toHaveProperty('deps');
    expect(graphBody['multipart/form-data'].schema.required).toEqual(['graph']);
    expect(JSON.stringify(document).includes('$defs')).toBe(false);
    expect(JSON.stringify(document)).not.toContain('Default Response');
    expect(document.components.schemas.JobConfig.properties).toHaveProperty('time_limit');
    expect(Object.keys(document.components.schemas).filter((name) => name.endsWith('Input'))).toEqual([]);
    for (const reference of JSON.stringify(document).matchAll(/#\/components\/schemas\/([\w-]+)/g)) {
      expect(document.components.schemas).toHaveProperty(reference[1] ?? '');
    }
    for (const [path, methods] of Object.entries<Record<string, Record<string, unknown>>>(document.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const name = `${method} ${path}`;
        expect(operation['summary'], name).toEqual(expect.any(String));
        const secured = /^\/(?:jobs|graphs|workflows|queues|workers|summary|scripts|backend)/.test(path);
        expect(operation['security'], name).toEqual(secured ? [{ APIKeyHeader: [] }] : undefined);
        const answers = operation['responses'] as Record<string, { content?: object }>;
        const success = answers['200'] ?? answers['202'];
        expect(success?.content, name).toBeDefined();
        if (!JSON.stringify(success).includes('octet-stream')) {
          expect(hasExample(document, success), `${name} has an example`).toBe(true);
        }
      }
    }
  });
});

function hasExample(document: { components: { schemas: Record<string, unknown> } }, node: unknown): boolean {
  const text = JSON.stringify(node);
  if (/"examples?"/.test(text)) return true;
  return [...text.matchAll(/#\/components\/schemas\/(\w+)/g)].some((match) =>
    JSON.stringify(document.components.schemas[match[1] ?? ''] ?? '').includes('"examples"'),
  );
}

describe('the log', () => {
  it('has one line per change with ids as fields, and never the token', async () => {
    const lines: string[] = [];
    const logger = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
    const api = await startApi({ logger });
    const jobId = await api.submit();
    await api.call(`/jobs/${jobId}/cancel`, { method: 'POST' });
    await fetch(`${api.url}/jobs`, { headers: { 'x-api-key': 'a wrong secret' } });
    await waitFor(() => expect(lines.filter((line) => line.includes('request answered'))).toHaveLength(3));
    const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const ids = { job: jobId, graph: `${jobId.slice(0, -1)}0`, node: 1 };
    expect(parsed).toContainEqual(expect.objectContaining({ msg: 'a job was accepted', ...ids, queue: 'cpu' }));
    expect(parsed).toContainEqual(
      expect.objectContaining({
        msg: 'request answered',
        ...ids,
        method: 'POST',
        status: 200,
        request: expect.any(String),
      }),
    );
    expect(lines.join('')).not.toContain(token);
    expect(lines.join('')).not.toContain('a wrong secret');
  });

  it('has everything of a fault that the answer tells nothing of', async () => {
    const lines: string[] = [];
    const logger = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
    const api = await startApi({
      logger,
      inspector: { inspect: () => Promise.reject(new Error('the secret inside')) },
    });
    const form = new FormData();
    form.set('script', new Blob(['x']), 's.py');
    const answer = await api.post(form);
    expect(answer.status).toBe(500);
    const body = await answer.text();
    expect(JSON.parse(body)).toMatchObject({ detail: { code: 500, message: 'Internal Server Error' } });
    expect(body).not.toContain('the secret inside');
    expect(body).toContain(answer.headers.get('x-request-id'));
    await waitFor(() => expect(lines.join('')).toContain('the secret inside'));
    expect(await api.leftovers()).toEqual([]);
  });
});
