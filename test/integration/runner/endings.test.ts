import { existsSync, readFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Runner } from '../../../src/contract/runner.js';
import { waitFor } from '../../support/wait-for.js';
import {
  begin,
  failureOf,
  hasLogged,
  logOf,
  processesOf,
  processesWithCommand,
  resultOf,
  runToEnd,
  startRunner,
  taskOf,
} from './support.js';

/** Every way in which a script can end. After each, no process of it is left and the runner takes the next task. */

describe.each(['fork', 'spawn'] as const)('in mode %s', (mode) => {
  let runner: Runner;
  beforeAll(async () => {
    runner = await startRunner({ mode, maxProcesses: 30 });
  });
  afterAll(() => runner.stop());

  test('a script returns: its result arrives as it is', async () => {
    const params = { a: [1, 2.5, 'x', null, true], ä: { deep: {} } };
    expect(await resultOf(runner, taskOf('returns-params', params))).toEqual(params);
  });

  test('a script raises: class, message and frames of the user are told, ours are not', async () => {
    const { error, reason } = await failureOf(runner, taskOf('raises-value-error', { n: 1 }));
    expect(reason).toEqual({ kind: 'finished' });
    expect(error).toMatchObject({ kind: 'exception', type: 'ValueError', module: 'builtins' });
    expect(error.message).toBe("no good: {'n': 1}");
    const lines = error.traceback.split('\n');
    expect(lines.at(-1)).toBe("ValueError: no good: {'n': 1}");
    expect(error.traceback).toContain('in helper');
    expect(error.traceback).toContain("KeyError: 'missing'");
    expect(error.traceback).not.toContain('pixyz_worker');
  });

  test('an exception class of the script keeps its name and its text', async () => {
    const { error } = await failureOf(runner, taskOf('raises-own-error'));
    expect(error).toMatchObject({ type: 'Broken', module: 'external', message: 'wheel is broken: flat' });
    expect(error.traceback.split('\n').at(-1)).toBe('Broken: wheel is broken: flat');
  });

  test('module-level code raises: told like any exception', async () => {
    const { error } = await failureOf(runner, taskOf('raises-at-module-level'));
    expect(error).toMatchObject({ kind: 'exception', type: 'ModuleNotFoundError' });
    expect(error.traceback).toContain('raises-at-module-level.py", line 1');
  });

  test.each([
    ['exit', 'PixyzExitFault'],
    ['signal', 'PixyzSignalFault'],
    ['time-limit', 'PixyzTimeout'],
    ['memory', 'MemoryError'],
  ])('a script that raises the fault %s counts as if it had happened', async (fault, type) => {
    const { error } = await failureOf(runner, taskOf('raises-fault', { fault }));
    expect(error).toMatchObject({ kind: fault, type });
  });

  test.each([0, null])('sys.exit(%s) in the entrypoint finishes with null', async (code) => {
    expect(await resultOf(runner, taskOf('sys-exit', { code }))).toBeNull();
  });

  test('sys.exit(3) is an exit fault with its code', async () => {
    const { error, reason } = await failureOf(runner, taskOf('sys-exit', { code: 3 }));
    expect(reason).toEqual({ kind: 'exited', code: 3 });
    expect(error).toMatchObject({ kind: 'exit', type: 'PixyzExitFault' });
    expect(error.traceback.split('\n').at(-1)).toMatch(/^PixyzExitFault: 3 /);
    expect(error.traceback).toContain('sys-exit.py", line 5');
  });

  test('sys.exit with a text is exit code 1 and keeps the text', async () => {
    const { error, reason } = await failureOf(runner, taskOf('sys-exit', { code: 'no licence for that' }));
    expect(reason).toEqual({ kind: 'exited', code: 1 });
    expect(error.message).toContain('no licence for that');
  });

  test.each([0, 7])('os._exit(%i) is an exit fault: no result was told', async (code) => {
    const { error, reason } = await failureOf(runner, taskOf('os-exit', { code }));
    expect(reason).toEqual({ kind: 'exited', code });
    expect(error).toMatchObject({ kind: 'exit', type: 'PixyzExitFault' });
    expect(error.message).toMatch(new RegExp(`^${code} `));
  });

  test('sys.exit at module level ends the script and nothing else', async () => {
    const { error } = await failureOf(runner, taskOf('module-exit'));
    expect(error).toMatchObject({ kind: 'exit', type: 'PixyzExitFault' });
    expect(error.message).toContain('module-level code');
    expect(await resultOf(runner, taskOf('returns-params', 1))).toBe(1);
  });

  test('a crash in native code names the signal and shows where it was', async () => {
    const task = taskOf('segfault');
    const { error, reason } = await failureOf(runner, task);
    expect(reason).toEqual({ kind: 'signaled', signal: 'SIGSEGV' });
    expect(error).toMatchObject({ kind: 'signal', type: 'PixyzSignalFault' });
    expect(error.message).toMatch(/^11 \(killed by signal 11, SIGSEGV: a crash in native code\)/);
    expect(error.message).not.toContain('\n');
    expect(error.traceback).toContain('about to crash');
    expect(error.traceback).not.toContain('_child.py');
    expect(error.traceback).toContain('in crash');
    expect(error.traceback.split('\n').at(-1)).toMatch(/^PixyzSignalFault: 11 /);
    expect(logOf(task)).toContain('Fatal Python error: Segmentation fault');
  });

  test('a signal from outside is told by name', async () => {
    const { error, reason } = await failureOf(runner, taskOf('kills-itself', { signal: 'SIGKILL' }));
    expect(reason).toEqual({ kind: 'signaled', signal: 'SIGKILL' });
    expect(error.message).toContain('9 (killed by signal 9, SIGKILL');
  });

  test.each(['forever', 'forever-at-module-level', 'ignores-term', 'native-loop'])(
    'the time limit ends %s',
    async (script) => {
      const task = taskOf(script, {}, { timeLimitMs: 700 });
      const { error, reason } = await failureOf(runner, task);
      expect(reason).toEqual({ kind: 'timed-out', afterMs: 700 });
      expect(error).toMatchObject({ kind: 'time-limit', type: 'PixyzTimeout' });
      expect(error.message).toContain('time limit of 0.7 s');
      expect(error.traceback, 'where it was').toContain(`${script}.py", line`);
    },
  );

  test('a time limit of 0 ends the script at once', async () => {
    const { error } = await failureOf(runner, taskOf('forever', {}, { timeLimitMs: 0 }));
    expect(error.kind).toBe('time-limit');
  });

  test.each(['forever', 'ignores-term', 'native-loop'])(
    'cancel: all processes of %s are gone before the attempt ends, within 3 s',
    async (script) => {
      const task = taskOf(script);
      const { outcome, abort } = begin(runner, task);
      await hasLogged(task, script === 'ignores-term' ? 'child ready' : 'started');
      expect(processesOf(task.attemptId).length).toBeGreaterThan(0);
      const before = performance.now();
      abort('cancel');
      const ended = await outcome;
      expect(processesOf(task.attemptId)).toEqual([]);
      // 300 ms of grace are in it; how long it takes on a quiet machine is told by the bench `liveness`.
      expect(performance.now() - before).toBeLessThan(3000);
      expect(ended).toMatchObject({
        ok: false,
        reason: { kind: 'cancelled', reason: 'cancel' },
        error: { kind: 'cancelled' },
      });
    },
  );

  test.each(['fenced', 'shutdown'])('the abort reason %s makes the attempt a lost one', async (reason) => {
    const task = taskOf('forever');
    const { outcome, abort } = begin(runner, task);
    await hasLogged(task, 'started');
    abort(reason);
    expect(await outcome).toMatchObject({ ok: false, reason: { kind: 'cancelled', reason }, error: { kind: 'lost' } });
  });

  test('a memory limit gives Python a MemoryError that names limit and use', async () => {
    const limit = 200 << 20;
    const { error, reason } = await failureOf(runner, taskOf('eats-memory', {}, { memoryLimitBytes: limit }));
    expect(reason).toMatchObject({ kind: 'out-of-memory', limitBytes: limit });
    expect(error).toMatchObject({ kind: 'memory', type: 'MemoryError' });
    expect(error.message).toContain('200 MiB');
    expect(error.traceback.split('\n').at(-1)).toMatch(/^MemoryError: /);
  });

  test('without a limit, a MemoryError says that the machine had no more, and how much the script had', async () => {
    const { error } = await failureOf(runner, taskOf('raises-fault', { fault: 'memory' }));
    expect(error.message).toMatch(
      /^no more memory could be had \(resident at that moment: \d+ MiB; no limit was set\)$/,
    );
    expect(error.traceback.split('\n').at(-1)).toBe(`MemoryError: ${error.message}`);
  });

  test('the memory of all processes of a script counts', async () => {
    const task = taskOf('eats-memory-in-children', { mebibytes: 80 }, { memoryLimitBytes: 200 << 20 });
    const { error, reason } = await failureOf(runner, task);
    expect(reason).toMatchObject({ kind: 'out-of-memory' });
    expect(error).toMatchObject({ kind: 'memory', type: 'MemoryError' });
    expect(error.message).toMatch(/used \d+ MiB, more than the memory limit of 200 MiB/);
  });

  test('a fork bomb is stopped', async () => {
    const { error, reason } = await failureOf(runner, taskOf('fork-bomb', { processes: 200 }));
    expect(reason).toMatchObject({ kind: 'too-many-processes', limit: 30 });
    expect(error.message).toContain('more than the limit of 30');
  });

  test('what a script leaves behind is ended with it, also what hides', async () => {
    expect(await resultOf(runner, taskOf('daemonizes'))).toBe('done');
    expect(processesWithCommand('runner-test-daemon')).toEqual([]);
  });

  test.each(['close', 'close all', 'shutdown', 'write'])(
    'a script that disturbs the socket (%s) is told so',
    async (how) => {
      const { error, reason } = await failureOf(runner, taskOf('closes-socket', { how }));
      expect(reason.kind).toBe('broken-channel');
      expect(error.message).toContain('disturbed the channel to its worker');
    },
  );

  test('… also when it goes on running', async () => {
    const { reason } = await failureOf(runner, taskOf('closes-socket', { how: 'close', stay: true }));
    expect(reason.kind).toBe('broken-channel');
  });

  test.each([
    ['set', "result['list'][1]['deep'] is of type set"],
    ['lambda', "result['list'][1]['deep'] is of type function"],
    ['object', "result['list'][1]['deep'] is of type external.Thing"],
  ])('a result with a %s is refused with type and place', async (what, sentence) => {
    const { error } = await failureOf(runner, taskOf('unserialisable', { what }));
    expect(error).toMatchObject({ kind: 'invalid', type: 'TypeError' });
    expect(error.message).toContain(sentence);
  });

  test('values beyond JSON take their JSON form', async () => {
    expect(await resultOf(runner, taskOf('rich-result'))).toEqual({
      tuple: [1, 2],
      3: 'int key',
      null: 'none key',
      datetime: '2026-01-02T03:04:05',
      date: '2026-01-02',
      uuid: '12345678-1234-5678-1234-567812345678',
      decimal: '1.50',
      bytes: 'text',
      nan: null,
      inf: null,
      umlaut: 'ä\ud800',
    });
  });

  test('a result of 50 MB goes to its file and only its size over the socket', async () => {
    const task = taskOf('big-result', { mebibytes: 50 });
    const outcome = await runToEnd(runner, task);
    expect(outcome).toMatchObject({ ok: true, result: null });
    const size = (await stat(task.resultFile)).size;
    expect(outcome.ok && outcome.resultFileBytes).toBe(size);
    expect(size).toBe((50 << 20) + '{"text":""}'.length);
    expect(JSON.parse(readFileSync(task.resultFile, 'utf8')).text.length).toBe(50 << 20);
  });

  test('a fork of the script that returns, too, does not tell a second result', async () => {
    expect(await resultOf(runner, taskOf('forks-and-returns'))).toBe('from the parent');
  });

  test('threads and exit functions of the script end before its result counts', async () => {
    const task = taskOf('starts-threads');
    expect(await resultOf(runner, task)).toBe('returned');
    expect(logOf(task)).toBe('the thread has ended\nthe exit function was called\n');
  });

  test.runIf(process.platform === 'linux')('shared memory that a script leaves is deleted', async () => {
    const task = taskOf('leaves-shared-memory');
    const name = (await resultOf(runner, task)) as string;
    expect(existsSync(`/dev/shm/${name}`)).toBe(false);
    expect(logOf(task)).toContain('leaked shared_memory objects');
  });

  test.each([
    ['missing', "has no function 'nowhere': its functions are helper, main"],
    ['async', 'is async'],
  ])('an entrypoint that is %s is told as such', async (what, sentence) => {
    const task =
      what === 'missing'
        ? taskOf('raises-value-error', {}, { entrypoint: 'nowhere' })
        : taskOf('async-entrypoint', {}, { entrypoint: 'main' });
    const { error } = await failureOf(runner, task);
    expect(error.kind).toBe('invalid');
    expect(error.message).toContain(sentence);
  });

  test('a script file that is not there is told as such', async () => {
    const { error } = await failureOf(runner, taskOf('/does/not/exist.py'));
    expect(error).toMatchObject({ kind: 'invalid', type: 'PixyzFileNotFound' });
  });

  test('an abort before the start runs nothing', async () => {
    const outcome = await runner.run(taskOf('forever'), { signal: AbortSignal.abort('cancel') });
    expect(outcome).toMatchObject({ ok: false, reason: { kind: 'cancelled' }, pid: null });
  });

  test('private folders do not pile up', async () => {
    const task = taskOf('tells-context');
    const result = (await resultOf(runner, task)) as { input_dir_content: string[] };
    expect(result.input_dir_content).toEqual([]);
    await waitFor(async () => {
      const stats = runner.stats();
      expect(stats.running).toBe(0);
      expect(stats.warm).toBeGreaterThan(0);
    });
    expect((await readdir(task.outputDir)).length).toBe(0);
  });
});
