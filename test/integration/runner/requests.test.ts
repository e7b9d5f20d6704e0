import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jobIdOf } from '../../../src/contract/ids.js';
import type { Json } from '../../../src/contract/json.js';
import type { Runner, ScriptTask } from '../../../src/contract/runner.js';
import { scriptEnvironment } from '../../../src/runner/environment.js';
import { startRunner, taskOf } from './support.js';

/** What a running script asks its worker for: graphs, and a slot less while it waits for them. */

const graphId = '11111111-2222-4333-8444-555500000000';
let share: string;
let runner: Runner;
beforeAll(async () => {
  share = mkdtempSync(join(tmpdir(), 'requests-test-'));
  runner = await startRunner({ environment: { ...scriptEnvironment(process.env), SHARE_PATH: share } });
});
afterAll(async () => {
  await runner.stop();
  rmSync(share, { recursive: true });
});

interface Heard {
  readonly requests: {
    kind: string;
    files?: object;
    call?: number;
    nodes?: unknown[];
    shape?: unknown;
    jobs?: string[];
  }[];
  readonly waits: boolean[];
}

async function run(task: ScriptTask, reply: (request: unknown) => Promise<Json>, onWait?: () => void) {
  const heard: Heard = { requests: [], waits: [] };
  const outcome = await runner.run(task, {
    signal: new AbortController().signal,
    onRequest: (request) => {
      heard.requests.push(request as Heard['requests'][number]);
      return reply(request);
    },
    onWaiting: (waiting) => {
      heard.waits.push(waiting);
      if (waiting) onWait?.();
    },
  });
  return { outcome, heard };
}

/** What the attempt of a sub-task leaves on the share. */
function succeed(index: number, result: Json): void {
  const folder = join(share, jobIdOf(graphId, index));
  mkdirSync(folder, { recursive: true });
  const timeInfo = { request: null, started: null, stopped: '2026-11-21T00:00:00+00:00' };
  const record = { status: 'SUCCESS', result, resultFile: null, error: null, meta: {}, name: null, timeInfo };
  writeFileSync(
    join(folder, 'job.json'),
    JSON.stringify({ ...record, progress: 100, steps: [], retry: 0, raw: true, attempts: [{}] }),
  );
}

const accept = async (): Promise<Json> => ({ graphId });

describe('a script that sends a canvas', () => {
  test('tells its worker the nodes, and makes ids of the answer', async () => {
    const { outcome, heard } = await run(taskOf('sends-a-canvas'), accept);
    expect(outcome).toMatchObject({
      ok: true,
      result: [[jobIdOf(graphId, 2), [[jobIdOf(graphId, 1), null], null]], null],
    });
    expect(heard.requests).toHaveLength(1);
    expect(heard.requests[0]).toMatchObject({ kind: 'submit', call: 0, shape: [2, [1, null]] });
    // What is as usual is left out.
    expect(heard.requests[0]?.nodes).toMatchObject([
      { index: 1, entrypoint: 'other', params: { kind: 'text', text: '{"x":1}' } },
      { index: 2, entrypoint: 'other', params: { kind: 'value', of: 1 }, deps: [1] },
    ]);
    expect(heard.requests[0]?.nodes?.[0]).not.toHaveProperty('trigger');
    expect(heard.waits).toEqual([]);
  });

  test('lends its slot while it waits, and reads the value from the share', async () => {
    const { outcome, heard } = await run(taskOf('sends-a-canvas', { wait: true }), accept, () =>
      succeed(2, { deep: [1] }),
    );
    expect(outcome).toMatchObject({ ok: true, result: { deep: [1] } });
    expect(heard.waits).toEqual([true, false]);
  });

  test('that asks again and again whether it is ready lends its slot, too', async () => {
    const { outcome, heard } = await run(taskOf('sends-a-canvas', { poll: true }), accept, () => succeed(1, null));
    expect(outcome).toMatchObject({ ok: true, result: 'polled' });
    expect(heard.waits).toEqual([true, false]);
  });

  test('is refused with the sentence of the worker', async () => {
    const { outcome } = await run(taskOf('sends-a-canvas'), () => Promise.reject(new Error('queue "gp u" is no name')));
    expect(outcome).toMatchObject({ ok: false, error: { message: 'queue "gp u" is no name' } });
  });

  test('is told when it is too large to be sent', async () => {
    const { outcome, heard } = await run(taskOf('sends-a-canvas', { x: 'y'.repeat(17 << 20) }), accept);
    expect(outcome).toMatchObject({ ok: false, error: { type: 'ValueError' } });
    expect(outcome.ok ? '' : outcome.error.message).toMatch(/takes 34 MiB, and 16 MiB are allowed/);
    expect(heard.requests).toEqual([]);
  });

  test('may not wait unless it says so', async () => {
    const { outcome } = await run(taskOf('sends-a-canvas', { wait: true, permitted: false }), accept);
    expect(outcome).toMatchObject({ ok: false, error: { type: 'RuntimeError' } });
    expect(outcome.ok ? '' : outcome.error.message).toMatch(/^Never call result\.get\(\) within a task!/);
  });

  test('is told when it has waited long enough, and has its slot back', async () => {
    const other = { ...taskOf('sends-a-canvas', { wait: true, timeout: 0.1 }) };
    const { outcome, heard } = await run(other, async () => ({ graphId: graphId.replace('1', '9') }));
    expect(outcome).toMatchObject({ ok: false, error: { type: 'TimeoutError', module: 'celery.exceptions' } });
    expect(heard.waits).toEqual([true, false]);
  });

  test('stops what it has sent', async () => {
    const { heard } = await run(taskOf('sends-a-canvas', { revoke: true }), async () => ({
      graphId: graphId.replace('1', '8'),
    }));
    expect(heard.requests[1]).toEqual({ kind: 'revoke', jobs: [jobIdOf(graphId.replace('1', '8'), 2)] });
  });
});
