import { spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { guard, startGuarded } from '../../../src/server/guarded-process.js';
import { processesWith } from '../../support/leftovers.js';
import { waitFor } from '../../support/wait-for.js';

let folder: string;
let logFile: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pixyz-guarded-'));
  logFile = join(folder, 'log');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const log = () => readFileSync(logFile, 'utf8');
const start = (script: string, graceSeconds = 5) =>
  startGuarded({
    command: process.execPath,
    args: ['-e', script],
    env: { ...process.env, MARK: folder },
    logFile,
    graceSeconds,
  });
const forever = "setInterval(() => {}, 1000); console.log('up');";
const deaf = `process.on('SIGTERM', () => console.log('no')); ${forever}`;

describe('a guarded program', () => {
  test('tells its exit code, and its output is in the log', async () => {
    const { exited } = await start("console.log('said'); process.exit(7)");
    expect(await exited).toEqual({ code: 7, signal: null });
    expect(log()).toBe('said\n');
  });

  test('is told to end, and may end in its own way', async () => {
    const running = await start(`process.on('SIGTERM', () => { console.log('bye'); process.exit(3); }); ${forever}`);
    await waitFor(() => log().includes('up'));
    expect(await running.stop()).toEqual({ code: 3, signal: null });
    expect(log()).toContain('bye');
  });

  test('is ended after the grace when it does not listen', async () => {
    const running = await start(deaf);
    await waitFor(() => log().includes('up'));
    await running.stop(0.2);
    await waitFor(() => expect(processesWith(folder)).toEqual([]));
  });

  test('reads an empty input, not our terminal', async () => {
    const { exited } = await start("process.stdin.on('end', () => process.exit(0)).resume()");
    expect(await exited).toEqual({ code: 0, signal: null });
  });

  test('that cannot be started says so by its exit', async () => {
    const running = await startGuarded({
      command: join(folder, 'nothing-here'),
      args: [],
      env: { ...process.env, MARK: folder },
      logFile,
      graceSeconds: 1,
    });
    expect((await running.exited).code).toBe(127);
    expect(log()).toMatch(/not found|No such file/);
  });
});

describe('when the process that started it is killed with SIGKILL', () => {
  // The parent is a process of its own, so that it can be killed; it does with the guard what startGuarded does.
  const parent = async (script: string, graceSeconds: number) => {
    const file = join(folder, 'parent.cjs');
    writeFileSync(
      file,
      `const { spawn } = require('node:child_process');
       spawn('/bin/sh', ['-c', ${JSON.stringify(guard)}, 'guard', '${graceSeconds}', process.execPath, '-e', ${JSON.stringify(script)}],
         { stdio: ['pipe', 'inherit', 'inherit'], detached: true });
       setInterval(() => {}, 1000);`,
    );
    const out = openSync(logFile, 'a');
    const child = spawn(process.execPath, [file], {
      env: { ...process.env, MARK: folder },
      stdio: ['ignore', out, out],
    });
    await waitFor(() => log().includes('up'));
    child.kill('SIGKILL');
  };

  test('a program that listens to TERM ends at once', async () => {
    await parent(forever, 20);
    await waitFor(() => expect(processesWith(folder)).toEqual([]), { timeoutMs: 5000 });
  });

  test('one that does not is killed after the grace', async () => {
    await parent(deaf, 1);
    await waitFor(() => expect(processesWith(folder)).toEqual([]), { timeoutMs: 10_000 });
    expect(log()).toContain('no');
  });
});
