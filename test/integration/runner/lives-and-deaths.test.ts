import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { projectRoot } from '../../../src/config/project-root.js';
import type { ScriptTask } from '../../../src/contract/runner.js';
import { RunnerStartError } from '../../../src/runner/options.js';
import { createRunner } from '../../../src/runner/runner.js';
import { waitFor } from '../../support/wait-for.js';
import {
  begin,
  hasLogged,
  processesOf,
  processesOfWorker,
  resultOf,
  runnerOptions,
  startRunner,
  taskOf,
  temporaryFolder,
} from './support.js';

/** The runner, its host and its worker come and go; scripts never outlive them. */

/** The host that this process's runner has started, told by its command. */
function hostsOf(worker: number): number[] {
  return processesOfWorker(worker).filter((pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ');
    return fields?.[1] === String(worker);
  });
}

describe.each(['fork', 'spawn'] as const)('in mode %s', (mode) => {
  test('stop ends everything: running scripts, ready children, the host, the private folder', async () => {
    const temporaryRoot = temporaryFolder();
    const runner = await startRunner({ mode, temporaryRoot });
    const task = taskOf('starts-a-family');
    const { outcome } = begin(runner, task);
    await hasLogged(task, 'relative ready');
    expect(processesOf(task.attemptId).length).toBe(2);
    await runner.stop();
    expect(processesOfWorker(process.pid)).toEqual([]);
    expect(await outcome).toMatchObject({ ok: false, error: { kind: 'lost' } });
    expect(readdirSync(temporaryRoot)).toEqual([]);
  });

  test('a host that is killed is started again: its scripts are lost and gone, the next one runs', async () => {
    const runner = await startRunner({ mode });
    onTestFinished(() => runner.stop());
    const task = taskOf('starts-a-family');
    const { outcome } = begin(runner, task);
    await hasLogged(task, 'relative ready');
    const [host] = hostsOf(process.pid);
    const old = processesOfWorker(process.pid);
    process.kill(host as number, 'SIGKILL');
    // A child that is about to die with its host may still begin a task, which then is rightly lost.
    await waitFor(() => expect(processesOfWorker(process.pid).filter((pid) => old.includes(pid))).toEqual([]));
    const waiting = resultOf(runner, taskOf('returns-params', 'after'));
    expect(await outcome).toMatchObject({ ok: false, reason: { kind: 'signaled' }, error: { kind: 'lost' } });
    expect(processesOf(task.attemptId)).toEqual([]);
    expect(await waiting).toBe('after');
  });

  test.runIf(existsSync('/dev/shm'))('a temporary folder that a cleaner has deleted is made again', async () => {
    const temporaryRoot = temporaryFolder();
    const runner = await startRunner({ mode, temporaryRoot });
    onTestFinished(() => runner.stop());
    const [folder] = readdirSync(temporaryRoot) as [string];
    await rm(join(temporaryRoot, folder), { recursive: true });
    for (let round = 0; round < 3; round++) expect(await resultOf(runner, taskOf('returns-params', round))).toBe(round);
    expect(readdirSync(temporaryRoot)).toEqual([folder]);
  });

  test('a ready child that is killed is replaced', async () => {
    const runner = await startRunner({ mode });
    onTestFinished(() => runner.stop());
    for (let round = 0; round < 3; round++) {
      await waitFor(() => expect(runner.stats().warm).toBe(1));
      const [host] = hostsOf(process.pid);
      for (const pid of processesOfWorker(process.pid)) if (pid !== host) process.kill(pid, 'SIGKILL');
      expect(await resultOf(runner, taskOf('returns-params', round))).toBe(round);
    }
  });
});

describe('when the worker itself is killed', () => {
  let build: string;
  beforeAll(async () => {
    build = await mkdtemp(join(tmpdir(), 'runner-worker-'));
    const config = {
      extends: join(projectRoot, 'tsconfig.json'),
      compilerOptions: {
        noEmit: false,
        outDir: build,
        rootDir: projectRoot,
        typeRoots: [join(projectRoot, 'node_modules/@types')],
      },
      include: [],
      files: [join(projectRoot, 'test/fixtures/worker-with-runner.ts')],
    };
    writeFileSync(join(build, 'tsconfig.json'), JSON.stringify(config));
    writeFileSync(join(build, 'package.json'), '{"type":"module"}');
    symlinkSync(join(projectRoot, 'node_modules'), join(build, 'node_modules'));
    execFileSync(join(projectRoot, 'node_modules/.bin/tsc'), ['-p', build]);
  });
  afterAll(() => rm(build, { recursive: true, force: true }));

  async function startWorker(
    task: ScriptTask,
    mode: 'fork' | 'spawn',
  ): Promise<ChildProcess & { readonly pid: number }> {
    const { logger: _, ...options } = runnerOptions({ mode, temporaryRoot: temporaryFolder() });
    const program = join(build, 'test/fixtures/worker-with-runner.js');
    const worker = spawn(process.execPath, [program, JSON.stringify(options), JSON.stringify(task)], {
      stdio: 'inherit',
    });
    onTestFinished(() => void worker.kill('SIGKILL'));
    await hasLogged(task, 'relative ready');
    return worker as ChildProcess & { readonly pid: number };
  }

  test.each(['fork', 'spawn'] as const)('nothing of it is left (%s)', async (mode) => {
    const task = taskOf('starts-a-family');
    const worker = await startWorker(task, mode);
    expect(processesOf(task.attemptId).length).toBe(2);
    const before = performance.now();
    worker.kill('SIGKILL');
    await waitFor(() => {
      expect(processesOf(task.attemptId)).toEqual([]);
      expect(processesOfWorker(worker.pid)).toEqual([]);
    });
    expect(performance.now() - before).toBeLessThan(2000);
  });

  test('together with its host, the next runner ends what they left behind', async () => {
    const task = taskOf('starts-a-family');
    const worker = await startWorker(task, 'fork');
    const [host] = hostsOf(worker.pid);
    // Stopped, so that it cannot clean up when the worker goes.
    process.kill(host as number, 'SIGSTOP');
    worker.kill('SIGKILL');
    process.kill(host as number, 'SIGKILL');
    await waitFor(() => expect(processesOf(task.attemptId).length).toBeLessThanOrEqual(1));
    // The relative in its own session stays. The runner of another file that starts just now may be the one that ends it.
    const runner = await startRunner({ mode: 'fork' });
    onTestFinished(() => runner.stop());
    await waitFor(() => expect(processesOf(task.attemptId)).toEqual([]));
  });
});

describe('start', () => {
  async function failure(changes: Parameters<typeof runnerOptions>[0]): Promise<RunnerStartError> {
    const runner = createRunner(runnerOptions(changes));
    const error = await runner.start().then(
      () => null,
      (reason: unknown) => reason,
    );
    await runner.stop();
    expect(error).toBeInstanceOf(RunnerStartError);
    expect(processesOfWorker(process.pid)).toEqual([]);
    return error as RunnerStartError;
  }

  test('tells that Python is missing', async () => {
    const error = await failure({ python: '/no/such/python' });
    expect(error.code).toBe('PYTHON');
    expect(error.message).toContain('"/no/such/python"');
  });

  test('tells that the package is missing', async () => {
    expect((await failure({ pythonPath: [] })).code).toBe('PACKAGE');
  });

  test('tells that the folder of Pixyz is missing', async () => {
    const { pixyz } = runnerOptions();
    const error = await failure({ pixyz: { ...pixyz, disabled: false, pythonPath: '/no/such/pixyz' } });
    expect(error.code).toBe('PIXYZ');
    expect(error.message).toContain('/no/such/pixyz');
  });
});

describe('the licence', () => {
  const standIn = join(projectRoot, 'test', 'fixtures', 'pxz-stand-ins', 'licensed');

  function options(answers: string, acquireAtStart = true) {
    const script = join(temporaryFolder(), 'answers');
    writeFileSync(script, answers);
    const changes = {
      environment: { ...runnerOptions().environment, LM_LICENSE_FILE: script },
      mode: 'auto' as const,
      pixyz: {
        disabled: false,
        pythonPath: standIn,
        licence: { flexlm: true, host: 'licence.example', port: 27000, acquireAtStart },
      },
    };
    const calls = () =>
      existsSync(`${script}.calls`) ? readFileSync(`${script}.calls`, 'utf8').split('\n').slice(0, -1) : [];
    return { changes, calls };
  }

  test('is there: nothing is asked of the server', async () => {
    const { changes, calls } = options('yes');
    const runner = await startRunner(changes);
    onTestFinished(() => runner.stop());
    expect(calls().slice(0, 2)).toEqual(['initialize', 'checkLicense -> yes']);
  });

  test('is given by the server: the worker starts, and each child gives its token back', async () => {
    const { changes, calls } = options('no yes');
    const runner = await startRunner(changes);
    onTestFinished(() => runner.stop());
    expect(calls().slice(0, 4)).toEqual([
      'initialize',
      'checkLicense -> no',
      'configureLicenseServer licence.example 27000 True',
      'checkLicense -> yes',
    ]);
    await resultOf(runner, taskOf('returns-params'));
    expect(calls()).toContain('release');
  });

  test('is refused: the runner does not start, and says so by a code', async () => {
    const { changes } = options('no');
    const runner = createRunner(runnerOptions(changes));
    await expect(runner.start()).rejects.toMatchObject({
      name: 'RunnerStartError',
      code: 'LICENCE',
      message: expect.stringContaining('licence.example:27000'),
    });
    expect(processesOfWorker(process.pid)).toEqual([]);
  });

  test('is not asked for at start when it is taken by scripts', async () => {
    const { changes, calls } = options('no', false);
    const runner = await startRunner(changes);
    onTestFinished(() => runner.stop());
    expect(calls().filter((call) => call !== 'initialize')).toEqual([]);
  });
});
