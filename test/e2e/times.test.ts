import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SystemUnderTest, startSystemUnderTest } from '../support/system.js';
import { waitFor } from '../support/wait-for.js';
import { scratchFolder, startedIn, waitingScript } from '../support/waiting-script.js';

/** How long something may take. This file has the machine to itself; nothing that is not about times belongs here. */

let system: SystemUnderTest;
beforeAll(async () => {
  system = await startSystemUnderTest({ worker: { CONCURRENT_TASKS: '1' } });
});
afterAll(() => system?.stop());

const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`);

describe('kill -9 of a worker in the middle of a job', () => {
  it('the job runs again on another worker within 12 s, and nothing of the dead attempt is left', async () => {
    const dir = scratchFolder();
    const jobId = await system.api.submit({ script: waitingScript, params: { dir } });
    await waitFor(() => startedIn(dir).length === 1);
    const running = await waitFor(async () => {
      const details = await system.api.details(jobId);
      return details.status === 'RUNNING' && details;
    });
    const first = Number(startedIn(dir)[0]?.slice('started-'.length));
    const workerPid = Number(running.attempts?.[0]?.worker.split('-').at(-1));
    await system.startWorker({ CONCURRENT_TASKS: '1' });

    const killedAt = performance.now();
    process.kill(workerPid, 'SIGKILL');
    await waitFor(() => !isAlive(first), { timeoutMs: 5000 });
    await waitFor(() => startedIn(dir).length === 2, { timeoutMs: 20_000 });
    const againAfterMs = performance.now() - killedAt;
    expect(againAfterMs).toBeLessThan(12_000);

    writeFileSync(join(dir, 'go'), '');
    const details = await system.api.ended(jobId);
    expect(details).toMatchObject({ status: 'SUCCESS', retry: 0 });
    expect(details.attempts?.map((attempt) => attempt.outcome)).toEqual(['lost', 'succeeded']);
    const { outputs } = (await (await system.api.get(`/jobs/${jobId}/outputs`)).json()) as { outputs: string[] };
    expect(outputs).toEqual([`from-${details.result}`]);
  });
});

const script = (body: string): string => `import signal, time\ndef main(pc, params):\n${body.replace(/^/gm, '    ')}\n`;

describe('cancel', () => {
  /** Processes of a job, found by the mark in their environment. */
  function processesOf(jobId: string): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => {
        try {
          if (/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) return false;
          return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`PIXYZ_ATTEMPT=${jobId}`);
        } catch {
          return false;
        }
      });
  }

  const stubborn = {
    'sleeps in Python': 'while True:\n    time.sleep(0.05)',
    'ignores TERM': 'signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True:\n    time.sleep(0.05)',
    'has started programs of its own':
      'import subprocess\nsubprocess.Popen(["sleep", "300"])\nsubprocess.Popen(["sleep", "300"], start_new_session=True)\nwhile True:\n    time.sleep(0.05)',
  };
  for (const [name, body] of Object.entries(stubborn)) {
    it(`ends every process of a script that ${name}, within 3 s`, async () => {
      const ready = `open(pc.get_output_dir("ready"), "w").close()\n${body}`;
      const jobId = await system.api.submit({ script: script(ready) });
      await waitFor(() => existsSync(join(system.share, jobId, 'outputs', 'ready')));
      await waitFor(() => processesOf(jobId).length > 0);
      const asked = performance.now();
      expect((await system.api.send('POST', `/jobs/${jobId}/cancel`)).status).toBe(200);
      await waitFor(() => processesOf(jobId).length === 0, { intervalMs: 5 });
      const tookMs = performance.now() - asked;
      expect((await system.api.ended(jobId)).status).toBe('REVOKED');
      // The promise is 1.5 s on a machine that has time; how long it takes is told by the bench `liveness`.
      expect(tookMs).toBeLessThan(3000);
    });
  }
});
