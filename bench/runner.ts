/**
 * How long a trivial task takes through a warm child: from `run()` until its outcome is there, its process is gone and its log
 * is closed. `npm run build` first, then `node dist/bench/runner.js`, or with any loader of TypeScript.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../src/config/project-root.js';
import type { ScriptTask } from '../src/contract/runner.js';
import { scriptEnvironment } from '../src/runner/environment.js';
import { createRunner } from '../src/runner/runner.js';

const rounds = Number(process.env['ROUNDS'] ?? 300);
const folder = mkdtempSync(join(tmpdir(), 'runner-bench-'));
const script = join(folder, 'trivial.py');
writeFileSync(script, 'def main(pc, params):\n    return {"n": params["n"] + 1}\n');
const quiet = { debug() {}, info() {}, warn: console.error, error: console.error };

function task(n: number): ScriptTask {
  return {
    attemptId: `bench-${n}`,
    jobId: '00000000-0000-4000-8000-000000000001',
    script,
    entrypoint: 'main',
    paramsText: JSON.stringify({ n }),
    context: { queue: 'cpu', retry: 0 },
    data: null,
    rootFile: null,
    outputDir: join(folder, 'outputs'),
    computeOnly: true,
    raw: false,
    timeLimitMs: 60_000,
    memoryLimitBytes: null,
    logFile: join(folder, `${n}.log`),
    resultFile: join(folder, `${n}.json`),
  };
}

function show(name: string, times: number[]): void {
  times.sort((a, b) => a - b);
  const at = (share: number) => (times[Math.floor(times.length * share)] ?? Number.NaN).toFixed(2);
  console.log(`${name}: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms (${times.length} tasks)`);
}

/** CPU of this process, of the host and of the children it has reaped, ms; /proc counts in hundredths of a second. */
function cpuMs(): { readonly runner: number; readonly host: number; readonly children: number } {
  const { user, system } = process.cpuUsage();
  let [host, children] = [0, 0];
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const text = readFileSync(`/proc/${name}/stat`, 'utf8');
      const [, parent, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ');
      if (Number(parent) !== process.pid) continue;
      host += (Number(rest[9]) + Number(rest[10])) * 10;
      children += (Number(rest[11]) + Number(rest[12])) * 10;
    } catch {
      // it has ended meanwhile
    }
  }
  return { runner: (user + system) / 1000, host, children };
}

for (const mode of ['fork', 'spawn'] as const) {
  const runner = createRunner({
    python: process.env['PYTHON'] ?? 'python3',
    pythonPath: [join(projectRoot, 'python')],
    environment: scriptEnvironment(process.env),
    warm: Number(process.env['WARM'] ?? 3),
    mode,
    pixyz: {
      disabled: process.env['DISABLE_PIXYZ'] !== 'false',
      pythonPath: null,
      licence: { flexlm: false, host: null, port: 27000, acquireAtStart: true },
    },
    logger: quiet,
  });
  const before = performance.now();
  await runner.start();
  console.log(`${mode}: first child ready after ${(performance.now() - before).toFixed(0)} ms`);
  const count = mode === 'fork' ? rounds : Math.min(rounds, 40);
  const timed = async (n: number) => {
    const start = performance.now();
    const outcome = await runner.run(task(n), { signal: new AbortController().signal });
    if (!outcome.ok) throw new Error(outcome.error.traceback);
    return performance.now() - start;
  };
  for (const pauseMs of [30, 0]) {
    const times: number[] = [];
    const start = performance.now();
    for (let n = 0; n < count; n++) {
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, mode === 'fork' ? pauseMs : 250));
      times.push(await timed(n));
    }
    const elapsed = (performance.now() - start) / 1000;
    show(`${mode}, ${pauseMs > 0 ? 'spaced' : `back to back (${(count / elapsed).toFixed(0)}/s)`}`, times);
  }
  const start = performance.now();
  const cpuBefore = cpuMs();
  let next = 0;
  const times: number[] = [];
  await Promise.all(
    Array.from({ length: 2 }, async () => {
      while (next < count) times.push(await timed(next++));
    }),
  );
  show(`${mode}, two at a time (${(count / ((performance.now() - start) / 1000)).toFixed(0)}/s)`, times);
  const cpu = cpuMs();
  const each = (key: keyof typeof cpu) => ((cpu[key] - cpuBefore[key]) / count).toFixed(2);
  console.log(`  CPU ms a task: runner ${each('runner')}, host ${each('host')}, children ${each('children')}`);
  await runner.stop();
}
rmSync(folder, { recursive: true, force: true });
