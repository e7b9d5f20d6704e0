import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AttemptRecord } from '../../../src/activities/attempt-record.js';
import { changeRecord } from '../../../src/activities/record-activities.js';
import type { AttemptInput } from '../../../src/contract/graph.js';
import { type JobRecord, newRecord } from '../../../src/contract/job.js';
import type { ProgressSnapshot, ScriptOutcome } from '../../../src/contract/runner.js';
import { JobStore } from '../../../src/store/job-store.js';
import { claim } from '../../../src/store/ownership.js';
import { retryPolicy } from '../../support/graphs.js';
import { jobSpec } from '../../support/jobs.js';
import { waitFor } from '../../support/wait-for.js';

let root: string;
let store: JobStore;
const spec = jobSpec();

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pixyz-attempt-'));
  store = new JobStore(root);
  await store.open();
  await (await store.receive()).commit(spec);
});
afterEach(() => rm(root, { recursive: true, force: true }));

const input = (overrides: Partial<AttemptInput> = {}): AttemptInput => ({
  jobId: spec.jobId,
  attempt: 1,
  queue: 'cpu',
  timeLimit: 60,
  retry: retryPolicy,
  retriesUsed: 0,
  lossesUsed: 0,
  ...overrides,
});
const snapshot = (progress: number): ProgressSnapshot => ({
  progress,
  steps: [{ duration: -1, info: `at ${progress}` }],
  meta: {},
});
const success: Extract<ScriptOutcome, { ok: true }> = {
  ok: true,
  result: { a: 1 },
  resultFileBytes: null,
  progress: snapshot(99),
  pid: 7,
};
const failure = (kind: 'exception' | 'signal'): Extract<ScriptOutcome, { ok: false }> => ({
  ok: false,
  reason: { kind: 'finished' },
  error: { kind, type: 'ValueError', module: 'builtins', message: 'boom', traceback: 'Traceback\nValueError: boom' },
  progress: snapshot(10),
  pid: 7,
});
const read = async (): Promise<JobRecord> => (await store.readRecord(spec.jobId)) as JobRecord;

describe('the record of an attempt', () => {
  it('tells the end as soon as the share can be written again', async () => {
    const attempt = new AttemptRecord(store, newRecord(spec), input(), 'here');
    await attempt.start();
    const write = vi
      .spyOn(store, 'writeRecord')
      .mockRejectedValue(Object.assign(new Error('full'), { code: 'ENOSPC' }));
    const ended = attempt.succeed(success, null);
    await waitFor(() => expect(write.mock.calls.length).toBeGreaterThan(1));
    write.mockRestore();
    expect(await ended).toBe(true);
    expect((await read()).status).toBe('SUCCESS');
  });

  it('has no attempt without an end once the job was revoked in its place', async () => {
    const attempt = new AttemptRecord(store, newRecord(spec), input({ attempt: 2 }), 'here');
    await attempt.start();
    await changeRecord(store, spec.jobId, { kind: 'revoked', message: 'cancelled' });
    expect(await read()).toMatchObject({
      status: 'REVOKED',
      result: 'cancelled',
      attempts: [
        { attempt: 2, outcome: 'lost', endedAt: expect.any(String), message: expect.stringContaining('gone') },
      ],
    });
  });

  it('says RUNNING soon after its start, with an attempt that has not ended', async () => {
    await new AttemptRecord(store, newRecord(spec), input(), 'here').start();
    await waitFor(async () =>
      expect(await read()).toMatchObject({
        status: 'RUNNING',
        owner: 1,
        attempts: [{ attempt: 1, worker: 'here', outcome: null, endedAt: null }],
      }),
    );
  });

  it('says RUNNING before its script starts when it is not the first: a script that kills its worker must be counted', async () => {
    await new AttemptRecord(store, newRecord(spec), input({ attempt: 2 }), 'here').start();
    expect(await read()).toMatchObject({ status: 'RUNNING', owner: 2, attempts: [{ attempt: 2, outcome: null }] });
  });

  it('names the run of the activity that carries it, until the interpreter takes over', async () => {
    const node = { index: 1 } as never;
    const labels = { name: null, queue: 'cpu', process: 'custom' };
    const alone = { node, labels, runId: 'run-1' };
    await new AttemptRecord(store, newRecord(spec), input({ attempt: 2, alone }), 'here').start();
    expect((await read()).activityRun).toBe('run-1');
    await new AttemptRecord(store, await read(), input({ attempt: 3 }), 'here').start();
    expect((await read()).activityRun).toBe(undefined);
  });

  it('shows the latest progress soon after it was reported, however fast reports come', async () => {
    const attempt = new AttemptRecord(store, newRecord(spec), input(), 'here');
    await attempt.start();
    for (let progress = 0; progress <= 90; progress += 1) attempt.progress(snapshot(progress));
    await waitFor(async () => expect((await read()).progress).toBe(90));
  });

  it('ends with 100 and the result, and no late progress overwrites that', async () => {
    const attempt = new AttemptRecord(store, newRecord(spec), input(), 'here');
    await attempt.start();
    attempt.progress(snapshot(50));
    expect(await attempt.succeed(success, null)).toBe(true);
    attempt.progress(snapshot(60));
    expect(await read()).toMatchObject({
      status: 'SUCCESS',
      progress: 100,
      result: { a: 1 },
      attempts: [{ outcome: 'succeeded', pid: 7 }],
    });
  });

  it('after a crash that will be retried says RETRY and where it waits; after the last one, FAILURE', async () => {
    const first = new AttemptRecord(store, newRecord(spec), input(), 'here');
    await first.start();
    await first.fail(failure('signal'), 'signal');
    expect(await read()).toMatchObject({
      status: 'RETRY',
      queue: 'gpuhigh',
      error: { kind: 'signal' },
      attempts: [{ outcome: 'signal' }],
    });
    await claim(store, spec.jobId, 2);
    const second = new AttemptRecord(
      store,
      await read(),
      input({ attempt: 2, queue: 'gpuhigh', retriesUsed: 1 }),
      'there',
    );
    await second.start();
    expect(await read()).toMatchObject({ status: 'RUNNING', retry: 1, error: null, progress: null, steps: [] });
    await second.fail(failure('signal'), 'signal');
    expect(await read()).toMatchObject({
      status: 'FAILURE',
      retry: 1,
      name: 'bracket',
      steps: [{ info: 'at 10' }],
      attempts: [{ worker: 'here' }, { worker: 'there' }],
    });
  });

  it('closes the step that was running when the script was ended: -1 means that it runs', async () => {
    const attempt = new AttemptRecord(store, newRecord(spec), input(), 'here');
    await attempt.start();
    attempt.progress(snapshot(10));
    await attempt.fail(failure('exception'), 'exception');
    expect((await read()).steps[0]?.duration).toBeGreaterThanOrEqual(0);
  });

  it('an attempt that was taken over writes nothing any more, and its success does not count', async () => {
    const stale = new AttemptRecord(store, newRecord(spec), input(), 'cut off');
    await stale.start();
    await claim(store, spec.jobId, 2);
    await new AttemptRecord(store, await read(), input({ attempt: 2, lossesUsed: 1 }), 'elsewhere').start();
    stale.progress(snapshot(80));
    expect(await stale.succeed(success, null)).toBe(false);
    expect(await read()).toMatchObject({ status: 'RUNNING', owner: 2, progress: null });
  });
});
