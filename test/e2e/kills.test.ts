import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type OwnServer, ownServer } from '../support/own-server.js';
import { type SystemUnderTest, startSystemUnderTest } from '../support/system.js';
import { waitFor } from '../support/wait-for.js';

// What the whole product is for: whatever is killed, the job ends, and ends once.

const cleanUps: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function system(options: Parameters<typeof startSystemUnderTest>[0]): Promise<SystemUnderTest> {
  const started = await startSystemUnderTest(options);
  cleanUps.push(() => started.stop());
  return started;
}

/** Tells that it runs, then waits for a file; leaves a mark of each attempt that came so far. */
const waiting = `
import os, time
def main(pc, params):
    open(pc.get_output_dir('from-' + str(os.getpid())), 'w').close()
    open(params['dir'] + '/started-' + str(os.getpid()), 'w').close()
    while not os.path.exists(params['dir'] + '/go'):
        time.sleep(0.02)
    return os.getpid()
`;

function scratch(): string {
  const dir = mkdtempSync(join(tmpdir(), 'pixyz-kill-'));
  cleanUps.push(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const startedIn = (dir: string): string[] => readdirSync(dir).filter((name) => name.startsWith('started-'));
const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`);

describe('kill -9 of a worker in the middle of a job', () => {
  it('the job runs again on another worker within 12 s, and nothing of the dead attempt is left', async () => {
    const under = await system({ worker: { CONCURRENT_TASKS: '1' } });
    const dir = scratch();
    const jobId = await under.api.submit({ script: waiting, params: { dir } });
    await waitFor(() => startedIn(dir).length === 1);
    const running = await waitFor(async () => {
      const details = await under.api.details(jobId);
      return details.status === 'RUNNING' && details;
    });
    const first = Number(startedIn(dir)[0]?.slice('started-'.length));
    const workerPid = Number(running.attempts?.[0]?.worker.split('-').at(-1));
    await under.startWorker({ CONCURRENT_TASKS: '1' });

    const killedAt = performance.now();
    process.kill(workerPid, 'SIGKILL');
    await waitFor(() => !isAlive(first), { timeoutMs: 5000 });
    await waitFor(() => startedIn(dir).length === 2, { timeoutMs: 20_000 });
    const againAfterMs = performance.now() - killedAt;
    expect(againAfterMs).toBeLessThan(12_000);

    writeFileSync(join(dir, 'go'), '');
    const details = await under.api.ended(jobId);
    expect(details).toMatchObject({ status: 'SUCCESS', retry: 0 });
    expect(details.attempts?.map((attempt) => attempt.outcome)).toEqual(['lost', 'succeeded']);
    const { outputs } = (await (await under.api.get(`/jobs/${jobId}/outputs`)).json()) as { outputs: string[] };
    expect(outputs).toEqual([`from-${details.result}`]);
  });
});

describe('cancel where no script is there to hear it', () => {
  it('revokes a job that waits for a worker, and no worker runs it later', async () => {
    const under = await system({ worker: false });
    const dir = scratch();
    writeFileSync(join(dir, 'go'), '');
    const jobId = await under.api.submit({ script: waiting, params: { dir } });
    expect((await under.api.send('POST', `/jobs/${jobId}/cancel`)).status).toBe(200);
    expect((await under.api.ended(jobId)).status).toBe('REVOKED');
    await under.startWorker();
    const next = await under.api.submit({ process: 'api_test' });
    expect((await under.api.ended(next)).status).toBe('SUCCESS');
    expect(startedIn(dir)).toEqual([]);
  });

  it('revokes a job whose worker has died', async () => {
    const under = await system({ worker: false });
    const worker = await under.startWorker({ CONCURRENT_TASKS: '1' });
    const dir = scratch();
    const jobId = await under.api.submit({ script: waiting, params: { dir } });
    await waitFor(() => startedIn(dir).length === 1);
    worker.kill('SIGKILL');
    await worker.exited;
    expect((await under.api.send('POST', `/jobs/${jobId}/cancel`)).status).toBe(200);
    expect((await under.api.ended(jobId)).status).toBe('REVOKED');
  });
});

describe('a worker that is told to stop', () => {
  it('finishes what it runs, takes nothing new, and leaves', async () => {
    const under = await system({ worker: false });
    const worker = await under.startWorker({ CONCURRENT_TASKS: '1', DRAIN_SECONDS: '60' });
    const dir = scratch();
    const running = await under.api.submit({ script: waiting, params: { dir } });
    await waitFor(() => startedIn(dir).length === 1);
    worker.kill('SIGTERM');
    await waitFor(async () => expect((await fetch(`${worker.url}/readyz`)).status).toBe(503));
    const next = await under.api.submit({ process: 'api_test' });
    writeFileSync(join(dir, 'go'), '');
    expect((await under.api.ended(running)).status).toBe('SUCCESS');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    expect((await under.api.details(next)).status).toBe('PENDING');
    await under.startWorker();
    expect((await under.api.ended(next)).status).toBe('SUCCESS');
  });

  it('after its time to drain, gives the script to the next worker', async () => {
    const under = await system({ worker: false });
    const worker = await under.startWorker({ CONCURRENT_TASKS: '1', DRAIN_SECONDS: '1' });
    const dir = scratch();
    const jobId = await under.api.submit({ script: waiting, params: { dir } });
    await waitFor(() => startedIn(dir).length === 1);
    worker.kill('SIGTERM');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    writeFileSync(join(dir, 'go'), '');
    await under.startWorker();
    const details = await under.api.ended(jobId);
    expect(details).toMatchObject({ status: 'SUCCESS', retry: 0 });
    expect(details.attempts?.map((attempt) => attempt.outcome)).toEqual(['lost', 'succeeded']);
  });

  it('ends itself after exactly MAX_TASKS_BEFORE_SHUTDOWN scripts, and the other worker goes on', async () => {
    const under = await system({ worker: false });
    const short = await under.startWorker({ CONCURRENT_TASKS: '2', MAX_TASKS_BEFORE_SHUTDOWN: '3' });
    const jobs = await Promise.all(Array.from({ length: 8 }, () => under.api.submit({ process: 'api_test' })));
    expect(await short.exited).toEqual({ code: 0, signal: null });
    await under.startWorker({ CONCURRENT_TASKS: '2' });
    const details = await Promise.all(jobs.map((jobId) => under.api.ended(jobId)));
    expect(details.map((job) => job.status)).toEqual(jobs.map(() => 'SUCCESS'));
    const byShort = details.filter((job) => job.attempts?.at(-1)?.worker.endsWith(`-${short.pid}`));
    expect(byShort).toHaveLength(3);
  });
});

describe('kill -9 of the API in the middle of a job', () => {
  it('the job ends well, and its state is there when the API is back', async () => {
    const under = await system({});
    const dir = scratch();
    const jobId = await under.api.submit({ script: waiting, params: { dir } });
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
    cleanUps.push(() => server.stop());
    await server.start();
    return server;
  }

  it('in the middle of a job: the job ends well once the server is back', async () => {
    const server = await runningServer();
    const under = await system({ temporalAddress: server.address, namespace: 'kills' });
    const dir = scratch();
    const jobId = await under.api.submit({ script: waiting, params: { dir } });
    await waitFor(() => startedIn(dir).length >= 1);
    await server.kill();
    const refused = await under.api.post({ process: 'api_test' });
    expect(refused.status).toBe(503);
    expect((await under.api.details(jobId)).status).toBe('RUNNING');
    await server.start();
    writeFileSync(join(dir, 'go'), '');
    expect(await under.api.ended(jobId)).toMatchObject({ status: 'SUCCESS', retry: 0 });
  });

  it('with fifty jobs in the queue and every other part stopped too: all end, each once', async () => {
    const server = await runningServer();
    const dir = scratch();
    const share = join(scratch(), 'share');
    const before = await startSystemUnderTest({
      temporalAddress: server.address,
      namespace: 'kills',
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
    const after = await system({
      temporalAddress: server.address,
      namespace: 'kills',
      worker: { CONCURRENT_TASKS: '2' },
      env: { SHARE_PATH: share },
    });
    for (const jobId of jobs) expect((await after.api.ended(jobId)).status).toBe('SUCCESS');
    expect(readdirSync(dir).sort()).toEqual([...jobs].sort());
  });
});
