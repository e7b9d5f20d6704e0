import { describe, expect, it } from 'vitest';
import { graphIdOf } from '../../../src/contract/ids.js';
import { type ApiUnderTest, startApi } from '../../support/api-under-test.js';

interface Page {
  readonly jobs: readonly { readonly uuid: string }[];
  readonly next: string | null;
}

async function page(api: ApiUnderTest, query: string): Promise<Page> {
  const answer = await api.call(`/jobs?${query}`);
  expect(answer.status).toBe(200);
  return (await answer.json()) as Page;
}

const idsOf = ({ jobs }: Page) => jobs.map(({ uuid }) => uuid);

async function postGraph(api: ApiUnderTest, name: string): Promise<string> {
  const answer = await api.call('/graphs', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, nodes: [{ id: 'one', command: ['true'] }] }),
  });
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { id: string }).id;
}

describe('the list of jobs for a table', () => {
  it('has what a table shows beside the short state', async () => {
    const api = await startApi({ options: { temporalUi: { url: 'http://ui', namespace: 'pixyz' } } });
    const jobId = await api.submit({ name: 'pump', config: '{"queue": "gpu"}' });
    const record = await api.store.readRecord(jobId);
    if (record === null) throw new Error('no record');
    const started = '2026-11-21T11:49:05.577974+00:00';
    await api.store.writeRecord({
      ...record,
      status: 'RUNNING',
      timeInfo: { ...record.timeInfo, started },
      attempts: [
        {
          attempt: 1,
          queue: 'gpu',
          worker: 'w-1',
          pid: 7,
          startedAt: started,
          endedAt: null,
          outcome: null,
          message: null,
        },
      ],
    });
    expect((await page(api, 'view=table')).jobs).toEqual([
      {
        uuid: jobId,
        name: 'pump',
        status: 'RUNNING',
        progress: null,
        error: null,
        queue: 'gpu',
        process: 'custom',
        graph: null,
        node: null,
        requested: `${record.timeInfo.request}+00:00`,
        started,
        stopped: null,
        attempts: 1,
        worker: 'w-1',
        retry_of: null,
        links: { temporal: `http://ui/namespaces/pixyz/workflows/${graphIdOf(jobId)}` },
      },
    ]);
    expect(Object.keys((await page(api, '')).jobs[0] ?? {}), 'the short state stays as it is').toEqual([
      'uuid',
      'name',
      'status',
      'progress',
      'error',
    ]);
  });

  it('finds jobs by a part of their name in either case, page by page', async () => {
    const api = await startApi();
    const found: string[] = [];
    for (const name of ['Pump 1', 'valve', 'old PUMP', 'pipe']) {
      const jobId = await api.submit({ name });
      if (/pump/i.test(name)) found.unshift(jobId);
    }
    await api.submit();
    expect(idsOf(await page(api, 'name_contains=pUmp'))).toEqual(found);
    const first = await page(api, 'name_contains=pump&limit=1');
    expect(idsOf(first)).toEqual(found.slice(0, 1));
    expect(idsOf(await page(api, `name_contains=pump&limit=1&cursor=${first.next}`))).toEqual(found.slice(1));
    expect(await page(api, 'name_contains=nothing')).toEqual({ jobs: [], next: null });
  });

  it('looks at a bounded number of names for one page, and goes on with the next', async () => {
    const api = await startApi();
    const wanted = await api.submit({ name: 'needle' });
    const { input, labels } = api.engine.graphs.get(graphIdOf(wanted)) ?? {};
    if (input === undefined || labels === undefined) throw new Error('no run');
    for (let i = 0; i < 3500; i++) {
      const graphId = `${i.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`;
      await api.engine.startGraph({ ...input, graphId }, { ...labels, name: 'hay' });
    }
    const first = await page(api, 'name_contains=needle');
    expect(first).toEqual({ jobs: [], next: expect.any(String) });
    expect(idsOf(await page(api, `name_contains=needle&cursor=${first.next}`))).toEqual([wanted]);
  });

  it('tells jobs of graphs from those sent alone', async () => {
    const api = await startApi({ options: { temporalUi: { url: 'http://ui', namespace: 'pixyz' } } });
    const alone = await api.submit();
    const graphId = await postGraph(api, 'g');
    const ofGraph = `${graphId.slice(0, -1)}1`;
    expect(idsOf(await page(api, 'in_graphs=false'))).toEqual([alone]);
    const rows = await page(api, 'in_graphs=true&view=table');
    expect(rows.jobs).toMatchObject([{ uuid: ofGraph, graph: graphId, node: 1 }]);
    expect(idsOf(await page(api, ''))).toHaveLength(2);
    const answer = await api.call('/jobs?in_graphs=maybe');
    expect(answer.status).toBe(400);
  });

  it('has graphs by a part of their name, too', async () => {
    const api = await startApi();
    const wanted = await postGraph(api, 'The Pump');
    await postGraph(api, 'valve');
    const list = async (query: string) =>
      ((await (await api.call(`/graphs?${query}`)).json()) as { graphs: { id: string }[] }).graphs.map(({ id }) => id);
    expect(await list('name_contains=pump')).toEqual([wanted]);
    expect(await list('name_contains=x')).toEqual([]);
  });

  it('has numbers above it', async () => {
    const api = await startApi();
    await api.submit();
    await postGraph(api, 'g');
    expect(await (await api.call('/summary')).json()).toMatchObject({
      jobs: { open: expect.any(Number), success: 0, failure: 0, revoked: 0 },
      graphs: { open: 1, success: 0, failure: 0, revoked: 0 },
    });
    api.engine.down = true;
    expect((await api.call('/summary')).status, 'asked a moment ago').toBe(200);
  });
});

describe('many at once', () => {
  const send = async (api: ApiUnderTest, path: string, body: unknown) => {
    const answer = await api.call(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    // biome-ignore lint/suspicious/noExplicitAny: the answers of several calls
    return { status: answer.status, body: (await answer.json()) as any };
  };
  const unknown = '3c7b1077-d4f2-42ce-98b0-8d9f00000001';

  it('jobs are cancelled, and what cannot be is told without keeping the others', async () => {
    const api = await startApi();
    const [one, two] = [await api.submit(), await api.submit()];
    const { jobId: done } = await api.seed({ status: 'SUCCESS' });
    const { status, body } = await send(api, '/jobs/cancel', { jobs: [one, done, unknown, two, one] });
    expect(status).toBe(200);
    expect(body).toEqual({
      jobs: [
        { uuid: one, ok: true, new_uuid: null, status: 'PENDING', problem: null },
        { uuid: done, ok: false, new_uuid: null, status: null, problem: expect.stringContaining('already ended') },
        { uuid: unknown, ok: false, new_uuid: null, status: null, problem: `there is no job ${unknown}` },
        { uuid: two, ok: true, new_uuid: null, status: 'PENDING', problem: null },
      ],
      done: 2,
      failed: 2,
    });
    expect(api.engine.cancelled.sort()).toEqual([one, two].sort());
  });

  it('jobs are repeated as new jobs', async () => {
    const api = await startApi();
    const { jobId: failed } = await api.seed({ status: 'FAILURE' });
    const open = await api.submit();
    const { body } = await send(api, '/jobs/retry', { jobs: [failed, open] });
    expect(body).toMatchObject({
      jobs: [
        { uuid: failed, ok: true, status: 'SENT', problem: null },
        { uuid: open, ok: false, problem: expect.stringContaining('has not ended') },
      ],
      done: 1,
      failed: 1,
    });
    expect((await api.store.readRecord(body.jobs[0].new_uuid))?.retryOf).toBe(failed);
  });

  it('graphs are cancelled, and repeated when they have ended', async () => {
    const api = await startApi();
    const id = await postGraph(api, 'g');
    const missing = `${unknown.slice(0, -1)}0`;
    const cancelled = await send(api, '/graphs/cancel', { graphs: [id, missing] });
    expect(cancelled.body).toMatchObject({
      graphs: [
        { id, ok: true, state: 'pending' },
        { id: missing, ok: false, state: null, problem: expect.stringContaining('there is no graph') },
      ],
      done: 1,
      failed: 1,
    });
    expect(api.engine.signals).toMatchObject([{ graphId: id, name: 'cancel' }]);
    const refused = await send(api, '/graphs/retry', { graphs: [id] });
    expect(refused.body).toMatchObject({ graphs: [{ ok: false, problem: expect.stringContaining('has not ended') }] });
  });

  it.each([
    ['/jobs/cancel', {}, 'jobs: must be a list of ids'],
    ['/jobs/cancel', { jobs: [] }, 'jobs: must have at least one id'],
    ['/jobs/retry', { jobs: ['x'] }, 'jobs.0: must be a UUID of 36 characters'],
    [
      '/jobs/retry',
      { jobs: Array(501).fill(unknown) },
      'jobs: must have at most 500 ids: send the others with further requests',
    ],
  ])('%s refuses %o', async (path, body, details) => {
    const api = await startApi();
    const answer = await send(api, path, body);
    expect(answer.status).toBe(400);
    expect(answer.body.detail.details).toBe(details);
  });
});
