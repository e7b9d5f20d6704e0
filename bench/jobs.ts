import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../src/config/project-root.js';
import { loadSettings } from '../src/config/settings.js';
import { machineFacts } from './support/machine.js';
import { measureReads, measureRound, type Plan, type Round, warmUp } from './support/measure.js';
import { ours, prepareOwn } from './support/ours.js';
import { freeze } from './support/processes.js';
import { report } from './support/report.js';
import { prepareRival, rival } from './support/rival.js';
import type { RunningSystem, System } from './support/system.js';

/**
 * `npm run bench -- jobs`: a trivial job over REST, ours beside Celery + Redis, in one run (docs/benchmarks.md).
 *
 *     --warm 600     jobs that each system runs before anything is measured
 *     --rounds 7     rounds of each system, in turn: seconds apart, so that drift of the machine meets all of them
 *     --single 30    jobs of a round's latency phase
 *     --jobs 300     jobs of a round's throughput phase
 *     --stored 10000 jobs in the store while single states are read
 *     --only LIST    some of ours,isolated,bare
 *     --pxz          with the Pixyz module loaded in our children (the rival has none)
 *     --keep         keep the temporary folder with all logs
 *
 * Exit code 1 when something could not be run; a missed ratio is printed as MISSED and is no failure.
 */

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    warm: { type: 'string', default: '600' },
    jobs: { type: 'string', default: '300' },
    single: { type: 'string', default: '30' },
    stored: { type: 'string', default: '10000' },
    only: { type: 'string', default: 'ours,isolated,bare' },
    pxz: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});

const say = (line: string) => process.stdout.write(`${line}\n`);

const sources = join(projectRoot, 'bench', 'celery');
const settings = loadSettings(process.env, process.cwd());
const machine = await machineFacts();
const tools = await prepareRival(join(settings.PIXYZ_CACHE_PATH, 'bench'), sources, say);
const own = await prepareOwn(settings.PIXYZ_CACHE_PATH, settings.PYTHON, options.pxz);
const versions = { ...own.versions, ...tools.versions };
const wanted = options.only.split(',');
const all: readonly System[] = [ours(own), rival('isolated', tools), rival('bare', tools)];
const systems = all.filter((system) => wanted.includes(system.key));
const script = await readFile(join(sources, 'trivial.py'), 'utf8');
const plan: Plan = {
  warmUps: 30,
  warmBurst: Number(options.warm),
  latencyJobs: Number(options.single),
  pollMs: 2,
  burstJobs: Number(options.jobs),
  submitters: 12,
};
const stored = Number(options.stored);

const folder = await mkdtemp(join(tmpdir(), 'pixyz-bench-'));
const rounds: Record<string, Round[]> = Object.fromEntries(systems.map((system) => [system.key, []]));
const reads: Record<string, Awaited<ReturnType<typeof measureReads>> & { how: string }> = {};
let exitCode = 0;
const up: { readonly system: System; readonly running: RunningSystem }[] = [];
const thaw = () => {
  for (const { running } of up) freeze(running.pids, false);
};
// Ctrl-C reaches all of them, but those that are stopped hear of it only when they go on.
process.once('SIGINT', () => {
  thaw();
  process.exit(130);
});
try {
  for (const system of systems) {
    const home = join(folder, system.key);
    await mkdir(home);
    say(`starting and warming up: ${system.label}`);
    const running = await system.start(home);
    up.push({ system, running });
    await warmUp(running, script, plan);
    freeze(running.pids, true);
  }
  for (let number = 0; number < Number(options.rounds); number++) {
    say(`round ${number + 1} of ${options.rounds}`);
    // Another one begins each time, so that none always follows the same one.
    const first = number % up.length;
    for (const { system, running } of [...up.slice(first), ...up.slice(0, first)]) {
      freeze(running.pids, false);
      rounds[system.key]?.push(await measureRound(running, script, plan));
      freeze(running.pids, true);
    }
  }
  for (const { system, running } of stored > 0 ? up : []) {
    say(`reading a state: ${system.label}`);
    freeze(running.pids, false);
    const { ids, how } = await running.fill(stored);
    reads[system.key] = { ...(await measureReads(running, ids, 2000, 1)), how };
    freeze(running.pids, true);
  }
  const text = report({ machine, versions, plan, stored, systems, rounds, reads });
  say(`\n${text}`);
  const results = join(projectRoot, 'bench', 'results');
  await mkdir(results, { recursive: true });
  const at = new Date().toISOString();
  const name = `jobs-${at.slice(0, 19).replaceAll(':', '')}.json`;
  const content = { at, machine, versions, plan, stored, rounds, reads };
  await writeFile(join(results, name), `${JSON.stringify(content, null, 1)}\n`);
  say(`\nbench/results/${name}`);
} catch (error) {
  process.stderr.write(`the benchmark could not be run: ${error instanceof Error ? error.stack : String(error)}\n`);
  process.stderr.write(`logs: ${folder}\n`);
  options.keep = true;
  exitCode = 1;
} finally {
  thaw();
  for (const { running } of up) await running.stop();
  // Only now: the file system looks past what was just deleted whenever something new is made, for minutes.
  if (!options.keep) await rm(folder, { recursive: true, force: true });
  else say(`logs: ${folder}`);
}
process.exit(exitCode);
