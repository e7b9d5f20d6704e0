import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../src/config/project-root.js';
import { loadSettings } from '../src/config/settings.js';
import { machineFacts } from './support/machine.js';
import { measureReads, measureRound, type Plan, type Round } from './support/measure.js';
import { ours, prepareOwn } from './support/ours.js';
import { report } from './support/report.js';
import { prepareRival, rival } from './support/rival.js';
import type { System } from './support/system.js';

/**
 * `npm run bench -- jobs`: a trivial job over REST, ours beside Celery + Redis, in one run (docs/benchmarks.md).
 *
 *     --rounds 3     rounds of each system, interleaved so that drift of the machine meets all of them
 *     --jobs 300     jobs of a throughput phase
 *     --single 60    jobs of a latency phase
 *     --stored 10000 jobs in the store while single states are read
 *     --only LIST    some of ours,isolated,bare
 *     --pxz          with the Pixyz module loaded in our children (the rival has none)
 *     --keep         keep the temporary folder with all logs
 *
 * Exit code 1 when something could not be run; a missed ratio is printed as MISSED and is no failure.
 */

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    jobs: { type: 'string', default: '300' },
    single: { type: 'string', default: '60' },
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
  warmUps: 20,
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
try {
  for (let number = 1; number <= Number(options.rounds); number++) {
    for (const system of systems) {
      say(`round ${number}: ${system.label}`);
      const home = join(folder, `${system.key}-${number}`);
      await mkdir(home);
      const running = await system.start(home);
      try {
        rounds[system.key]?.push(await measureRound(running, script, plan));
        if (number === 1 && stored > 0) {
          const { ids, how } = await running.fill(stored);
          reads[system.key] = { ...(await measureReads(running, ids, 2000, 1)), how };
        }
      } finally {
        await running.stop();
      }
      if (!options.keep) await rm(home, { recursive: true, force: true });
    }
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
  if (!options.keep) await rm(folder, { recursive: true, force: true });
  else say(`logs: ${folder}`);
}
process.exit(exitCode);
