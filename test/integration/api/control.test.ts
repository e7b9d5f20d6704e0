import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { graphIdOf } from '../../../src/contract/ids.js';
import { startApi, writeOutput } from '../../support/api-under-test.js';

const unknown = '3c7b1077-d4f2-42ce-98b0-8d9fba12a471';
const post = { method: 'POST' };
const remove = { method: 'DELETE' };

describe('cancel', () => {
  it('asks the engine to stop a job, and answers its state', async () => {
    const api = await startApi();
    const jobId = await api.submit();
    const answer = await api.call(`/jobs/${jobId}/cancel`, post);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ uuid: jobId, name: null, status: 'PENDING', progress: null, error: null });
    expect(api.engine.cancelled).toEqual([jobId]);
  });

  it('is a success for a job that is revoked already, 409 for one that has ended otherwise, 404 for none', async () => {
    const api = await startApi();
    const revoked = await api.seed({ status: 'REVOKED' });
    const done = await api.seed({ status: 'SUCCESS' });
    expect((await api.call(`/jobs/${revoked.jobId}/cancel`, post)).status).toBe(200);
    const refused = await api.call(`/jobs/${done.jobId}/cancel`, post);
    expect(refused.status).toBe(409);
    expect(await refused.json()).toMatchObject({ detail: { code: 409, message: 'Conflict' } });
    expect((await api.call(`/jobs/${unknown}/cancel`, post)).status).toBe(404);
    expect(api.engine.cancelled).toEqual([]);
  });

  it('does not mind a body that it has no use for', async () => {
    const api = await startApi();
    const jobId = await api.submit();
    for (const type of ['application/json', 'application/x-www-form-urlencoded', 'text/plain']) {
      const answer = await api.call(`/jobs/${jobId}/cancel`, { ...post, body: '', headers: { 'content-type': type } });
      expect(answer.status).toBe(200);
    }
    expect((await api.call(`/jobs/${jobId}/cancel`, { ...post, body: '{"a":1}' })).status).toBe(200);
  });

  it('answers 503 when Temporal cannot be reached', async () => {
    const api = await startApi();
    const jobId = await api.submit();
    api.engine.down = true;
    const answer = await api.call(`/jobs/${jobId}/cancel`, post);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({ detail: expect.any(String) });
  });
});

describe('delete', () => {
  it('is refused while the job runs, and says to cancel it first', async () => {
    const api = await startApi();
    const jobId = await api.submit();
    const answer = await api.call(`/jobs/${jobId}`, remove);
    expect(answer.status).toBe(409);
    expect(await answer.json()).toMatchObject({ detail: { details: expect.stringContaining('cancel it first') } });
    expect(await api.leftovers()).toEqual([jobId]);
  });

  it('removes everything of a job that has ended, and a second one is 404', async () => {
    const api = await startApi();
    const jobId = await api.submit();
    await writeOutput(api.store, jobId, 'sub/a.txt', 'a');
    api.engine.endRun(jobId);
    const answer = await api.call(`/jobs/${jobId}`, remove);
    expect(await answer.json()).toEqual({ uuid: jobId, deleted: true });
    expect(await api.leftovers()).toEqual([]);
    expect((await api.call(`/jobs/${jobId}`, remove)).status).toBe(404);
    expect(await (await api.call(`/jobs/${jobId}`)).json()).toMatchObject({ status: 'PENDING' });
  });

  it('waits for the run of a job whose record tells the end already', async () => {
    const api = await startApi();
    const jobId = await api.submit();
    const record = await api.store.readRecord(jobId);
    if (record === null) throw new Error('no record');
    await api.store.writeRecord({ ...record, status: 'SUCCESS' });
    const answer = api.call(`/jobs/${jobId}`, remove);
    setTimeout(() => api.engine.endRun(jobId), 200);
    expect((await answer).status).toBe(200);
  });
});

describe('retry', () => {
  it('makes a new job with the same script, input, parameters and settings', async () => {
    const api = await startApi();
    const form = new FormData();
    form.set('params', '{"a": 1}');
    form.set('name', 'my job');
    form.set('config', '{"queue": "gpu", "time_limit": 7, "priority": 0, "countdown": 5, "retries": 3, "mine": true}');
    form.set('file', new Blob(['model']), 'same.py');
    form.set('script', new Blob(['def main(params, pc):\n    pass\n']), 'same.py');
    const { uuid } = (await (await api.post(form)).json()) as { uuid: string };
    await api.store.writeRecord({ ...(await api.seed({ jobId: unknown })), jobId: uuid, status: 'FAILURE' });

    const answer = await api.call(`/jobs/${uuid}/retry`, post);
    expect(answer.status).toBe(200);
    const again = (await answer.json()) as { uuid: string };
    expect(again).toEqual({
      uuid: expect.not.stringMatching(uuid),
      name: 'my job',
      status: 'SENT',
      progress: null,
      error: null,
      retry_of: uuid,
    });
    expect(await api.store.readSpec(again.uuid)).toMatchObject({
      retryOf: uuid,
      paramsText: '{"a": 1}',
      queue: 'gpu',
      timeLimit: 7,
      context: { mine: true },
      data: { share: `${again.uuid}/inputs/same.py` },
      script: { share: `${again.uuid}/inputs/script/same.py` },
    });
    expect(await readFile(join(api.store.root, `${again.uuid}/inputs/same.py`), 'utf8')).toBe('model');
    const [node] = api.engine.graphOf(again.uuid).nodes;
    expect(node).toMatchObject({ queue: 'gpu', priority: 1, countdown: 0, retry: { maxRetries: 3 } });
    expect(await (await api.call(`/jobs/${again.uuid}/details`)).json()).toMatchObject({ retry_of: uuid });

    await api.store.remove(uuid);
    expect(await readFile(join(api.store.root, `${again.uuid}/inputs/same.py`), 'utf8')).toBe('model');
  });

  it('is refused while the job has not ended, and when its files are gone', async () => {
    const api = await startApi();
    const running = await api.seed({ status: 'RUNNING' });
    const cleaned = await api.seed({ status: 'SUCCESS', cleanedAt: '2026-11-22T00:00:00+00:00' });
    for (const { jobId } of [running, cleaned]) {
      expect((await api.call(`/jobs/${jobId}/retry`, post)).status).toBe(409);
    }
    expect((await api.call(`/jobs/${unknown}/retry`, post)).status).toBe(404);
    expect(await api.leftovers()).toHaveLength(2);
  });

  it('leaves nothing behind when Temporal cannot be reached', async () => {
    const api = await startApi();
    const { jobId } = await api.seed({ status: 'FAILURE' });
    api.engine.down = true;
    expect((await api.call(`/jobs/${jobId}/retry`, post)).status).toBe(503);
    expect(await api.leftovers()).toEqual([jobId]);
  });
});

describe('the list of jobs', () => {
  it('has every job, queued ones too, newest first, and a cursor', async () => {
    const api = await startApi();
    const first = await api.submit({ name: 'a' });
    const second = await api.submit({ name: 'b' });
    expect(await (await api.call('/jobs')).json()).toEqual({
      jobs: [
        { uuid: second, name: 'b', status: 'PENDING', progress: null, error: null },
        { uuid: first, name: 'a', status: 'PENDING', progress: null, error: null },
      ],
      next: null,
    });
  });

  it('comes in pages', async () => {
    const api = await startApi();
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.unshift(await api.submit());
    const seen: string[] = [];
    let path: string | null = '/jobs?limit=2';
    while (path !== null) {
      const page = (await (await api.call(path)).json()) as { jobs: { uuid: string }[]; next: string | null };
      expect(page.jobs.length).toBeLessThanOrEqual(2);
      seen.push(...page.jobs.map((job) => job.uuid));
      path = page.next === null ? null : `/jobs?limit=2&cursor=${encodeURIComponent(page.next)}`;
    }
    expect(seen).toEqual(ids);
  });

  it('comes in pages while jobs end in another order than they began', async () => {
    const api = await startApi();
    const ids: string[] = [];
    for (let i = 0; i < 6; i++) ids.unshift(await api.submit());
    const end = (jobId: string): void => {
      const run = api.engine.graphs.get(graphIdOf(jobId));
      if (run !== undefined) run.open = false;
    };
    // The oldest and another one still run: open ones come first, whenever they began.
    for (const at of [0, 1, 3, 4]) end(ids[at] as string);
    const seen = new Set<string>();
    let path = '/jobs?limit=1';
    for (let pages = 0; path !== ''; pages++) {
      expect(pages).toBeLessThanOrEqual(2 * ids.length);
      const page = (await (await api.call(path)).json()) as { jobs: { uuid: string }[]; next: string | null };
      for (const { uuid } of page.jobs) {
        seen.add(uuid);
        end(uuid);
      }
      path = page.next === null ? '' : `/jobs?limit=1&cursor=${encodeURIComponent(page.next)}`;
    }
    expect([...seen].sort()).toEqual([...ids].sort());
  });

  it('is filtered by status, queue, name, process and time', async () => {
    const api = await startApi();
    await writeFile(join(api.processes, 'sleep.py'), 'def main(params, pc): pass\n');
    const plain = await api.submit({ name: 'plain' });
    const gpu = await api.submit({ name: 'big', config: '{"queue": "gpu"}' });
    const sleep = await api.submit({ process: 'sleep' });
    const record = await api.store.readRecord(gpu);
    if (record === null) throw new Error('no record');
    await api.store.writeRecord({ ...record, status: 'RUNNING' });
    const find = async (query: string) =>
      ((await (await api.call(`/jobs?${query}`)).json()) as { jobs: { uuid: string }[] }).jobs.map((job) => job.uuid);
    expect(await find('queue=gpu')).toEqual([gpu]);
    expect(await find('name=plain')).toEqual([plain]);
    expect(await find('process=sleep')).toEqual([sleep]);
    expect(await find('status=RUNNING')).toEqual([gpu]);
    expect(await find('status=RUNNING&status=PENDING')).toHaveLength(3);
    expect(await find('status=SUCCESS')).toEqual([]);
    expect(await find('since=2100-01-01')).toEqual([]);
    expect(await find('until=2100-01-01T00:00:00')).toHaveLength(3);
  });

  it('fills a page although a filter drops most of what Temporal lists', async () => {
    const api = await startApi();
    const wanted: string[] = [];
    for (let i = 0; i < 6; i++) {
      const jobId = await api.submit();
      if (i % 3 !== 0) continue;
      wanted.unshift(jobId);
      const record = await api.store.readRecord(jobId);
      if (record !== null) await api.store.writeRecord({ ...record, status: 'RUNNING' });
    }
    const page = (await (await api.call('/jobs?status=RUNNING&limit=2')).json()) as { jobs: { uuid: string }[] };
    expect(page.jobs.map((job) => job.uuid)).toEqual(wanted);
  });

  const statuses = '"PENDING", "RUNNING", "RETRY", "SUCCESS", "FAILURE", "REVOKED"';
  it.each([
    ['limit=0', 'limit: must be a whole number from 1 to 1000'],
    ['limit=1001', 'limit: must be a whole number from 1 to 1000'],
    ['limit=x', 'limit: must be a whole number from 1 to 1000'],
    ['limit=1.5', 'limit: must be a whole number from 1 to 1000'],
    ['limit=-1.5', 'limit: must be a whole number from 1 to 1000'],
    ['limit=', 'limit: must be a whole number from 1 to 1000'],
    ['limit=1&limit=2', 'limit: must be a whole number from 1 to 1000'],
    ['status=DONE', `status: must be one of ${statuses}`],
    ['status=SUCCESS&status=DONE', `status: must be one of ${statuses}`],
    ['since=yesterday', 'since: must be a date and time, such as 2026-11-21T11:49:05Z'],
    ['until=1&until=2', 'until: must be a date and time, such as 2026-11-21T11:49:05Z'],
    ['queue=', 'queue: must be the name of a queue, once'],
    ['name=a&name=b', 'name: must be a display name, once'],
    ['process=', 'process: must be the name of a process, once'],
    ['cursor=', 'cursor: must be the text of "next" of the page before'],
  ])('answers %s with a structured 400 that names the parameter and what is allowed', async (query, details) => {
    const api = await startApi();
    const answer = await api.call(`/jobs?${query}`);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({ detail: { code: 400, message: 'Bad Request', details } });
  });

  it.each([
    ['outputs?recursive=yes', 'recursive: must be true or false'],
    ['logs?follow=yes', 'follow: must be true or false'],
    ['logs?attempt=0', 'attempt: must be the number of an attempt, from 1, or "last"'],
    ['logs?attempt=first', 'attempt: must be the number of an attempt, from 1, or "last"'],
    ['logs?tail=-1', 'tail: must be a whole number from 0 to 1000000'],
  ])('the same for %s of a job', async (path, details) => {
    const api = await startApi();
    const answer = await api.call(`/jobs/${unknown}/${path}`);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({ detail: { code: 400, message: 'Bad Request', details } });
  });

  it('leaves out jobs that were deleted, and is 503 when Temporal cannot be reached', async () => {
    const api = await startApi();
    const jobId = await api.submit();
    await api.store.remove(jobId);
    expect(await (await api.call('/jobs')).json()).toEqual({ jobs: [], next: null });
    api.engine.down = true;
    expect((await api.call('/jobs')).status).toBe(503);
    expect(await readdir(api.store.root)).not.toContain(jobId);
  });
});
