import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { loadSettings } from '../src/config/settings.js';
import { machineFacts } from './support/machine.js';
import { ours, prepareOwn } from './support/ours.js';
import { median, show, table } from './support/stats.js';

/**
 * `npm run bench -- liveness`: how soon a cancel is felt, and how soon a job of a killed worker runs again.
 *
 *     --rounds 10            of each
 *     --only LIST            some of cancel,lost
 *     --dynamic-config FILE  of the Temporal server, to try another one
 *
 * A cancel counts from the request until no process of the script is left, a lost worker from `kill -9` until the script has begun
 * on another one.
 */
const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '10' },
    only: { type: 'string', default: 'cancel,lost' },
    'dynamic-config': { type: 'string' },
  },
  allowPositionals: true,
});

const rounds = Number(options.rounds);
const parts = options.only.split(',');
const say = (line: string) => process.stdout.write(`${line}\n`);
const settings = loadSettings(process.env, process.cwd());
const machine = await machineFacts();
const own = await prepareOwn(settings.PIXYZ_CACHE_PATH, settings.PYTHON, false);
const dynamicConfig = options['dynamic-config'];
const folder = await mkdtemp(join(tmpdir(), 'pixyz-liveness-'));

/** What scripts do while nobody cancels them. */
const bodies = {
  'sleeps in Python': 'time.sleep(600)',
  'ignores TERM': 'signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    time.sleep(600)',
  'has started programs': 'subprocess.Popen(["sleep", "600"])\n    subprocess.run(["sleep", "600"])',
} as const;
const scriptOf = (body: string) => `import os, signal, subprocess, time
def main(pc, params):
    open(os.path.join(params["dir"], "started-%d" % os.getpid()), "w").close()
    ${body}
`;

/** Processes that carry the mark of a job's attempts in their environment, zombies not counted. */
function processesOf(jobId: string): number {
  let count = 0;
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      // A zombie's environment is empty.
      if (readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`PIXYZ_ATTEMPT=${jobId}`)) count += 1;
    } catch {
      // ended meanwhile
    }
  }
  return count;
}

async function until(what: string, check: () => boolean | Promise<boolean>, everyMs = 5): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within a minute; logs in ${folder}`);
    await sleep(everyMs);
  }
}

const system = await ours({ ...own, ...(dynamicConfig === undefined ? {} : { dynamicConfig }) }).start(folder);
const call = (path: string, init: RequestInit = {}) =>
  fetch(`${system.baseUrl}${path}`, { ...init, headers: { 'x-api-key': system.token } });

let jobs = 0;
function newDir(): string {
  const dir = join(folder, `job-${jobs++}`);
  mkdirSync(dir);
  return dir;
}

async function begin(body: string): Promise<{ jobId: string; dir: string }> {
  const dir = newDir();
  const form = new FormData();
  form.set('process', 'custom');
  form.set('params', JSON.stringify({ dir }));
  form.set('script', new Blob([scriptOf(body)]), 'script.py');
  const answer = await call('/jobs', { method: 'POST', body: form });
  if (!answer.ok) throw new Error(`POST /jobs answered ${answer.status}: ${await answer.text()}`);
  const { uuid: jobId } = (await answer.json()) as { uuid: string };
  await until('the script has begun', () => readdirSync(dir).length === 1);
  return { jobId, dir };
}

/** The same as the one node of a graph: that is a workflow's activity, and a job alone is an activity without a workflow. */
async function beginGraph(body: string): Promise<{ jobId: string; path: string }> {
  const dir = newDir();
  const form = new FormData();
  const graph = JSON.stringify({ nodes: [{ id: 'node', script: 'steps', params: { dir } }] });
  form.set('graph', new Blob([graph], { type: 'application/json' }), 'graph.json');
  form.set('steps', new Blob([scriptOf(body)]), 'steps.py');
  const answer = await call('/graphs', { method: 'POST', body: form });
  if (!answer.ok) throw new Error(`POST /graphs answered ${answer.status}: ${await answer.text()}`);
  const { id } = (await answer.json()) as { id: string };
  await until('the node has begun', () => readdirSync(dir).length === 1);
  const { job } = (await (await call(`/graphs/${id}/nodes/node`)).json()) as { job: string };
  return { jobId: job, path: `/graphs/${id}` };
}

async function cancelled(body: string): Promise<number> {
  const { jobId } = await begin(body);
  return endedAfterCancel(jobId, `/jobs/${jobId}`);
}

async function cancelledGraph(body: string): Promise<number> {
  const { jobId, path } = await beginGraph(body);
  return endedAfterCancel(jobId, path);
}

async function endedAfterCancel(jobId: string, path: string): Promise<number> {
  await until('its processes are seen', () => processesOf(jobId) > 0);
  // Cancels travel with the answers to heartbeats: at any moment between two of them, or all rounds would hit the same one.
  await sleep(300 + Math.random() * 800);
  const asked = performance.now();
  const answer = await call(`${path}/cancel`, { method: 'POST' });
  if (!answer.ok) throw new Error(`cancel answered ${answer.status}: ${await answer.text()}`);
  await until('its processes are gone', () => processesOf(jobId) === 0);
  return performance.now() - asked;
}

async function lost(): Promise<number> {
  const { jobId, dir } = await begin(
    `while not os.path.exists(os.path.join(params["dir"], "go")):\n        time.sleep(0.01)`,
  );
  const details = async () =>
    (await (await call(`/jobs/${jobId}/details`)).json()) as { status: string; attempts?: { worker: string }[] };
  await until('the attempt is in the record', async () => (await details()).attempts?.length === 1);
  const pid = Number((await details()).attempts?.[0]?.worker.split('-').at(-1));
  const spare = await system.startWorker?.();
  if (spare === pid) throw new Error('the spare worker has the job');
  const killed = performance.now();
  process.kill(pid, 'SIGKILL');
  await until('the job runs again', () => readdirSync(dir).length === 2);
  const ms = performance.now() - killed;
  writeFileSync(join(dir, 'go'), '');
  await until('the job ends', async () => (await details()).status === 'SUCCESS', 20);
  return ms;
}

let exitCode = 0;
try {
  say(
    `${machine.cores} cores, ${machine.cpu}; load before ${machine.loadBefore.join(' ')}; ${own.versions['temporal']}; ${rounds} rounds`,
  );
  const rows: string[][] = [];
  const measure = async (title: string, once: () => Promise<number>) => {
    const samples: number[] = [];
    for (let round = 0; round < rounds; round++) samples.push(await once());
    rows.push([title, show(median(samples)), show(Math.max(...samples))]);
  };
  if (parts.includes('cancel')) {
    for (const [name, body] of Object.entries(bodies))
      await measure(`cancel of a script that ${name}`, () => cancelled(body));
  }
  if (parts.includes('cancel')) {
    await measure('cancel of a graph whose node sleeps in Python', () => cancelledGraph(bodies['sleeps in Python']));
  }
  if (parts.includes('lost')) await measure('kill -9 of its worker, until it runs again', lost);
  say(table(['ms', 'p50', 'max'], rows));
} catch (error) {
  process.stderr.write(`the benchmark could not be run: ${error instanceof Error ? error.stack : String(error)}\n`);
  exitCode = 1;
} finally {
  await system.stop();
  if (exitCode === 0 && existsSync(folder)) await rm(folder, { recursive: true, force: true });
}
process.exit(exitCode);
