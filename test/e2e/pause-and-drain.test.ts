import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PixyzClient } from '../../src/client/index.js';
import { type PartUnderTest, type SystemUnderTest, startSystemUnderTest, testToken } from '../support/system.js';
import { waitFor } from '../support/wait-for.js';

// What operators do to a system that works: pausing a queue, draining a worker. Real processes, a real server.

let system: SystemUnderTest;
let client: PixyzClient;
let worker: PartUnderTest;

beforeAll(async () => {
  system = await startSystemUnderTest({ worker: false });
  worker = await system.startWorker({ CONCURRENT_TASKS: '2' });
  client = new PixyzClient({ url: system.api.url, token: testToken });
}, 60_000);
afterAll(() => system?.stop());

/** A script that says that it runs, and waits until it may end. */
function gated(name: string) {
  const folder = join(system.folder, 'gates');
  mkdirSync(folder, { recursive: true });
  const started = join(folder, `${name}-started`);
  const gate = join(folder, `${name}-may-end`);
  const script = `import os, time
def main(pc, params):
    open(${JSON.stringify(started)}, "w").close()
    while not os.path.exists(${JSON.stringify(gate)}):
        time.sleep(0.01)
`;
  return {
    script,
    isRunning: () => waitFor(() => existsSync(started), { timeoutMs: 30_000 }),
    hasStarted: () => existsSync(started),
    letEnd: () => writeFileSync(gate, ''),
  };
}

async function workerOf(part: PartUnderTest) {
  const { workers } = await client.workers();
  return workers.find(({ pid }) => pid === part.pid);
}

describe('a paused queue', () => {
  it('hands out nothing, whoever comes to serve it, loses nothing, and goes on when it is resumed', async () => {
    const running = gated('running');
    const before = await system.api.submit({ script: running.script });
    await running.isRunning();
    expect(await client.pauseQueue('cpu', 'lunch')).toMatchObject({
      queue: 'cpu',
      paused: { since: expect.any(String), by: expect.stringContaining('the API, from'), reason: 'lunch' },
    });

    const alone = await system.api.submit({ process: 'api_test' });
    const delayed = await system.api.submit({ process: 'api_test', config: { countdown: 0.1 } });
    const graph = await client.graphs.submit({ nodes: [{ id: 'a', process: 'api_test' }] });
    const elsewhere = await system.api.run({ process: 'api_test', config: { queue: 'gpu' } });
    expect(elsewhere.status, 'other queues go on').toBe('SUCCESS');

    running.letEnd();
    expect((await system.api.ended(before)).status, 'what runs goes on').toBe('SUCCESS');
    // All that could be handed out waits now.
    await waitFor(async () => {
      const { queues } = await client.queues();
      expect(queues.find(({ queue }) => queue === 'cpu')).toMatchObject({ backlog: 3, running: 0, slots: 2 });
    });

    worker.kill('SIGKILL');
    await worker.exited;
    worker = await system.startWorker({ CONCURRENT_TASKS: '2' });
    // The new worker serves the other queues, and so would have taken what waits here.
    expect((await system.api.run({ process: 'api_test', config: { queue: 'gpu' } })).status).toBe('SUCCESS');
    for (const jobId of [alone, delayed]) {
      const details = await system.api.details(jobId);
      expect(details).toMatchObject({ status: 'PENDING', waiting: expect.stringContaining('is paused (lunch)') });
    }
    const why = await client.graphs.why(graph.id, 'a');
    expect(why.reasons).toMatchObject([{ code: 'queue-paused' }]);

    expect(await client.resumeQueue('cpu')).toMatchObject({ paused: null });
    for (const jobId of [alone, delayed]) expect((await system.api.ended(jobId)).status).toBe('SUCCESS');
    await waitFor(async () => expect((await client.graphs.state(graph.id)).state).toBe('succeeded'));
  });
});

describe('a drained worker', () => {
  it('finishes what it runs, takes nothing new, and ends; what waits runs on the next one', async () => {
    const running = gated('drained');
    const first = await system.api.submit({ script: running.script, name: 'last one', config: { queue: 'gpu' } });
    await running.isRunning();
    const shown = await waitFor(async () => {
      const found = await workerOf(worker);
      // What it ran before may still be told for a moment.
      expect(found?.running.map(({ job }) => job)).toEqual([first]);
      return found;
    });
    expect(shown).toMatchObject({
      running: [{ job: first, graph: null, name: 'last one', queue: 'gpu', attempt: 1, pid: expect.any(Number) }],
      version: expect.any(String),
      engine: 'open',
      machine: { cpus: expect.any(Number), memory_total: expect.any(Number) },
      tasks: { succeeded: expect.any(Number), failed: 0 },
      gpus: expect.any(Array),
    });

    await client.drainWorker(shown?.name ?? '');
    await waitFor(async () => expect((await workerOf(worker))?.draining).toBe(true));
    const waiting = gated('waiting');
    const second = await system.api.submit({ script: waiting.script, config: { queue: 'gpu' } });
    running.letEnd();
    expect((await system.api.ended(first)).status).toBe('SUCCESS');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    expect(waiting.hasStarted()).toBe(false);
    expect(await workerOf(worker)).toBeUndefined();

    waiting.letEnd();
    worker = await system.startWorker({ CONCURRENT_TASKS: '2' });
    expect((await system.api.ended(second)).status).toBe('SUCCESS');
  });

  it('has to be one that is alive', async () => {
    await expect(client.drainWorker('../x')).rejects.toMatchObject({
      status: 404,
      message: expect.stringMatching(/there is no worker "..\/x": alive are \S+/),
    });
  });
});
