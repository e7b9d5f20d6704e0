import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JobError } from '../../../src/contract/job.js';
import { type ApiUnderTest, reportWorker, startApi } from '../../support/api-under-test.js';

const unknown = '3c7b1077-d4f2-42ce-98b0-8d9fba12a471';
const times = {
  request: '2026-11-21T11:49:05.570674',
  started: '2026-11-21T11:49:05.577974+00:00',
  stopped: '2026-11-21T11:49:05.611617+00:00',
};
const boom: JobError = {
  kind: 'exception',
  type: 'ValueError',
  module: 'builtins',
  message: 'boom',
  traceback: 'Traceback (most recent call last):\n  …\nValueError: boom',
};
const steps = [
  { duration: 0.25, info: 'load' },
  { duration: 1.5, info: 'tessellate' },
];

describe('the state of a job', () => {
  it('is PENDING for an id that was never created, with 200, and asking creates nothing', async () => {
    const api = await startApi();
    for (const path of ['', '/details', '/outputs', '/logs']) await api.call(`/jobs/${unknown}${path}`);
    const state = await api.call(`/jobs/${unknown}`);
    expect(state.status).toBe(200);
    expect(await state.text()).toBe(
      `{"uuid":"${unknown}","name":null,"status":"PENDING","progress":null,"error":null}`,
    );
    expect(await (await api.call(`/jobs/${unknown}/details`)).json()).toMatchObject({
      time_info: { request: null, started: null, stopped: null },
      steps: null,
      retry: 0,
      result: null,
    });
    expect(await (await api.call(`/jobs/${unknown}/outputs`)).json()).toEqual({ outputs: [] });
    expect(await api.leftovers()).toEqual([]);
  });

  it('has its keys in the order of the contract', async () => {
    const api = await startApi();
    const { jobId } = await api.seed({ status: 'SUCCESS', progress: 100, timeInfo: times, steps, result: { ok: 1 } });
    const text = await (await api.call(`/jobs/${jobId}/details`)).text();
    expect(Object.keys(JSON.parse(text)).slice(0, 9)).toEqual([
      'uuid',
      'name',
      'status',
      'progress',
      'error',
      'time_info',
      'steps',
      'retry',
      'result',
    ]);
  });

  it('shows name, whole progress, steps and times of a running job', async () => {
    const api = await startApi();
    const { jobId } = await api.seed({
      status: 'RUNNING',
      name: 'my job',
      progress: 500,
      steps: [...steps, { duration: -1, info: 'export' }],
      timeInfo: { ...times, stopped: null },
      retry: 1,
    });
    expect(await (await api.call(`/jobs/${jobId}`)).json()).toEqual({
      uuid: jobId,
      name: 'my job',
      status: 'RUNNING',
      progress: 99,
      error: null,
    });
    expect(await (await api.call(`/jobs/${jobId}/details`)).json()).toMatchObject({
      time_info: { ...times, stopped: null },
      steps: [...steps, { duration: -1, info: 'export' }],
      retry: 1,
      result: {},
    });
  });

  it('shows 100 and the value of a job that succeeded, raw or not', async () => {
    const api = await startApi();
    for (const raw of [false, true]) {
      const { jobId } = await api.seed({ status: 'SUCCESS', progress: 100, raw, result: [1, { a: null }] });
      expect(await (await api.call(`/jobs/${jobId}/details`)).json()).toMatchObject({
        status: 'SUCCESS',
        progress: 100,
        error: null,
        result: [1, { a: null }],
      });
    }
  });

  it('reads a result that is too large for the record from its file', async () => {
    const api = await startApi();
    const { jobId } = await api.seed({ status: 'SUCCESS', resultFile: { file: 'result.json', sizeBytes: 9 } });
    await writeFile(join(api.store.paths(jobId).folder, 'result.json'), '{"big":1}');
    expect(await (await api.call(`/jobs/${jobId}/details`)).json()).toMatchObject({ result: { big: 1 } });
  });

  it('passes on what the script returned digit by digit, wherever it is shown', async () => {
    const api = await startApi();
    const text = '{"id":18446744073709551617,"scale":1.0,"10":"$&","2":"b"}';
    for (const raw of [false, true]) {
      const { jobId } = await api.seed({
        status: 'SUCCESS',
        raw,
        resultFile: { file: 'result.json', sizeBytes: text.length },
      });
      await writeFile(join(api.store.paths(jobId).folder, 'result.json'), text);
      for (const path of [`/jobs/${jobId}/details`, `/jobs/${jobId}/events`, `/backend/get_task_meta/${jobId}`]) {
        expect(await (await api.call(path)).text(), path).toContain(`"result":${text}`);
      }
    }
  });

  it('keeps name, times, steps and retry of a failed job, and has label, traceback and exception from the first moment', async () => {
    const api = await startApi();
    const { jobId } = await api.seed({
      status: 'FAILURE',
      name: 'my job',
      progress: 50,
      steps,
      timeInfo: times,
      error: boom,
    });
    expect(await (await api.call(`/jobs/${jobId}`)).json()).toEqual({
      uuid: jobId,
      name: 'my job',
      status: 'FAILURE',
      progress: null,
      error: 'Internal error',
    });
    expect(await (await api.call(`/jobs/${jobId}/details`)).json()).toMatchObject({
      error: boom.traceback,
      time_info: times,
      steps,
      result: "ValueError('boom')",
    });
  });

  it.each([
    ['Internal error', { ...boom }, 0],
    ['Pixyz Internal error', { ...boom, type: 'PixyzSecurityViolation', module: 'pixyz_worker.exception' }, 0],
    [
      'Task process timeout',
      { ...boom, kind: 'time-limit', type: 'PixyzTimeout', module: 'pixyz_worker.exception' },
      0,
    ],
    [
      'Task process exited with error',
      { ...boom, kind: 'exit', type: 'PixyzExitFault', module: 'pixyz_worker.exception' },
      0,
    ],
    ['Internal error', { ...boom, kind: 'exit', type: 'PixyzExitFault', module: 'pixyz_worker.exception' }, 1],
    ['Internal error', { ...boom, kind: 'memory', type: 'MemoryError' }, 1],
  ] as [string, JobError, number][])('labels a failure "%s"', async (label, error, retry) => {
    const api = await startApi();
    const { jobId } = await api.seed({ status: 'FAILURE', error, retry });
    expect(await (await api.call(`/jobs/${jobId}`)).json()).toMatchObject({ error: label });
  });

  it('shows label and traceback while a job waits for its retry', async () => {
    const api = await startApi();
    const { jobId } = await api.seed({ status: 'RETRY', error: boom, timeInfo: { ...times, stopped: null }, retry: 1 });
    expect(await (await api.call(`/jobs/${jobId}`)).json()).toMatchObject({ status: 'RETRY', error: 'Internal error' });
    expect(await (await api.call(`/jobs/${jobId}/details`)).json()).toMatchObject({
      error: boom.traceback,
      result: null,
    });
  });

  it('shows the reason of a revoked job as its result', async () => {
    const api = await startApi();
    const { jobId } = await api.seed({ status: 'REVOKED', result: 'expired', timeInfo: { ...times, started: null } });
    expect(await (await api.call(`/jobs/${jobId}/details`)).json()).toMatchObject({
      status: 'REVOKED',
      error: null,
      result: 'expired',
    });
  });

  it('is UNKNOWN with 200 and a short text when the share cannot be read', async () => {
    const api = await startApi();
    const { jobId } = await api.seed();
    await rm(api.store.paths(jobId).record);
    await mkdir(api.store.paths(jobId).record);
    const answer = await api.call(`/jobs/${jobId}`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ status: 'UNKNOWN', error: expect.any(String) });
    expect(await (await api.call(`/jobs/${jobId}/details`)).json()).toMatchObject({ status: 'UNKNOWN', result: null });
  });

  it('tells that a waiting job has no worker, and where its trace is', async () => {
    const api = await startApi({ options: { temporalUi: { url: 'http://ui.test:8233/', namespace: 'pixyz' } } });
    api.engine.stats.set('wine', { pollers: 0 });
    const { jobId, graphId } = await api.seed({ queue: 'wine' });
    expect(await (await api.call(`/jobs/${jobId}/details`)).json()).toMatchObject({
      status: 'PENDING',
      queue: 'wine',
      waiting: expect.stringContaining('queue "wine" has no worker'),
      links: { temporal: `http://ui.test:8233/namespaces/pixyz/workflows/${graphId}` },
    });
    const served = await api.seed({ queue: 'cpu' });
    expect(await (await api.call(`/jobs/${served.jobId}/details`)).json()).toMatchObject({ waiting: null });
  });

  it.each([
    ['the only slot is taken', [{ limit: 1, used: 1, lent: 0 }], 'queue "wine": the only slot of its worker is taken'],
    [
      'all slots of several workers are taken, one of them lent',
      [
        { limit: 2, used: 2, lent: 0 },
        { limit: 2, used: 3, lent: 1 },
      ],
      'queue "wine": all 4 slots of its 2 workers are taken',
    ],
    [
      'one worker has a free slot',
      [
        { limit: 1, used: 1, lent: 0 },
        { limit: 2, used: 1, lent: 0 },
      ],
      null,
    ],
  ])('tells why a job waits: %s', async (_, workers, waiting) => {
    const api = await startApi();
    // With all slots taken, a worker asks Temporal for nothing, and Temporal forgets it after some minutes.
    api.engine.stats.set('wine', { pollers: 0 });
    for (const [index, slots] of workers.entries()) await reportWorker(api, `w-${index}`, { queues: ['wine'], slots });
    const { jobId } = await api.seed({ queue: 'wine' });
    expect(await (await api.call(`/jobs/${jobId}/details`)).json()).toMatchObject({ status: 'PENDING', waiting });
  });

  it('tells that the workers of a waiting job are stopping', async () => {
    const api = await startApi();
    await reportWorker(api, 'w', { queues: ['wine'], draining: true, slots: { limit: 2, used: 1, lent: 0 } });
    const { jobId } = await api.seed({ queue: 'wine' });
    expect(await (await api.call(`/jobs/${jobId}/details`)).json()).toMatchObject({
      waiting: 'the workers of queue "wine" are stopping: it waits for the next one',
    });
  });

  it('links a plain job that was never begun to its activity, whether it waits or was cancelled', async () => {
    const api = await startApi({ options: { temporalUi: { url: 'http://ui.test:8233', namespace: 'pixyz' } } });
    const jobId = await api.submit();
    const temporal = `http://ui.test:8233/namespaces/pixyz/activities?query=ActivityId%3D%22${jobId}%22`;
    expect(await (await api.call(`/jobs/${jobId}/details`)).json()).toMatchObject({ links: { temporal } });
    const record = await api.store.readRecord(jobId);
    if (record === null) throw new Error('no record');
    await api.store.writeRecord({ ...record, status: 'REVOKED', result: 'cancelled through the API' });
    expect(await (await api.call(`/jobs/${jobId}/details`)).json()).toMatchObject({ links: { temporal } });
  });

  it('takes ids case-sensitively', async () => {
    const api = await startApi();
    const { jobId } = await api.seed({ status: 'SUCCESS', jobId: 'abcdefab-d4f2-42ce-98b0-8d9f00000001' });
    expect(await (await api.call(`/jobs/${jobId.toUpperCase()}`)).json()).toMatchObject({ status: 'PENDING' });
    expect(await readdir(api.store.root)).not.toContain(jobId.toUpperCase());
  });
});

describe('a job that was ended in Temporal itself', () => {
  const started = async (api: ApiUnderTest, changes: Parameters<ApiUnderTest['seed']>[0]) => {
    const record = await api.seed(changes);
    const labels = { name: null, queue: 'cpu', process: 'custom' };
    await api.engine.startGraph({ graphId: record.graphId, nodes: [] }, labels);
    return record;
  };

  it.each(['state', 'details', 'events'])('is revoked once somebody asks for its %s', async (what) => {
    const api = await startApi();
    const { jobId } = await started(api, { status: 'RUNNING' });
    api.engine.endRun(jobId);
    const answer = await api.call(`/jobs/${jobId}${what === 'state' ? '' : `/${what}`}`);
    expect(await answer.text()).toContain('"status":"REVOKED"');
    expect(await (await api.call(`/jobs/${jobId}/details`)).json()).toMatchObject({
      status: 'REVOKED',
      result: expect.stringContaining('POST /jobs/{id}/retry'),
    });
  });

  it('is left alone while it is open, or has spoken a moment ago, or when Temporal is away', async () => {
    const api = await startApi();
    const open = await started(api, { status: 'RUNNING' });
    const fresh = await started(api, {
      status: 'RUNNING',
      timeInfo: { ...times, request: new Date().toISOString().slice(0, -1) },
    });
    const away = await started(api, { status: 'RETRY' });
    api.engine.endRun(fresh.jobId);
    const statusOf = async (jobId: string) =>
      ((await (await api.call(`/jobs/${jobId}`)).json()) as { status: string }).status;
    expect(await statusOf(open.jobId)).toBe('RUNNING');
    expect(await statusOf(fresh.jobId)).toBe('RUNNING');
    api.engine.endRun(away.jobId);
    api.engine.down = true;
    expect(await statusOf(away.jobId)).toBe('RETRY');
  });
});

describe('GET /backend/get_task_meta', () => {
  it('answers an unknown id as the original does', async () => {
    const api = await startApi();
    expect(await (await api.call(`/backend/get_task_meta/${unknown}`)).text()).toBe(
      '{"status":"PENDING","result":null,"traceback":null,"children":[],"parent_id":null,"task_id":null,"date_done":null}',
    );
  });

  it('has the meta object of a job, or the bare value of a raw one', async () => {
    const api = await startApi();
    const common = { status: 'SUCCESS' as const, progress: 100, timeInfo: times, steps, result: { ok: 1 }, name: 'a' };
    const normal = await api.seed({ ...common, meta: { output: 'x' } });
    expect(await (await api.call(`/backend/get_task_meta/${normal.jobId}`)).json()).toEqual({
      status: 'SUCCESS',
      result: { shadow_name: 'a', time_info: times, progress: 100, steps, output: 'x', result: { ok: 1 } },
      traceback: null,
      children: [],
      parent_id: null,
      task_id: normal.jobId,
      date_done: times.stopped,
    });
    const raw = await api.seed({ ...common, raw: true });
    expect(await (await api.call(`/backend/get_task_meta/${raw.jobId}`)).json()).toMatchObject({ result: { ok: 1 } });
  });

  it('tells the job whose script has sent this one', async () => {
    const api = await startApi();
    const parent = await api.seed({ status: 'SUCCESS' });
    const { jobId } = await api.seed({ status: 'SUCCESS' }, { parent: parent.jobId });
    expect(await (await api.call(`/backend/get_task_meta/${jobId}`)).json()).toMatchObject({
      parent_id: parent.jobId,
    });
  });

  it('answers failed and revoked jobs with 200 and the exception in parts', async () => {
    const api = await startApi();
    const failed = await api.seed({ status: 'FAILURE', error: boom, timeInfo: times });
    expect(await (await api.call(`/backend/get_task_meta/${failed.jobId}`)).json()).toMatchObject({
      status: 'FAILURE',
      result: { exc_type: 'ValueError', exc_message: ['boom'], exc_module: 'builtins' },
      traceback: boom.traceback,
      date_done: times.stopped,
    });
    const revoked = await api.seed({ status: 'REVOKED', result: 'expired', timeInfo: times });
    expect(await (await api.call(`/backend/get_task_meta/${revoked.jobId}`)).json()).toMatchObject({
      status: 'REVOKED',
      result: { exc_message: ['expired'] },
    });
  });
});

describe('what was asked for', () => {
  it('is told as it was sent, with all digits of the parameters', async () => {
    const api = await startApi();
    const jobId = await api.submit({ params: '{"big": 12345678901234567890, "one": 1.0}', config: '{"queue": "gpu"}' });
    expect(await (await api.call(`/jobs/${jobId}/request`)).json()).toEqual({
      uuid: jobId,
      process: 'custom',
      script: expect.stringMatching(/\.py$/),
      entrypoint: 'main',
      params: '{"big": 12345678901234567890, "one": 1.0}',
      command: null,
      input: null,
      root_file: null,
      queue: 'gpu',
      time_limit: 3600,
      compute_only: false,
      graph: null,
      node: null,
    });
  });

  it('is 404 for an id that no job has', async () => {
    const api = await startApi();
    expect((await api.call(`/jobs/${unknown}/request`)).status).toBe(404);
  });
});
