import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type OwnServer, ownServer } from '../support/own-server.js';
import { type PartUnderTest, type SystemUnderTest, startSystemUnderTest } from '../support/system.js';
import { waitFor } from '../support/wait-for.js';
import { scratchFolder, startedIn, waitingScript } from '../support/waiting-script.js';

// What the whole product is for: whatever is killed, the job ends, and ends once.

/** One API for all; workers come and go. What kills the server has a system of its own. */
let under: SystemUnderTest;
let workers: PartUnderTest[] = [];
beforeAll(async () => {
  under = await startSystemUnderTest({ worker: false });
});
afterEach(async () => {
  // The next test begins without any.
  await Promise.all(workers.map((worker) => worker.stop()));
  workers = [];
});
afterAll(() => under?.stop());

async function startWorker(env?: Record<string, string>): Promise<PartUnderTest> {
  const worker = await under.startWorker(env);
  workers.push(worker);
  return worker;
}

describe('cancel where no script is there to hear it', () => {
  it('revokes a job that waits for a worker, and no worker runs it later', async () => {
    const dir = scratchFolder();
    writeFileSync(join(dir, 'go'), '');
    const jobId = await under.api.submit({ script: waitingScript, params: { dir } });
    expect((await under.api.send('POST', `/jobs/${jobId}/cancel`)).status).toBe(200);
    expect((await under.api.ended(jobId)).status).toBe('REVOKED');
    await startWorker();
    const next = await under.api.submit({ process: 'api_test' });
    expect((await under.api.ended(next)).status).toBe('SUCCESS');
    expect(startedIn(dir)).toEqual([]);
  });

  it('revokes a job whose worker has died', async () => {
    const worker = await startWorker({ CONCURRENT_TASKS: '1' });
    const dir = scratchFolder();
    const jobId = await under.api.submit({ script: waitingScript, params: { dir } });
    await waitFor(() => startedIn(dir).length === 1);
    worker.kill('SIGKILL');
    await worker.exited;
    expect((await under.api.send('POST', `/jobs/${jobId}/cancel`)).status).toBe(200);
    expect((await under.api.ended(jobId)).status).toBe('REVOKED');
  });
});

describe('a worker that is told to stop', () => {
  it('finishes what it runs, takes nothing new, and leaves', async () => {
    const worker = await startWorker({ CONCURRENT_TASKS: '1', DRAIN_SECONDS: '60' });
    const dir = scratchFolder();
    const running = await under.api.submit({ script: waitingScript, params: { dir } });
    await waitFor(() => startedIn(dir).length === 1);
    worker.kill('SIGTERM');
    await waitFor(async () => expect((await fetch(`${worker.url}/readyz`)).status).toBe(503));
    const next = await under.api.submit({ process: 'api_test' });
    writeFileSync(join(dir, 'go'), '');
    expect((await under.api.ended(running)).status).toBe('SUCCESS');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    expect((await under.api.details(next)).status).toBe('PENDING');
    await startWorker();
    expect((await under.api.ended(next)).status).toBe('SUCCESS');
  });

  it('after its time to drain, gives the script to the next worker', async () => {
    const worker = await startWorker({ CONCURRENT_TASKS: '1', DRAIN_SECONDS: '1' });
    const dir = scratchFolder();
    const jobId = await under.api.submit({ script: waitingScript, params: { dir } });
    await waitFor(() => startedIn(dir).length === 1);
    worker.kill('SIGTERM');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    writeFileSync(join(dir, 'go'), '');
    await startWorker();
    const details = await under.api.ended(jobId);
    expect(details).toMatchObject({ status: 'SUCCESS', retry: 0 });
    expect(details.attempts?.map((attempt) => attempt.outcome)).toEqual(['lost', 'succeeded']);
  });

  it('ends itself after exactly MAX_TASKS_BEFORE_SHUTDOWN scripts, and the other worker goes on', async () => {
    const short = await startWorker({ CONCURRENT_TASKS: '2', MAX_TASKS_BEFORE_SHUTDOWN: '3' });
    const jobs = await Promise.all(Array.from({ length: 8 }, () => under.api.submit({ process: 'api_test' })));
    expect(await short.exited).toEqual({ code: 0, signal: null });
    await startWorker({ CONCURRENT_TASKS: '2' });
    const details = await Promise.all(jobs.map((jobId) => under.api.ended(jobId)));
    expect(details.map((job) => job.status)).toEqual(jobs.map(() => 'SUCCESS'));
    const byShort = details.filter((job) => job.attempts?.at(-1)?.worker.endsWith(`-${short.pid}`));
    expect(byShort).toHaveLength(3);
  });
});

describe('kill -9 of the API in the middle of a job', () => {
  it('the job ends well, and its state is there when the API is back', async () => {
    await startWorker();
    const dir = scratchFolder();
    const jobId = await under.api.submit({ script: waitingScript, params: { dir } });
    await waitFor(() => startedIn(dir).length === 1);
    under.apiPart.kill('SIGKILL');
    await under.apiPart.exited;
    writeFileSync(join(dir, 'go'), '');
    await under.startApi();
    expect(await under.api.ended(jobId)).toMatchObject({ status: 'SUCCESS', retry: 0 });
  });
});

describe('kill -9 of the Temporal server', () => {
  async function runningServer(): Promise<OwnServer> {
    const server = await ownServer();
    onTestFinished(() => server.stop());
    await server.start();
    return server;
  }

  async function startSystem(options: Parameters<typeof startSystemUnderTest>[0]): Promise<SystemUnderTest> {
    const started = await startSystemUnderTest({ namespace: 'kills', ...options });
    onTestFinished(() => started.stop());
    return started;
  }

  it('in the middle of a job: the job ends well once the server is back', async () => {
    const server = await runningServer();
    const system = await startSystem({ temporalAddress: server.address });
    const dir = scratchFolder();
    const jobId = await system.api.submit({ script: waitingScript, params: { dir } });
    await waitFor(() => startedIn(dir).length >= 1);
    await server.kill();
    const refused = await system.api.post({ process: 'api_test' });
    expect(refused.status).toBe(503);
    expect((await system.api.details(jobId)).status).toBe('RUNNING');
    await server.start();
    writeFileSync(join(dir, 'go'), '');
    expect(await system.api.ended(jobId)).toMatchObject({ status: 'SUCCESS', retry: 0 });
  });

  it('with fifty jobs in the queue and every other part stopped too: all end, each once', async () => {
    const server = await runningServer();
    const dir = scratchFolder();
    const share = join(scratchFolder(), 'share');
    const before = await startSystem({
      temporalAddress: server.address,
      worker: false,
      env: { SHARE_PATH: share },
    });
    const script =
      'import os\ndef main(pc, params):\n    open(params["dir"] + "/" + pc["task_id"], "x").close()\n    return 1\n';
    const jobs = await Promise.all(Array.from({ length: 50 }, () => before.api.submit({ script, params: { dir } })));
    before.apiPart.kill('SIGKILL');
    await before.apiPart.exited;
    await before.stop();
    await server.kill();

    await server.start();
    const after = await startSystem({
      temporalAddress: server.address,
      worker: { CONCURRENT_TASKS: '2' },
      env: { SHARE_PATH: share },
    });
    for (const jobId of jobs) expect((await after.api.ended(jobId)).status).toBe('SUCCESS');
    expect(readdirSync(dir).sort()).toEqual([...jobs].sort());
  });
});
