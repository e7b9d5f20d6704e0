import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { firstItemNumber, jobIdOf, nodeIndexOf } from '../../../src/contract/ids.js';
import { EngineError } from '../../../src/errors/engine-error.js';
import { type ApiUnderTest, seedJob, startApi, writeOutput } from '../../support/api-under-test.js';
import { createGraph, journal, json, send } from '../../support/graph-client.js';

const script = 'def main(params, pc):\n    return 1\n';

async function sleepers(
  api: ApiUnderTest,
  nodes: readonly (Record<string, unknown> & { id: string })[],
  more = {},
): Promise<string> {
  await writeOutput({ paths: () => ({ outputs: api.processes }) } as never, '', 'sleep.py', script);
  return createGraph(api, { ...more, nodes: nodes.map((node) => ({ process: 'sleep', ...node })) });
}

const get = (api: ApiUnderTest, path: string) => json(api.call(path));

/** A record as an attempt that runs, or has ended, would have written it. */
async function record(
  api: ApiUnderTest,
  graphId: string,
  number: number,
  changes: Parameters<typeof seedJob>[1] = {},
): Promise<void> {
  await seedJob(api.store, { jobId: jobIdOf(graphId, number), graphId, ...changes });
}

describe('GET /graphs/{graph}', () => {
  it('adds up the journal, and tells those that run by their records', async () => {
    const api = await startApi({ options: { temporalUi: { url: 'http://ui/', namespace: 'n s' } } });
    const id = await sleepers(
      api,
      ['a', 'b', 'c', 'd', 'e'].map((name) => ({ id: name })),
      { name: 'g', labels: { x: 'y' }, max_parallel: 3 },
    );
    expect(await get(api, `/graphs/${id}`)).toMatchObject({
      state: 'pending',
      counts: { total: 5, waiting: 5 },
      last_event: 0,
      time_info: { started: null, stopped: null },
      links: { temporal: `http://ui/namespaces/n%20s/workflows/${id}` },
    });
    journal(
      api,
      id,
      { type: 'started' },
      ...[1, 2, 3].map((node) => ({ type: 'queued' as const, node, attempt: 1, queue: 'cpu' })),
      { type: 'succeeded', node: 1, attempt: 1 },
      { type: 'skipped', node: 5, message: 'its rule cannot be met' },
    );
    await record(api, id, 2, { status: 'RUNNING', progress: 40 });
    expect(await get(api, `/graphs/${id}`)).toMatchObject({
      id,
      name: 'g',
      labels: { x: 'y' },
      last_event: 6,
      state: 'running',
      max_parallel: 3,
      on_failure: 'finish',
      front: 'rest',
      counts: { total: 5, waiting: 1, queued: 1, running: 1, succeeded: 1, failed: 0, revoked: 0, skipped: 1 },
      time_info: { started: '2026-11-21T11:49:07.102000+00:00', stopped: null },
    });
    journal(api, id, { type: 'ended', state: 'failed', message: 'node 4 failed' });
    expect(await get(api, `/graphs/${id}`)).toMatchObject({ state: 'failed', message: 'node 4 failed' });
  });

  it('answers 404 in the shape of these calls for an id that is unknown, or that of a job', async () => {
    const api = await startApi();
    const { jobId } = await api.seed();
    for (const id of [jobId, '3c7b1077-d4f2-42ce-98b0-8d9f00000000']) {
      const answer = await api.call(`/graphs/${id}`);
      expect(answer.status).toBe(404);
      expect(await json(answer)).toMatchObject({ code: 'NOT_FOUND', retryable: false });
    }
    const bad = await api.call('/graphs/not-an-id');
    expect(bad.status).toBe(400);
    expect(await json(bad)).toMatchObject({ code: 'BAD_REQUEST', field: 'graph' });
  });
});

describe('a graph whose run was ended in Temporal itself', () => {
  it('reads as revoked, with all its nodes and jobs, once its journal has been silent for a while', async () => {
    const api = await startApi();
    const id = await sleepers(api, [{ id: 'done' }, { id: 'runs' }, { id: 'next', deps: ['runs'] }]);
    journal(
      api,
      id,
      { type: 'started' },
      { type: 'queued', node: 1, attempt: 1, queue: 'cpu' },
      { type: 'succeeded', node: 1, attempt: 1 },
      { type: 'queued', node: 2, attempt: 1, queue: 'cpu' },
    );
    await record(api, id, 1, { status: 'SUCCESS' });
    await record(api, id, 2, { status: 'RUNNING' });
    api.engine.endRun(jobIdOf(id, 1));
    expect(await get(api, `/graphs/${id}`)).toMatchObject({
      state: 'revoked',
      message: expect.stringContaining('ended in Temporal'),
      counts: { succeeded: 1, revoked: 2, running: 0, queued: 0, waiting: 0 },
    });
    expect(await get(api, `/jobs/${jobIdOf(id, 1)}`)).toMatchObject({ status: 'SUCCESS' });
    expect(await get(api, `/jobs/${jobIdOf(id, 2)}`)).toMatchObject({ status: 'REVOKED' });
    expect(await get(api, `/jobs/${jobIdOf(id, 3)}`)).toMatchObject({ status: 'REVOKED' });
    const { events, ended } = await get(api, `/graphs/${id}/events?after=4`);
    expect(ended).toBe(true);
    expect(events.map(({ type, node }: { type: string; node?: string }) => [type, node])).toEqual([
      ['revoked', 'runs'],
      ['revoked', 'next'],
      ['ended', undefined],
    ]);
    const again = await send(api, `/graphs/${id}/retry`, '');
    expect(await json(again)).toMatchObject({ retry_of: id, kept: 1 });
  });

  it('is noticed also by somebody who asks for one of its jobs alone', async () => {
    const api = await startApi();
    const id = await sleepers(api, [{ id: 'runs' }, { id: 'next', deps: ['runs'] }]);
    journal(api, id, { type: 'started' }, { type: 'queued', node: 1, attempt: 1, queue: 'cpu' });
    await record(api, id, 1, { status: 'RUNNING' });
    api.engine.endRun(jobIdOf(id, 1));
    expect(await get(api, `/jobs/${jobIdOf(id, 1)}/details`)).toMatchObject({
      status: 'REVOKED',
      result: expect.stringContaining('ended in Temporal'),
    });
    expect(await get(api, `/jobs/${jobIdOf(id, 2)}`)).toMatchObject({ status: 'REVOKED' });
  });

  it('is left alone while its run is open, Temporal does not know it yet, or is away, and while the journal speaks', async () => {
    const api = await startApi();
    const [open, unknown, away, fresh] = await Promise.all([1, 2, 3, 4].map(() => sleepers(api, [{ id: 'a' }])));
    for (const id of [open, unknown, away] as string[]) journal(api, id, { type: 'started' });
    journal(api, fresh as string, { type: 'started', at: new Date().toISOString() });
    api.engine.graphs.delete(unknown as string);
    for (const id of [away, fresh] as string[]) api.engine.endRun(jobIdOf(id, 1));
    for (const id of [open, unknown, fresh] as string[])
      expect(await get(api, `/graphs/${id}`)).toMatchObject({ state: 'running' });
    api.engine.down = true;
    expect(await get(api, `/graphs/${away}`)).toMatchObject({ state: 'running' });
  });
});

describe('GET /graphs/{graph}/nodes', () => {
  it('pages through all nodes, items of maps at the end, each once', async () => {
    const api = await startApi();
    const names = Array.from({ length: 25 }, (_, at) => `n${at}`);
    const id = await sleepers(
      api,
      names.map((name) => (name === 'n3' ? { id: name, map: { over: '[1, 2, 3]', max: 5 } } : { id: name })),
    );
    journal(api, id, { type: 'started' }, { type: 'mapped', node: 4, first: firstItemNumber, count: 3 });
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page = await get(api, `/graphs/${id}/nodes?limit=7${cursor === '' ? '' : `&cursor=${cursor}`}`);
      expect(page.nodes.length).toBeLessThanOrEqual(7);
      seen.push(...page.nodes.map((node: { id: string }) => node.id));
      cursor = page.next;
    }
    expect(seen).toEqual([...names, 'n3[0]', 'n3[1]', 'n3[2]']);
    expect((await get(api, `/graphs/${id}/nodes?limit=28`)).next).toBe(null);
  });

  it('picks states, those that run among the queued ones too', async () => {
    const api = await startApi();
    const id = await sleepers(
      api,
      Array.from({ length: 30 }, (_, at) => ({ id: `n${at}` })),
    );
    journal(
      api,
      id,
      { type: 'started' },
      ...Array.from({ length: 20 }, (_, at) => ({ type: 'queued' as const, node: at + 1, attempt: 1, queue: 'cpu' })),
      { type: 'failed', node: 2, fault: 'exception', message: 'ValueError: no' },
    );
    for (const number of [7, 19]) await record(api, id, number, { status: 'RUNNING', progress: 10 });
    const ids = async (query: string) =>
      (await get(api, `/graphs/${id}/nodes?${query}`)).nodes.map((node: { number: number }) => node.number);
    expect(await ids('state=running')).toEqual([7, 19]);
    expect(await ids('state=running&limit=1')).toEqual([7]);
    expect(await ids('state=failed')).toEqual([2]);
    expect(await ids('state=queued&limit=6')).toEqual([1, 3, 4, 5, 6, 8]);
    expect(await ids('state=waiting&state=failed&limit=3')).toEqual([2, 21, 22]);
    const { next } = await get(api, `/graphs/${id}/nodes?state=running&limit=1`);
    expect(await ids(`state=running&limit=1&cursor=${next}`)).toEqual([19]);
    const bad = await api.call(`/graphs/${id}/nodes?state=sleepy`);
    expect(bad.status).toBe(400);
    expect(await json(bad)).toMatchObject({
      code: 'BAD_REQUEST',
      field: 'state',
      message: expect.stringContaining('waiting'),
    });
  });
});

describe('GET /graphs/{graph}/nodes/{node}', () => {
  it('tells what was asked for and what came of it, by id or by number', async () => {
    const api = await startApi();
    const id = await sleepers(api, [
      { id: 'a/b c' },
      {
        id: '7',
        deps: ['a/b c'],
        trigger: 'all_done',
        when: '1 < 2',
        tags: { t: 'v' },
        time_limit: 5,
        retries: 0,
        label: 'seven',
      },
    ]);
    journal(api, id, { type: 'started' }, { type: 'queued', node: 1, attempt: 2, queue: 'gpuhigh' });
    await record(api, id, 1, {
      status: 'RUNNING',
      progress: 30,
      queue: 'gpuhigh',
      attempts: [
        {
          attempt: 1,
          queue: 'cpu',
          worker: 'w1',
          pid: 1,
          startedAt: 't',
          endedAt: 't',
          outcome: 'signal',
          message: 'killed by SIGSEGV',
        },
        {
          attempt: 2,
          queue: 'gpuhigh',
          worker: 'w2',
          pid: 2,
          startedAt: 't',
          endedAt: null,
          outcome: null,
          message: null,
        },
      ],
    });
    const first = await get(api, `/graphs/${id}/nodes/${encodeURIComponent('a/b c')}`);
    expect(first).toMatchObject({
      number: 1,
      job: jobIdOf(id, 1),
      state: 'running',
      progress: 30,
      queue: 'gpuhigh',
      attempt: 2,
    });
    expect(first.attempts.map(({ worker, outcome }: { worker: string; outcome: string }) => [worker, outcome])).toEqual(
      [
        ['w1', 'signal'],
        ['w2', null],
      ],
    );
    expect(await get(api, `/graphs/${id}/nodes/1`)).toEqual(first);
    const { nodes } = await get(api, `/graphs/${id}/nodes?attempts=true`);
    expect(nodes.map((node: { attempts: unknown }) => node.attempts)).toEqual([first.attempts, []]);
    expect(await get(api, `/graphs/${id}/nodes/7`), 'an id goes before a number').toMatchObject({
      number: 2,
      state: 'waiting',
      label: 'seven',
      deps: ['a/b c'],
      trigger: 'all_done',
      when: '1 < 2',
      tags: { t: 'v' },
      time_limit: 5,
      retries: 0,
      attempts: [],
    });
    for (const name of ['3', '0', 'nobody', 'a[0]']) {
      expect((await api.call(`/graphs/${id}/nodes/${name}`)).status, name).toBe(404);
    }
  });

  it('tells parameters as they were asked for, and as its job got them once there is one', async () => {
    const api = await startApi();
    const id = await sleepers(api, [
      { id: 'a', params: { big: 12345678901234 } },
      { id: 'b', params: { text: 'from ${{ nodes.a.state }}' } },
    ]);
    const params = async (node: string) => (await get(api, `/graphs/${id}/nodes/${node}`)).params;
    expect(await params('a')).toBe('{"big":12345678901234}');
    expect(await params('b')).toBe('{"text":"from ${{ nodes.a.state }}"}');
    const filledIn = { paramsText: '{"text":"from succeeded"}' };
    await seedJob(api.store, { jobId: jobIdOf(id, 2), graphId: id, status: 'RUNNING' }, filledIn);
    expect(await params('b')).toBe('{"text":"from succeeded"}');
  });
});

describe('GET …/why', () => {
  it('names the reason', async () => {
    const api = await startApi();
    api.engine.stats.set('wine', { pollers: 0 });
    const id = await sleepers(
      api,
      [
        { id: 'a' },
        { id: 'b', deps: ['a'] },
        { id: 'c', queue: 'wine' },
        { id: 'd' },
        { id: 'late', countdown: 9 },
        { id: 'again' },
      ],
      { max_parallel: 2 },
    );
    const codes = async (node: string) =>
      (await get(api, `/graphs/${id}/nodes/${node}/why`)).reasons.map(({ code }: { code: string }) => code);
    expect(await codes('a')).toEqual(['not-started']);
    journal(
      api,
      id,
      { type: 'started' },
      { type: 'queued', node: 1, attempt: 1, queue: 'cpu' },
      { type: 'queued', node: 3, attempt: 1, queue: 'wine' },
      { type: 'queued', node: 6, attempt: 1, queue: 'cpu' },
      { type: 'retrying', node: 6, attempt: 1, fault: 'signal', message: 'killed', queue: 'gpuhigh' },
    );
    expect(await codes('a')).toEqual(['busy']);
    expect(await codes('b')).toEqual(['dependency']);
    await record(api, id, 1, { status: 'RUNNING' });
    expect((await get(api, `/graphs/${id}/nodes/b/why`)).reasons[0].message).toBe('node "a" is running');
    expect(await codes('c')).toEqual(['no-worker']);
    expect(await codes('d')).toEqual(['limit']);
    expect(await codes('late')).toEqual(['delay']);
    expect(await codes('again')).toEqual(['retry']);
    journal(api, id, { type: 'paused' });
    expect(await codes('b')).toEqual(['paused', 'dependency']);
    journal(api, id, { type: 'succeeded', node: 1, attempt: 1 });
    expect(await get(api, `/graphs/${id}/nodes/a/why`)).toEqual({ state: 'succeeded', reasons: [] });
  });
});

describe('GET /graphs/{graph}/events', () => {
  it('answers pages from any number on, with the names of the nodes', async () => {
    const api = await startApi();
    const id = await sleepers(api, [{ id: 'a' }, { id: 'b' }]);
    expect(await get(api, `/graphs/${id}/events`)).toEqual({ events: [], next: 0, ended: false });
    journal(
      api,
      id,
      { type: 'started' },
      { type: 'queued', node: 2, attempt: 1, queue: 'cpu' },
      { type: 'succeeded', node: 2, attempt: 1 },
      { type: 'ended', state: 'succeeded' },
    );
    expect(await get(api, `/graphs/${id}/events?after=1&limit=1`)).toEqual({
      events: [
        {
          seq: 2,
          at: '2026-11-21T11:49:07.102Z',
          type: 'queued',
          node: 'b',
          number: 2,
          job: jobIdOf(id, 2),
          attempt: 1,
          queue: 'cpu',
        },
      ],
      next: 2,
      ended: false,
    });
    expect(await get(api, `/graphs/${id}/events?after=2`)).toMatchObject({ next: 4, ended: true });
    expect(await get(api, `/graphs/${id}/events?after=4&wait=60`)).toEqual({ events: [], next: 4, ended: true });
  });

  it('waits for the next event, and no longer than asked', async () => {
    const api = await startApi();
    const id = await sleepers(api, [{ id: 'a' }]);
    const waiting = get(api, `/graphs/${id}/events?wait=60`);
    journal(api, id, { type: 'started' });
    expect((await waiting).events).toHaveLength(1);
    const began = performance.now();
    expect(await get(api, `/graphs/${id}/events?after=1&wait=1`)).toEqual({ events: [], next: 1, ended: false });
    expect(performance.now() - began).toBeGreaterThan(900);
  });

  it('is not in the way of an API that is told to stop', async () => {
    const api = await startApi();
    const id = await sleepers(api, [{ id: 'a' }]);
    const waiting = api.call(`/graphs/${id}/events?wait=60`);
    const stream = await api.call(`/graphs/${id}/events`, { headers: { accept: 'text/event-stream' } });
    await api.app.close();
    expect((await waiting).status).toBe(200);
    await stream.text();
  });

  it('streams from the last event that a client has seen, to the end', async () => {
    const api = await startApi();
    const id = await sleepers(api, [{ id: 'a' }]);
    journal(api, id, { type: 'started' }, { type: 'queued', node: 1, attempt: 1, queue: 'cpu' });
    const stream = await api.call(`/graphs/${id}/events`, {
      headers: { accept: 'text/event-stream', 'last-event-id': '1' },
    });
    expect(stream.headers.get('content-type')).toContain('text/event-stream');
    journal(api, id, { type: 'succeeded', node: 1, attempt: 1 }, { type: 'ended', state: 'succeeded' });
    const text = await stream.text();
    expect([...text.matchAll(/^(?:event|id): (.*)$/gm)].map(([, value]) => value)).toEqual([
      'queued',
      '2',
      'succeeded',
      '3',
      'ended',
      '4',
    ]);
    const again = await api.call(`/graphs/${id}/events?after=4`, { headers: { accept: 'text/event-stream' } });
    expect(again.status).toBe(204);
  });

  it('serves many readers at once, each from its own place', async () => {
    const api = await startApi();
    const id = await sleepers(api, [{ id: 'a' }]);
    journal(
      api,
      id,
      ...Array.from({ length: 2000 }, (_, n) => ({ type: 'priority' as const, node: 1, priority: 1, n })),
    );
    const pages = await Promise.all(
      Array.from({ length: 20 }, (_, at) => get(api, `/graphs/${id}/events?after=${at * 100}&limit=100`)),
    );
    for (const [at, { events }] of pages.entries()) {
      expect(events.map(({ seq }: { seq: number }) => seq)).toEqual(
        Array.from({ length: 100 }, (_, n) => at * 100 + n + 1),
      );
    }
  });
});

describe('control', () => {
  const post = (api: ApiUnderTest, path: string, init: { body?: unknown; headers?: Record<string, string> } = {}) =>
    api.call(path, {
      method: 'POST',
      ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
      headers: { ...(init.body === undefined ? {} : { 'content-type': 'application/json' }), ...init.headers },
    });

  it('tells the interpreter, and answers with the state', async () => {
    const api = await startApi();
    const id = await sleepers(api, [{ id: 'a' }, { id: 'b' }], { mode: 'open' });
    journal(api, id, { type: 'started' });
    for (const call of ['pause', 'resume', 'close', 'cancel']) {
      const answer = await post(api, `/graphs/${id}/${call}`);
      expect(answer.status, call).toBe(200);
      expect(await json(answer)).toMatchObject({ id });
    }
    const patched = await api.call(`/graphs/${id}`, {
      method: 'PATCH',
      body: '{"priority": 0, "max_parallel": 3}',
      headers: { 'content-type': 'application/json' },
    });
    expect(patched.status).toBe(200);
    await post(api, `/graphs/${id}/nodes/cancel`, { body: { ids: ['b'] } });
    expect(api.engine.signals.map(({ name, args }) => [name, ...args])).toEqual([
      ['pauseGraph'],
      ['resumeGraph'],
      ['addNodes', { first: 1, count: 2 }],
      ['closeGraph'],
      ['cancel'],
      ['setPriority', { node: null, priority: 1 }],
      ['setParallel', 3],
      ['cancelNode', 2, 'cancelled through the API'],
    ]);
  });

  it('refuses a change of nothing, and tells the limit that holds', async () => {
    const api = await startApi();
    const id = await sleepers(api, [{ id: 'a' }], { max_parallel: 5 });
    const change = async (body: object) =>
      json(
        await api.call(`/graphs/${id}`, {
          method: 'PATCH',
          body: JSON.stringify(body),
          headers: { 'content-type': 'application/json' },
        }),
      );
    expect(await change({})).toMatchObject({ code: 'BAD_REQUEST', message: expect.stringContaining('max_parallel') });
    expect(await change({ max_parallel: 0 })).toMatchObject({ code: 'BAD_REQUEST', field: 'max_parallel' });
    journal(api, id, { type: 'started' }, { type: 'limited', count: 2, n: 0 });
    expect(await get(api, `/graphs/${id}`)).toMatchObject({ max_parallel: 2 });
    journal(api, id, { type: 'limited', n: 1 });
    expect(await get(api, `/graphs/${id}`)).toMatchObject({ max_parallel: null });
  });

  it('takes an empty body of any type where none is needed', async () => {
    const api = await startApi();
    const id = await sleepers(api, [{ id: 'a' }]);
    for (const type of ['application/json', 'text/plain', 'application/x-www-form-urlencoded']) {
      expect((await post(api, `/graphs/${id}/pause`, { headers: { 'content-type': type } })).status, type).toBe(200);
    }
    const bad = await api.call(`/graphs/${id}/pause`, {
      method: 'POST',
      body: '{',
      headers: { 'content-type': 'application/json' },
    });
    expect(bad.status).toBe(400);
    expect(await json(bad)).toMatchObject({ code: 'BAD_REQUEST' });
  });

  it('refuses what makes no sense any more with 409, but not a second cancel', async () => {
    const api = await startApi();
    const id = await sleepers(api, [{ id: 'a' }, { id: 'b' }]);
    journal(
      api,
      id,
      { type: 'started' },
      { type: 'queued', node: 1, attempt: 1, queue: 'cpu' },
      { type: 'succeeded', node: 1, attempt: 1 },
    );
    expect((await post(api, `/graphs/${id}/nodes/a/retry`)).status, 'it has succeeded').toBe(409);
    expect((await post(api, `/graphs/${id}/nodes/b/retry`)).status, 'it has not ended').toBe(409);
    expect((await post(api, `/graphs/${id}/retry`)).status, 'the graph runs').toBe(409);
    expect((await api.call(`/graphs/${id}`, { method: 'DELETE' })).status, 'the graph runs').toBe(409);
    journal(api, id, { type: 'revoked', node: 2, message: 'cancelled' }, { type: 'ended', state: 'revoked' });
    api.engine.endRun(jobIdOf(id, 1));
    for (const call of ['pause', 'resume', 'nodes/b/retry'])
      expect((await post(api, `/graphs/${id}/${call}`)).status, call).toBe(409);
    for (const call of ['cancel', 'close']) expect((await post(api, `/graphs/${id}/${call}`)).status, call).toBe(200);
    const told = await json(post(api, `/graphs/${id}/nodes/cancel`, { body: { ids: ['b'] } }));
    expect(told.nodes).toEqual([{ id: 'b', status: 'already-ended' }]);
  });

  it('waits for the end of a cancelled graph', async () => {
    const api = await startApi();
    const id = await sleepers(api, [{ id: 'a' }]);
    api.engine.onSignal = (graphId) => journal(api, graphId, { type: 'started' }, { type: 'ended', state: 'revoked' });
    expect(await json(post(api, `/graphs/${id}/cancel?wait=60`))).toMatchObject({ state: 'revoked' });
  });

  it('answers a repeated request with the same key from memory, and another one with 409', async () => {
    const api = await startApi();
    const id = await sleepers(api, [{ id: 'a' }, { id: 'b' }]);
    const headers = { 'idempotency-key': 'k' };
    const bodies = await Promise.all(
      Array.from({ length: 3 }, () => json(post(api, `/graphs/${id}/nodes/cancel`, { body: { ids: ['a'] }, headers }))),
    );
    for (const body of bodies) expect(body).toEqual(bodies[0]);
    expect(api.engine.signals).toHaveLength(1);
    expect((await post(api, `/graphs/${id}/nodes/cancel`, { body: { ids: ['b'] }, headers })).status).toBe(409);
    expect((await post(api, `/graphs/${id}/pause`, { headers })).status).toBe(409);
    api.engine.down = true;
    const other = { 'idempotency-key': 'other' };
    expect((await post(api, `/graphs/${id}/pause`, { headers: other })).status).toBe(503);
    api.engine.down = false;
    expect((await post(api, `/graphs/${id}/pause`, { headers: other })).status, 'a failure is not remembered').toBe(
      200,
    );
  });

  it('says that a graph whose run is gone can be deleted', async () => {
    const api = await startApi();
    const id = await sleepers(api, [{ id: 'a' }]);
    // Silent for longer, it would have been given an end.
    journal(api, id, { type: 'started', at: new Date().toISOString() });
    api.engine.endRun(jobIdOf(id, 1));
    const answer = await post(api, `/graphs/${id}/cancel`);
    expect(answer.status).toBe(409);
    expect(await json(answer)).toMatchObject({ message: expect.stringContaining('deleted') });
    expect((await api.call(`/graphs/${id}`, { method: 'DELETE' })).status).toBe(200);
  });

  it('does not bring the folder of a graph back that is deleted meanwhile', async () => {
    const api = await startApi();
    const id = await sleepers(api, [{ id: 'a' }]);
    api.engine.onSignal = () => rm(join(api.store.root, id), { recursive: true });
    await post(api, `/graphs/${id}/nodes/cancel`, { body: { ids: ['a'] }, headers: { 'idempotency-key': 'k' } });
    expect(await api.leftovers()).toEqual([]);
  });

  it('removes everything of a graph that has ended', async () => {
    const api = await startApi();
    const id = await sleepers(api, [{ id: 'a' }, { id: 'm', map: { over: '[1]', max: 1 } }]);
    await record(api, id, 1, { status: 'SUCCESS' });
    await record(api, id, firstItemNumber, { status: 'SUCCESS' });
    journal(
      api,
      id,
      { type: 'started' },
      { type: 'mapped', node: 2, first: firstItemNumber, count: 1 },
      { type: 'ended', state: 'succeeded' },
    );
    api.engine.endRun(jobIdOf(id, 1));
    expect(await json(api.call(`/graphs/${id}`, { method: 'DELETE' }))).toEqual({ id, deleted: true });
    expect(await api.leftovers()).toEqual([]);
    expect((await api.call(`/graphs/${id}/nodes`)).status).toBe(404);
  });
});

describe('POST /graphs/{graph}/retry', () => {
  it('keeps what has succeeded with all its files, and runs again what needs it', async () => {
    const api = await startApi();
    const id = await createGraph(
      api,
      {
        nodes: [
          { id: 'last', script: 'steps', deps: ['bad', 'good'] },
          { id: 'bad', script: 'steps', deps: ['good'] },
          { id: 'good', script: 'steps' },
          { id: 'wall', barrier: true, deps: ['good'] },
          { id: 'cleanup', script: 'steps', deps: ['bad'], trigger: 'all_done' },
          { id: 'cleaned', script: 'steps' },
        ],
      },
      { steps: script },
    );
    const done = (node: number) => [
      { type: 'queued' as const, node, attempt: 1, queue: 'cpu' },
      { type: 'succeeded' as const, node, attempt: 1 },
    ];
    journal(
      api,
      id,
      { type: 'started' },
      ...done(3),
      { type: 'succeeded', node: 4 },
      ...done(5),
      ...done(6),
      { type: 'failed', node: 2, fault: 'exception', message: 'no' },
      { type: 'skipped', node: 1, message: 'node "bad" failed' },
      { type: 'ended', state: 'failed' },
    );
    for (const number of [3, 5]) await record(api, id, number, { status: 'SUCCESS', result: number });
    await record(api, id, 6, { status: 'SUCCESS', cleanedAt: '2026-11-21T11:49:05+00:00' });
    await writeOutput(api.store, jobIdOf(id, 3), 'deep/model.glb', 'triangles');
    api.engine.endRun(jobIdOf(id, 1));

    const again = await json(api.call(`/graphs/${id}/retry`, { method: 'POST' }));
    expect(again).toMatchObject({ nodes: 6, retry_of: id, kept: 2 });
    const run = api.engine.graphs.get(again.id);
    expect(run?.input.nodes.map(({ label, kind, deps }) => [label, kind, deps])).toEqual([
      ['last', undefined, [2, 3]],
      ['bad', undefined, [3]],
      ['good', 'barrier', []],
      ['wall', 'barrier', []],
      ['cleanup', undefined, [2]],
      ['cleaned', undefined, []],
    ]);
    const kept = jobIdOf(again.id, 3);
    expect(await api.store.readRecord(kept)).toMatchObject({
      jobId: kept,
      graphId: again.id,
      status: 'SUCCESS',
      result: 3,
      retryOf: jobIdOf(id, 3),
    });
    expect(await (await api.call(`/jobs/${kept}/outputs/deep/model.glb`)).text()).toBe('triangles');
    expect(await api.store.exists(jobIdOf(again.id, 5)), 'it ran because of what failed').toBe(false);
    expect(await get(api, `/graphs/${again.id}`)).toMatchObject({ retry_of: id, state: 'pending' });
  });

  it('leaves nothing behind when Temporal cannot be reached, nor harms what the same retry has started before', async () => {
    const api = await startApi();
    const id = await sleepers(api, [{ id: 'good' }, { id: 'bad' }]);
    journal(
      api,
      id,
      { type: 'started' },
      { type: 'succeeded', node: 1, attempt: 1 },
      { type: 'failed', node: 2, fault: 'exception' },
      { type: 'ended', state: 'failed' },
    );
    await record(api, id, 1, { status: 'SUCCESS' });
    api.engine.endRun(jobIdOf(id, 1));
    const before = (await api.leftovers()).sort();
    const start = api.engine.startGraph.bind(api.engine);
    api.engine.startGraph = () => Promise.reject(new EngineError('UNAVAILABLE', 'away'));
    const headers = { 'idempotency-key': 'again' };
    expect((await api.call(`/graphs/${id}/retry`, { method: 'POST', headers })).status).toBe(503);
    expect((await api.leftovers()).sort()).toEqual(before);
    api.engine.startGraph = start;
    const { id: again } = await json(api.call(`/graphs/${id}/retry`, { method: 'POST', headers }));
    // The answer was lost with the API, and Temporal is away when the client comes again.
    await rm(join(api.store.root, id, 'requests'), { recursive: true });
    api.engine.startGraph = () => Promise.reject(new EngineError('UNAVAILABLE', 'away'));
    expect((await api.call(`/graphs/${id}/retry`, { method: 'POST', headers })).status).toBe(503);
    expect((await api.call(`/graphs/${again}`)).status).toBe(200);
    expect(await api.store.exists(jobIdOf(again, 1))).toBe(true);
  });

  it('is refused where all has succeeded', async () => {
    const api = await startApi();
    const id = await sleepers(api, [{ id: 'a' }]);
    journal(
      api,
      id,
      { type: 'started' },
      { type: 'queued', node: 1, attempt: 1 },
      { type: 'succeeded', node: 1, attempt: 1 },
      { type: 'ended', state: 'succeeded' },
    );
    await record(api, id, 1, { status: 'SUCCESS' });
    api.engine.endRun(jobIdOf(id, 1));
    const answer = await api.call(`/graphs/${id}/retry`, { method: 'POST' });
    expect(answer.status).toBe(409);
    expect(await json(answer)).toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('nothing to run again'),
    });
  });
});

describe('GET /graphs', () => {
  it('lists graphs newest first, by state and name, and leaves deleted ones out', async () => {
    const api = await startApi();
    const ids: string[] = [];
    for (const name of ['x', 'y', 'z', 'x']) ids.push(await sleepers(api, [{ id: 'a' }], { name }));
    await api.submit();
    const listed = async (query = '') =>
      (await get(api, `/graphs${query}`)).graphs.map((graph: { id: string }) => graph.id);
    expect(await listed()).toEqual([...ids].reverse());
    expect(await listed('?name=x')).toEqual([ids[3], ids[0]]);
    journal(api, ids[1] as string, { type: 'started' }, { type: 'ended', state: 'succeeded' });
    api.engine.endRun(jobIdOf(ids[1] as string, 1));
    expect(await listed('?state=open')).toEqual([ids[3], ids[2], ids[0]]);
    expect((await api.call(`/graphs/${ids[1]}`, { method: 'DELETE' })).status).toBe(200);
    const first = await get(api, '/graphs?limit=2');
    expect(first.graphs).toHaveLength(2);
    const second = await get(api, `/graphs?limit=2&cursor=${first.next}`);
    expect([...first.graphs, ...second.graphs].map((graph: { id: string }) => graph.id)).toEqual([
      ids[3],
      ids[2],
      ids[0],
    ]);
    const bad = await api.call('/graphs?state=asleep');
    expect(await json(bad)).toMatchObject({ code: 'BAD_REQUEST', field: 'state' });
  });

  it('finds graphs by their labels, over pages', async () => {
    const api = await startApi();
    const ids: string[] = [];
    for (const labels of [{ show: 'alpha' }, { show: 'beta', 'a:b': 'c' }, {}, { show: 'alpha', shot: '10' }])
      ids.push(await sleepers(api, [{ id: 'a' }], { labels }));
    const listed = async (query: string) =>
      (await get(api, `/graphs?${query}`)).graphs.map((graph: { id: string }) => graph.id);
    expect(await listed('label=show:alpha')).toEqual([ids[3], ids[0]]);
    expect(await listed('label=show')).toEqual([ids[3], ids[1], ids[0]]);
    expect(await listed('label=show:alpha&label=shot:10')).toEqual([ids[3]]);
    expect(await listed('label=a:b:c')).toEqual([ids[1]]);
    expect(await listed('label=show:gamma')).toEqual([]);
    const { graphs, next } = await get(api, '/graphs?label=show:alpha&limit=1');
    expect([
      ...graphs.map((graph: { id: string }) => graph.id),
      ...(await listed(`label=show:alpha&cursor=${next}`)),
    ]).toEqual([ids[3], ids[0]]);
  });
});

describe('/metrics', () => {
  it('count graphs by state, and the nodes of those that have not ended', async () => {
    const api = await startApi();
    const id = await sleepers(api, [{ id: 'a' }, { id: 'b' }, { id: 'c' }]);
    const ended = await sleepers(api, [{ id: 'a' }]);
    api.engine.endRun(jobIdOf(ended, 1));
    journal(
      api,
      id,
      { type: 'started' },
      { type: 'queued', node: 1, attempt: 1 },
      { type: 'skipped', node: 3, message: 'no' },
    );
    const text = await (await api.call('/metrics')).text();
    expect(text).toContain('pixyz_graphs{state="open"} 1');
    expect(text).toContain('pixyz_graphs{state="success"} 1');
    expect(text).toContain('pixyz_graph_nodes{state="waiting"} 1');
    expect(text).toContain('pixyz_graph_nodes{state="queued"} 1');
    expect(text).toContain('pixyz_temporal_up 1');
  });
});

describe('GET /jobs', () => {
  it('has the jobs of graphs among the others, on as many pages as it takes, each once', async () => {
    const api = await startApi();
    const first = await api.submit();
    const id = await sleepers(api, [
      ...Array.from({ length: 30 }, (_, at) => ({ id: `n${at}` })),
      { id: 'm', map: { over: '[1]', max: 4 } },
    ]);
    const wall = await createGraph(api, { nodes: [{ id: 'w', barrier: true }] });
    const last = await api.submit();
    journal(api, id, { type: 'started' }, { type: 'mapped', node: 31, first: firstItemNumber, count: 2 });
    const numbers = [...Array.from({ length: 30 }, (_, at) => at + 1), firstItemNumber, firstItemNumber + 1];
    const expected = [last, ...numbers.map((number) => jobIdOf(id, number)), first];
    const uuids = (page: { jobs: { uuid: string }[] }) => page.jobs.map(({ uuid }) => uuid);
    const whole = await get(api, '/jobs');
    expect(uuids(whole)).toEqual(expected);
    expect(whole.next).toBe(null);
    for (const limit of [1, 7, 34]) {
      const seen: string[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const page = await get(api, `/jobs?limit=${limit}${cursor === '' ? '' : `&cursor=${cursor}`}`);
        seen.push(...uuids(page));
        cursor = page.next;
        // What comes meanwhile is no part of this listing.
        if (seen.length === limit) await createGraph(api, { nodes: [{ id: 'w', barrier: true }] });
      }
      expect(seen, `pages of ${limit}`).toEqual(expected);
    }
    expect((await get(api, `/graphs/${wall}/nodes/w`)).job).toBe(null);
  });

  it('picks jobs of graphs by their own states, whatever the graph’s', async () => {
    const api = await startApi();
    const id = await sleepers(
      api,
      Array.from({ length: 5 }, (_, at) => ({ id: `n${at}` })),
    );
    journal(
      api,
      id,
      { type: 'started' },
      { type: 'queued', node: 1, attempt: 1, queue: 'cpu' },
      { type: 'queued', node: 2, attempt: 1, queue: 'cpu' },
      { type: 'succeeded', node: 2, attempt: 1 },
      { type: 'skipped', node: 3, message: 'no' },
    );
    await record(api, id, 1, { status: 'RUNNING' });
    await record(api, id, 2, { status: 'SUCCESS' });
    const numbers = async (status: string) =>
      (await get(api, `/jobs?status=${status}`)).jobs.map(({ uuid }: { uuid: string }) => nodeIndexOf(uuid));
    expect(await numbers('RUNNING')).toEqual([1]);
    expect(await numbers('SUCCESS')).toEqual([2]);
    expect(await numbers('REVOKED')).toEqual([3]);
    expect(await numbers('PENDING')).toEqual([4, 5]);
    expect((await api.call('/jobs?cursor=nonsense')).status).toBe(400);
  });
});

describe('a graph of ten thousand nodes', () => {
  it('is checked, stored and read in seconds', async () => {
    const api = await startApi();
    const nodes = Array.from({ length: 10_000 }, (_, at) => ({
      id: `n${at}`,
      script: 'steps',
      deps: at === 0 ? [] : [`n${at - 1}`],
      params: { at, before: at === 0 ? null : `\${{ nodes.n${at - 1}.result }}` },
    }));
    const began = performance.now();
    const id = await createGraph(api, { nodes }, { steps: script });
    expect(api.engine.graphs.get(id)?.input).toMatchObject({ nodes: [], stored: 10_000 });
    expect((await get(api, `/graphs/${id}`)).counts).toMatchObject({ total: 10_000, waiting: 10_000 });
    expect((await get(api, `/graphs/${id}/nodes?cursor=9998`)).nodes.map((node: { id: string }) => node.id)).toEqual([
      'n9998',
      'n9999',
    ]);
    const validated = await json(send(api, '/graphs/validate', { nodes }, { steps: script }));
    expect(validated.plan).toMatchObject({ levels: 10_000, widest: 1 });
    // A second or two; quadratic ways take minutes.
    expect(performance.now() - began).toBeLessThan(20_000);
  });
});
