import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Runner } from '../../../src/contract/runner.js';
import { scriptEnvironment } from '../../../src/runner/environment.js';
import { waitFor } from '../../support/wait-for.js';
import {
  begin,
  failureOf,
  hasLogged,
  logOf,
  python,
  resultOf,
  startRunner,
  taskOf,
  temporaryFolder,
} from './support.js';

/** What comes out of a script while it runs, and what goes in. */

const maxLogBytes = 8 << 20;
let runner: Runner;
beforeAll(async () => {
  runner = await startRunner({
    maxLogBytes,
    environment: scriptEnvironment({
      ...process.env,
      GOD_PASSWORD_SHA256: 'secret-a',
      CALLBACK_SECRET: 'secret-b',
      AWS_SECRET_ACCESS_KEY: 'secret-c',
      CUDA_VISIBLE_DEVICES: '0',
    }),
  });
});
afterAll(() => runner.stop());

describe('the log', () => {
  test('holds prints of Python, native code and grandchildren', async () => {
    const task = taskOf('prints');
    await resultOf(runner, task);
    for (const text of [
      'from print',
      'from stderr',
      'from the descriptor',
      'from native code',
      'from a grandchild',
      'by name',
    ]) {
      expect(logOf(task)).toContain(text);
    }
  });

  test('can be read while the script runs', async () => {
    const task = taskOf('forever');
    const { outcome, abort } = begin(runner, task);
    await hasLogged(task, 'started');
    abort();
    await outcome;
  });

  test('is not made for a silent script', async () => {
    const task = taskOf('returns-params');
    await resultOf(runner, task);
    expect(() => statSync(task.logFile)).toThrow('ENOENT');
  });

  test('of a gigabyte keeps its beginning and its end, within its bound, and the event loop stays free', async () => {
    const task = taskOf('prints-a-gigabyte', { mebibytes: 1024 });
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const memoryBefore = process.memoryUsage().rss;
    const { outcome } = begin(runner, task);
    // Readable before the script has ended, and never larger than it may be.
    await waitFor(
      () => {
        expect(logOf(task)).toContain('bytes of the log were dropped here');
      },
      { timeoutMs: 30_000 },
    );
    expect(statSync(task.logFile).size).toBeLessThanOrEqual(maxLogBytes);
    expect(await outcome).toMatchObject({ ok: true, result: 'printed' });
    delay.disable();
    const log = readFileSync(task.logFile, 'utf8');
    expect(Buffer.byteLength(log)).toBeLessThanOrEqual(maxLogBytes);
    expect(log.startsWith('the beginning\n')).toBe(true);
    expect(log.endsWith('the end\n')).toBe(true);
    const [, dropped] = /\[\.\.\. (\d+) bytes of the log were dropped here \.\.\.\]/.exec(log) ?? [];
    const note = `\n[... ${dropped} bytes of the log were dropped here ...]\n`;
    expect(Number(dropped)).toBe(2 ** 30 + 'the beginning\nthe end\n'.length - (log.length - note.length));
    // The mean, not a percentile: other processes share these cores while tests run.
    expect(delay.mean / 1e6, 'event loop delay in ms').toBeLessThan(50);
    expect(process.memoryUsage().rss - memoryBefore).toBeLessThan(200 << 20);
  });

  test('that cannot be written does not stop the script', async () => {
    const file = join(temporaryFolder(), 'a-file');
    writeFileSync(file, '');
    await resultOf(runner, taskOf('prints', {}, { logFile: join(file, 'below', '1.log') }));
  });
});

describe('progress', () => {
  test('arrives call by call, with closed durations, clamped below 100', async () => {
    const started = begin(runner, taskOf('announces-steps'));
    expect(await started.outcome).toMatchObject({ ok: true, result: 1 });
    const [first, second, third] = started.snapshots;
    expect(first).toMatchObject({ progress: 0, steps: [{ duration: -1, info: 'first' }], meta: {} });
    expect(second).toMatchObject({ progress: 50, steps: [{ info: 'first' }, { duration: -1, info: 'step 2' }] });
    expect(second?.steps[0]?.duration).toBeGreaterThanOrEqual(0);
    expect(third).toMatchObject({ progress: 99, meta: { output: { extra: 1 }, colour: 'red' } });
    const last = started.snapshots.at(-1);
    expect(last?.steps.map((step) => step.info)).toEqual(['first', 'step 2', 'third']);
    expect(last?.steps.every((step) => step.duration >= 0)).toBe(true);
  });

  test('that has no JSON form is an error of the script where it is told, and does not replace its outcome', async () => {
    const { error } = await failureOf(runner, taskOf('stores-a-set', { again: true }));
    expect(error).toMatchObject({ kind: 'exception', type: 'TypeError' });
    expect(error.message).toContain("meta['extra']['seen'] is of type set");
    const task = taskOf('stores-a-set');
    expect(await resultOf(runner, task)).toBe('returned');
    expect(logOf(task)).toContain("meta['extra']['seen'] is of type set");
  });

  test('is null before the first step, and kept when the script fails', async () => {
    expect((await failureOf(runner, taskOf('segfault'))).progress).toEqual({ progress: null, steps: [], meta: {} });
  });
});

describe('the context', () => {
  test('has the keys that scripts read', async () => {
    const task = taskOf(
      'tells-context',
      { p: 1 },
      {
        context: {
          queue: 'gpu',
          retry: 1,
          time_limit: 60,
          shadow: 'alias',
          own: { deep: 1 },
          time_request: '2026-11-21T11:49:05.570674',
        },
      },
    );
    const told = (await resultOf(runner, task)) as Record<string, unknown>;
    expect(told).toMatchObject({
      same_params: true,
      input_file: null,
      output_dir: task.outputDir,
      name: 'external',
      file: task.script,
      request: [task.jobId, 1, 'gpu'],
    });
    expect(told['keys']).toEqual(
      expect.arrayContaining(
        'compute_only data entrypoint input_dir input_file is_local output_dir own params progress queue raw retry root_file script shadow task task_id time_limit time_request tmp'.split(
          ' ',
        ),
      ),
    );
    expect(told['context']).toContain("'own': {'deep': 1}");
    expect(told['context']).toContain('datetime.datetime(2026, 11, 21, 11, 49, 5, 570674)');
  });

  test('compute_only makes no output folder', async () => {
    const { error } = await failureOf(runner, taskOf('tells-context', {}, { computeOnly: true }));
    expect(error).toMatchObject({ kind: 'exception', type: 'PixyzSharedDirectoryNotFound' });
  });

  test('an archive is unpacked as the first step, and its main file is the input', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'sub'));
    writeFileSync(join(folder, 'sub', 'b.stl'), 'b');
    writeFileSync(join(folder, 'sub', 'a.STEP'), 'a');
    writeFileSync(join(folder, 'read.me'), '');
    execFileSync(python, ['-m', 'zipfile', '-c', 'input.ZIP', 'read.me', 'sub'], { cwd: folder });
    const data = join(folder, 'input.ZIP');
    const started = begin(runner, taskOf('tells-context', {}, { data }));
    const outcome = await started.outcome;
    if (!outcome.ok) throw new Error(outcome.error.traceback);
    expect(basename((outcome.result as { input_file: string }).input_file)).toBe('a.STEP');
    expect(outcome.progress.steps).toMatchObject([{ info: 'Extracting archive' }]);
    const chosen = await resultOf(runner, taskOf('tells-context', {}, { data, rootFile: 'sub/b.stl' }));
    expect((chosen as { input_file: string }).input_file).toMatch(/sub\/b\.stl$/);
    for (const rootFile of ['/etc/passwd', '../x', 'missing.stl']) {
      const { error } = await failureOf(runner, taskOf('tells-context', {}, { data, rootFile }));
      expect(error.kind).toBe('invalid');
    }
  });

  test('a broken archive and a missing input are told as such', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'input.zip'), 'no zip');
    const broken = await failureOf(runner, taskOf('tells-context', {}, { data: join(folder, 'input.zip') }));
    expect(broken.error).toMatchObject({ kind: 'invalid', type: 'InvalidFile' });
    expect(broken.error.message).toContain('input.zip');
    const missing = await failureOf(runner, taskOf('tells-context', {}, { data: join(folder, 'gone.stl') }));
    expect(missing.error).toMatchObject({ kind: 'invalid', type: 'PixyzFileNotFound' });
  });

  test('scripts get the environment they need, and no secrets', async () => {
    const task = taskOf('shows-environment');
    const environment = (await resultOf(runner, task)) as Record<string, string>;
    expect(environment).toMatchObject({ PIXYZ_ATTEMPT: task.attemptId, CUDA_VISIBLE_DEVICES: '0' });
    expect(environment['PATH']).toBeTruthy();
    expect(JSON.stringify(environment)).not.toContain('secret-');
  });

  test('each child draws its own random numbers', async () => {
    const drawn = await Promise.all([1, 2, 3].map(() => resultOf(runner, taskOf('draws-numbers'))));
    const flat = drawn.flat();
    expect(new Set(flat).size).toBe(flat.length);
  });
});
