import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { projectRoot } from '../src/config/project-root.js';
import { loadSettings } from '../src/config/settings.js';
import { machineFacts } from './support/machine.js';
import { ours, prepareOwn } from './support/ours.js';
import { percentile, show, table } from './support/stats.js';

/**
 * `npm run bench -- lists`: how long a page of the list of jobs takes, beside how many jobs are stored.
 *
 *     --jobs 100,10000,100000  stored, one after the other
 *     --calls 100              of each kind
 *     --limit 50               jobs on a page
 *     --serve                  do not measure: store the first number of jobs, tell address and token, wait for Ctrl-C
 *
 * Some jobs of each kind run, then they are copied: see `support/store_jobs.py`.
 */
const { values: options } = parseArgs({
  options: {
    jobs: { type: 'string', default: '100,10000,100000' },
    calls: { type: 'string', default: '100' },
    limit: { type: 'string', default: '50' },
    serve: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});

const sizes = options.jobs.split(',').map(Number);
const calls = Number(options.calls);
const say = (line: string) => process.stdout.write(`${line}\n`);
const settings = loadSettings(process.env, process.cwd());
const machine = await machineFacts();
const own = await prepareOwn(settings.PIXYZ_CACHE_PATH, settings.PYTHON, false);
const folder = await mkdtemp(join(tmpdir(), 'pixyz-lists-'));
const system = await ours(own).start(folder);
const headers = { 'x-api-key': system.token };

interface Page {
  readonly jobs: readonly unknown[];
  readonly next: string | null;
}

async function get<T>(path: string): Promise<T> {
  const answer = await fetch(`${system.baseUrl}${path}`, { headers });
  if (!answer.ok) throw new Error(`GET ${path} answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as T;
}

async function run(fields: Readonly<Record<string, string>>): Promise<string> {
  const form = new FormData();
  for (const [name, value] of Object.entries({ name: 'template', ...fields })) form.set(name, value);
  if (fields['process'] === undefined)
    form.set('script', new Blob(['def main(pc, params):\n    raise ValueError()\n']), 'fails.py');
  const answer = await fetch(`${system.baseUrl}/jobs`, { method: 'POST', headers, body: form });
  const { uuid } = (await answer.json()) as { uuid: string };
  for (;;) {
    const { status } = await get<{ status: string }>(`/jobs/${uuid}`);
    if (status === 'SUCCESS' || status === 'FAILURE') return uuid;
    await sleep(20);
  }
}

/** Some of each kind: alone and with a run of their own (a callback needs one), on two queues, one in ten failed. */
async function runTemplates(): Promise<string[]> {
  const alone = { process: 'api_test' };
  const kinds: Record<string, string>[] = [alone, { ...alone, config: '{"queue": "gpu"}' }];
  kinds.push({ ...alone, config: JSON.stringify({ callback: { url: `${system.baseUrl}/dev/callback` } }) });
  const jobs: string[] = [];
  for (let i = 0; i < 9; i++) jobs.push(await run(kinds[i % kinds.length] ?? alone));
  jobs.push(await run({ config: '{"retries": 0}' }));
  for (;;) {
    const { jobs: listed } = await get<Page>('/jobs?name=template&status=SUCCESS&status=FAILURE');
    if (listed.length === jobs.length) return jobs;
    await sleep(50);
  }
}

async function store(count: number, templates: readonly string[]): Promise<void> {
  const script = join(projectRoot, 'bench', 'support', 'store_jobs.py');
  const database = join(folder, 'temporal', 'temporal.db');
  const args = [script, database, join(folder, 'share'), String(count), ...templates];
  await promisify(execFile)(own.python, args);
}

const page = `/jobs?view=table&limit=${options.limit}`;
/** What people ask of a list; each is asked with and without what changes from call to call. */
const kinds: Readonly<Record<string, () => Promise<string>>> = {
  'first page': async () => page,
  'the page after a hundred others': async () => middle,
  'failed ones': async () => `${page}&status=FAILURE`,
  'failed ones, without graphs': async () => `${page}&status=FAILURE&in_graphs=false`,
  'of a queue': async () => `${page}&queue=gpu`,
  'an exact name': async () => `${page}&name=template`,
  'a part of a common name': async () => `${page}&name_contains=pump`,
  'a part of a name that nothing has': async () => `${page}&name_contains=nowhere`,
  'an hour': async () => {
    const at = Date.now() - 3600_000 * (1 + Math.floor(Math.random() * 10));
    return `${page}&since=${new Date(at).toISOString()}&until=${new Date(at + 3600_000).toISOString()}`;
  },
  'a thousand, short': async () => '/jobs?limit=1000',
  'the numbers above the list': async () => '/summary',
};
let middle = page;

async function timed(path: string): Promise<number> {
  const began = performance.now();
  await get(path);
  return performance.now() - began;
}

let exitCode = 0;
try {
  const templates = await runTemplates();
  let stored = 0;
  const columns: string[][] = Object.keys(kinds).map((kind) => [kind]);
  for (const size of options.serve ? sizes.slice(0, 1) : sizes) {
    await store(Math.max(0, size - stored), templates);
    stored = Math.max(stored, size);
    if (options.serve) break;
    middle = page;
    // As somebody pages, and not further than anybody would: a hundred pages.
    for (let turned = 0; turned < 100; turned++) {
      const { next } = await get<Page>(middle);
      if (next === null) break;
      middle = `${page}&cursor=${next}`;
    }
    for (const [at, kind] of Object.values(kinds).entries()) {
      const samples: number[] = [];
      for (let call = 0; call < calls; call++) {
        const path = await kind();
        // What is remembered for two seconds is not what is measured.
        if (path === '/summary') await sleep(call === 0 ? 2000 : 0);
        samples.push(await timed(path));
        if (path === '/summary') break;
      }
      columns[at]?.push(show(percentile(samples, 0.5)), show(percentile(samples, 0.95)));
    }
  }
  if (options.serve) {
    say(`${stored} jobs stored; ${system.baseUrl} token ${system.token}; Ctrl-C ends it`);
    await new Promise((resolve) => process.once('SIGINT', resolve).once('SIGTERM', resolve));
  } else {
    say(`${machine.cores} cores, ${machine.cpu}; load before ${machine.loadBefore.join(' ')}; ${calls} calls each`);
    const heads = sizes.flatMap((size) => [`${size} jobs, p50`, 'p95']);
    say(table(['GET, ms', ...heads], columns));
  }
} catch (error) {
  process.stderr.write(`the benchmark could not be run: ${error instanceof Error ? error.stack : String(error)}\n`);
  exitCode = 1;
} finally {
  await system.stop();
  if (exitCode === 0 && existsSync(folder)) await rm(folder, { recursive: true, force: true });
}
process.exit(exitCode);
