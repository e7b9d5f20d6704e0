import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { projectRoot } from '../../../src/config/project-root.js';
import type { Json } from '../../../src/contract/json.js';
import type { ProgressSnapshot, Runner, ScriptOutcome, ScriptTask } from '../../../src/contract/runner.js';
import { scriptEnvironment } from '../../../src/runner/environment.js';
import type { RunnerOptions } from '../../../src/runner/options.js';
import { createRunner } from '../../../src/runner/runner.js';
import { waitFor } from '../../support/wait-for.js';

export const scripts = join(projectRoot, 'test', 'fixtures', 'scripts');
export const python = process.env['PYTHON'] ?? 'python3';

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Record<string, unknown>;
}

export function memoryLogger(lines: LogLine[] = []): RunnerOptions['logger'] & { readonly lines: LogLine[] } {
  const at = (level: string) => (fields: object, message: string) => {
    lines.push({ level, message, fields: { ...fields } });
  };
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

export function runnerOptions(changes: Partial<RunnerOptions> = {}): RunnerOptions {
  return {
    python,
    pythonPath: [join(projectRoot, 'python')],
    environment: scriptEnvironment(process.env),
    warm: 1,
    mode: 'fork',
    pixyz: {
      disabled: true,
      pythonPath: null,
      licence: { flexlm: false, host: null, port: 27000, acquireAtStart: true },
    },
    logger: memoryLogger(),
    ...changes,
  };
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'runner-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A task for a fixture script, with a folder of its own. */
export function taskOf(script: string, params: Json = {}, changes: Partial<ScriptTask> = {}): ScriptTask {
  const folder = temporaryFolder();
  const jobId = randomUUID();
  return {
    attemptId: `${jobId}.1`,
    jobId,
    script: script.includes('/') ? script : join(scripts, `${script}.py`),
    entrypoint: 'main',
    paramsText: JSON.stringify(params),
    context: { queue: 'cpu', retry: 0 },
    data: null,
    rootFile: null,
    outputDir: join(folder, 'outputs'),
    computeOnly: false,
    raw: false,
    timeLimitMs: null,
    memoryLimitBytes: null,
    logFile: join(folder, 'logs', '1.log'),
    resultFile: join(folder, 'result.json'),
    ...changes,
  };
}

export interface Started {
  readonly outcome: Promise<ScriptOutcome>;
  readonly snapshots: ProgressSnapshot[];
  readonly abort: (reason?: string) => void;
  readonly pid: () => number | null;
}

export function begin(runner: Runner, task: ScriptTask): Started {
  const controller = new AbortController();
  const snapshots: ProgressSnapshot[] = [];
  let pid: number | null = null;
  const outcome = runner.run(task, {
    signal: controller.signal,
    onStarted: (started) => {
      pid = started;
    },
    onProgress: (snapshot) => snapshots.push(snapshot),
  });
  return { outcome, snapshots, abort: (reason = 'cancel') => controller.abort(reason), pid: () => pid };
}

/** Runs a task to its end and makes sure that nothing of it is left. */
export async function runToEnd(runner: Runner, task: ScriptTask): Promise<ScriptOutcome> {
  const outcome = await begin(runner, task).outcome;
  expect(processesOf(task.attemptId), 'processes of the attempt').toEqual([]);
  return outcome;
}

export async function failureOf(runner: Runner, task: ScriptTask): Promise<Extract<ScriptOutcome, { ok: false }>> {
  const outcome = await runToEnd(runner, task);
  if (outcome.ok) throw new Error(`expected a failure, got ${JSON.stringify(outcome.result)}`);
  return outcome;
}

export async function resultOf(runner: Runner, task: ScriptTask): Promise<Json> {
  const outcome = await runToEnd(runner, task);
  if (!outcome.ok) throw new Error(outcome.error.traceback);
  return outcome.resultFileBytes === null ? outcome.result : JSON.parse(readFileSync(task.resultFile, 'utf8'));
}

export function logOf(task: ScriptTask): string {
  try {
    return readFileSync(task.logFile, 'utf8');
  } catch {
    return '';
  }
}

export function hasLogged(task: ScriptTask, text: string): Promise<void> {
  return waitFor(() => {
    expect(logOf(task)).toContain(text);
  });
}

/** Pids of living processes for which `match` holds, by their environment and command line. */
function processes(match: (environment: string, command: string) => boolean): number[] {
  const found: number[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const state = readFileSync(`/proc/${name}/stat`, 'latin1').split(') ').at(-1)?.charAt(0);
      if (state === 'Z' || state === 'X') continue;
      const environment = readFileSync(`/proc/${name}/environ`, 'latin1');
      const command = readFileSync(`/proc/${name}/cmdline`, 'latin1').replaceAll('\0', ' ');
      if (match(environment, command)) found.push(Number(name));
    } catch {
      // it ended while we looked
    }
  }
  return found;
}

export function processesOf(attemptId: string): number[] {
  return processes((environment) => environment.includes(`PIXYZ_ATTEMPT=${attemptId}`));
}

export function processesWithCommand(text: string): number[] {
  return processes((_, command) => command.includes(text));
}

/** Processes that descend from a worker (this process, or another one by its pid). */
export function processesOfWorker(pid: number): number[] {
  return processes((environment) => environment.includes(`PIXYZ_WORKER_PID=${pid}:`));
}

export async function startRunner(changes: Partial<RunnerOptions> = {}): Promise<Runner> {
  const runner = createRunner(runnerOptions(changes));
  await runner.start();
  return runner;
}
