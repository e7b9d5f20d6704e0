import { createHmac } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SystemUnderTest, startSystemUnderTest } from '../support/system.js';
import { waitFor } from '../support/wait-for.js';

// What the product does by itself around jobs: notices, deletion, logs, events, metrics.

let system: SystemUnderTest;
beforeAll(async () => {
  system = await startSystemUnderTest({
    env: { CALLBACK_SECRET: 'of the installation' },
    // Short, so that the sweep comes within the test; nothing else depends on the delay.
    worker: { CLEANUP_ENABLED: 'true', CLEANUP_DELAY: '3600', CONCURRENT_TASKS: '2' },
  });
});
afterAll(() => system.stop());

interface Delivery {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A receiver that refuses the first `refusals` notices. */
async function receiver(refusals: number): Promise<{ url: string; deliveries: Delivery[]; close(): void }> {
  const deliveries: Delivery[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      deliveries.push({ headers: request.headers, body });
      response.writeHead(deliveries.length <= refusals ? 503 : 204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/done`,
    deliveries,
    close: () => server.close(),
  };
}

describe('a callback', () => {
  it('is sent signed when the job has ended, again until the receiver takes it, and the job does not wait for that', async () => {
    const to = await receiver(2);
    try {
      const config = { callback: { url: to.url, secret: 'between us' } };
      const details = await system.api.run({ process: 'api_test', name: 'told', config });
      expect(details.status).toBe('SUCCESS');
      await waitFor(() => to.deliveries.length === 3, { timeoutMs: 20_000 });
      const { headers, body } = to.deliveries[2] as Delivery;
      expect(JSON.parse(body)).toMatchObject({
        event: 'job.ended',
        uuid: details.uuid,
        name: 'told',
        status: 'SUCCESS',
        error: null,
      });
      const signature = createHmac('sha256', 'between us')
        .update(`${String(headers['x-pixyz-timestamp'])}.${body}`)
        .digest('hex');
      expect(headers['x-pixyz-signature']).toBe(`sha256=${signature}`);
    } finally {
      to.close();
    }
  });

  it('of a failed job is signed with the secret of the installation where the job names none', async () => {
    const to = await receiver(0);
    try {
      const details = await system.api.run({
        script: 'def main(pc, params):\n    raise ValueError("no")\n',
        config: { callback: { url: to.url } },
      });
      await waitFor(() => to.deliveries.length === 1);
      const { headers, body } = to.deliveries[0] as Delivery;
      expect(JSON.parse(body)).toMatchObject({ uuid: details.uuid, status: 'FAILURE', error: 'ValueError: no' });
      const signature = createHmac('sha256', 'of the installation')
        .update(`${String(headers['x-pixyz-timestamp'])}.${body}`)
        .digest('hex');
      expect(headers['x-pixyz-signature']).toBe(`sha256=${signature}`);
    } finally {
      to.close();
    }
  });
});

describe('logs and events', () => {
  it('what a script prints, native programs too, is in the log of its attempt', async () => {
    const script =
      'import os, sys\ndef main(pc, params):\n    print("from python")\n    print("to stderr", file=sys.stderr)\n    os.system("echo from a program")\n    if pc["retry"] == 0:\n        os._exit(1)\n';
    const { uuid } = await system.api.run({ script });
    for (const attempt of [1, 2]) {
      const text = await (await system.api.get(`/jobs/${uuid}/logs?attempt=${attempt}`)).text();
      for (const line of ['from python', 'to stderr', 'from a program']) expect(text).toContain(line);
    }
  });

  it('a watcher is told of each step and of the end, and then the stream ends', async () => {
    const script =
      'import time\ndef main(pc, params):\n    pc.progress_set_total(2)\n    pc.progress_next("one")\n    time.sleep(0.6)\n    pc.progress_next("two")\n    time.sleep(0.6)\n';
    const jobId = await system.api.submit({ script });
    const stream = await (await system.api.get(`/jobs/${jobId}/events`)).text();
    const states = stream
      .split('\n')
      .filter((line) => line.startsWith('data:'))
      .map((line) => JSON.parse(line.slice(5)) as { status: string; progress: number | null });
    expect(states.at(-1)).toMatchObject({ status: 'SUCCESS', progress: 100 });
    expect(states.some((state) => state.status === 'RUNNING' && state.progress === 50)).toBe(true);
  });
});

describe('metrics', () => {
  it('tell of requests, jobs, queues, slots, children and attempts', async () => {
    await system.api.run({ process: 'api_test' });
    await waitFor(
      async () => {
        const text = await (await fetch(`${system.api.url}/metrics`)).text();
        expect(text).toMatch(/http_requests_total\{[^}]*handler="\/jobs"/);
        expect(text).toMatch(/pixyz_attempts_total\{[^}]*outcome="succeeded"/);
        expect(text).toMatch(/pixyz_worker_slots\b.* 2/);
        expect(text).toMatch(/pixyz_worker_warm_children/);
        expect(text).toMatch(/queue="cpu"/);
      },
      { timeoutMs: 15_000 },
    );
  });
});

describe('an archive', () => {
  it('whose making fails is made again, and comes when the cause is gone', async () => {
    const script = 'def main(pc, params):\n    open(pc.get_output_dir("a.txt"), "w").write("content")\n';
    const { uuid } = await system.api.run({ script });
    const archive = () => system.api.get(`/jobs/${uuid}/outputs/archive`);
    // A folder stands where the archive is to be put: it is packed and cannot be renamed.
    const inTheWay = join(system.share, uuid, 'archives', `${uuid}.zip`);
    mkdirSync(join(inTheWay, 'full'), { recursive: true });

    const early = await archive();
    expect(early.status).toBe(425);
    const task = /zip-[\w-]+/.exec(await early.text())?.[0] ?? '';
    const connection = await Connection.connect({ address: system.temporalAddress });
    try {
      const run = new Client({ connection, namespace: system.namespace }).workflow.getHandle(task);
      await waitFor(
        async () => {
          const [pending] = (await run.describe()).raw.pendingActivities ?? [];
          expect(pending?.lastFailure?.message).toMatch(/rename/);
          expect(pending?.attempt).toBeGreaterThan(1);
        },
        { timeoutMs: 20_000 },
      );
      expect((await archive()).status).toBe(425);

      rmSync(inTheWay, { recursive: true });
      await waitFor(async () => expect((await archive()).status).toBe(200), { timeoutMs: 20_000, intervalMs: 200 });
      expect(
        Buffer.from(await (await archive()).arrayBuffer())
          .subarray(0, 2)
          .toString(),
      ).toBe('PK');
      expect((await run.describe()).status.name).toBe('COMPLETED');
      expect(readdirSync(join(system.share, uuid, 'archives')).sort()).toEqual([`${uuid}.json`, `${uuid}.zip`]);
    } finally {
      await connection.close();
    }
  });
});

describe('retention', () => {
  it('deletes the files of ended jobs, keeps their records, and never touches a job that runs', async () => {
    const small = await startSystemUnderTest({
      worker: { CLEANUP_ENABLED: 'true', CLEANUP_DELAY: '1', CONCURRENT_TASKS: '2' },
    });
    try {
      const gone = await small.api.run({
        script: 'def main(pc, params):\n    open(pc.get_output_dir("a.txt"), "w").close()\n',
      });
      const go = join(small.folder, 'go');
      const running = await small.api.submit({
        script:
          'import os, time\ndef main(pc, params):\n    open(pc.get_output_dir("b.txt"), "w").close()\n    while not os.path.exists(params["go"]):\n        time.sleep(0.05)\n',
        params: { go },
      });
      await small.api.reached(running, 'RUNNING');
      await waitFor(() => !existsSync(join(small.share, gone.uuid, 'outputs')), { timeoutMs: 40_000, intervalMs: 100 });
      expect(readdirSync(join(small.share, gone.uuid))).not.toContain('inputs');
      expect((await small.api.details(gone.uuid)).status).toBe('SUCCESS');
      expect(await (await small.api.get(`/jobs/${gone.uuid}/outputs`)).json()).toEqual({ outputs: [] });
      expect((await small.api.get(`/jobs/${gone.uuid}/outputs/archive`)).status).toBe(404);
      expect(readdirSync(join(small.share, running, 'outputs'))).toEqual(['b.txt']);
      await import('node:fs/promises').then((fs) => fs.writeFile(go, ''));
      expect((await small.api.ended(running)).status).toBe('SUCCESS');
    } finally {
      await small.stop();
    }
  });
});

describe('a worker with another share', () => {
  it('is refused with a sentence, since it would take jobs that it cannot find', async () => {
    const stranger = await system.launchWorker({ SHARE_PATH: join(system.folder, 'another-share') });
    expect(await stranger.exited).toEqual({ code: 1, signal: null });
    expect(stranger.log()).toMatch(/namespace ".*" belongs to another share .*TAKE_NAMESPACE=true/);
    expect((await system.api.run({ process: 'api_test' })).status).toBe('SUCCESS');
  });
});
