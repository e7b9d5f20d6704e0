import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Browser, chromium } from 'playwright-core';
import { loadSettings } from '../src/config/settings.js';
import { obtainChromium } from '../test/support/chromium.js';
import { machineFacts } from './support/machine.js';
import { percentile, show, table } from './support/stats.js';

/**
 * `npm run bench -- page`: how long a person waits for the list of jobs on the page, beside how many jobs are stored.
 *
 *     --jobs 100,10000,100000  stored; a system of its own for each
 *     --rounds 20              of each kind
 *
 * In a real browser: from the navigation, or the click, to the first row of the list in the document. Jobs are stored as
 * the benchmark `lists` does it.
 */
const { values: options } = parseArgs({
  options: { jobs: { type: 'string', default: '100,10000,100000' }, rounds: { type: 'string', default: '20' } },
  allowPositionals: true,
});
const sizes = options.jobs.split(',').map(Number);
const rounds = Number(options.rounds);
const settings = loadSettings(process.env, process.cwd());
const machine = await machineFacts();
const { path, env } = await obtainChromium(settings.PIXYZ_CACHE_PATH);

interface Served {
  readonly url: string;
  readonly token: string;
  stop(): Promise<void>;
}

async function serve(jobs: number): Promise<Served> {
  const program = fileURLToPath(new URL('lists.js', import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [program, '--serve', '--jobs', String(jobs)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    const [, url, token] = / (http:\S+) token (\S+);/.exec(line) ?? [];
    if (url === undefined || token === undefined) continue;
    const stop = async () => {
      child.kill('SIGINT');
      await ended;
    };
    return { url, token, stop };
  }
  throw new Error('the system for the benchmark has ended');
}

const rowsAreThere = 'document.querySelector("table.list tbody tr") !== null';
/** What the person sees last: the rows of the list, drawn. */
const drawn = `new Promise((resolve) => {
  const look = () => ${rowsAreThere} ? requestAnimationFrame(() => resolve(performance.now())) : requestAnimationFrame(look);
  look();
})`;

async function measure(browser: Browser, { url, token }: Served): Promise<Record<string, number[]>> {
  const context = await browser.newContext({ viewport: { width: 1360, height: 850 } });
  const login = await context.request.post(`${url}/ui/login`, { data: { token }, headers: { 'x-pixyz-ui': '1' } });
  if (!login.ok()) throw new Error(`sign in answered ${login.status()}`);
  const page = await context.newPage();
  const samples: Record<string, number[]> = { 'opened anew': [], 'filtered by a click': [], 'next page': [] };
  await page.goto(`${url}/ui/jobs`);
  await page.evaluate(drawn);
  for (let round = 0; round < rounds; round++) {
    await page.goto(`${url}/ui/jobs`);
    samples['opened anew']?.push((await page.evaluate(drawn)) as number);
    for (const [kind, link, asked] of [
      ['filtered by a click', '.segments a[href*="state=failed"]', 'status=FAILURE'],
      ['next page', '.pager a[rel=next]', '&cursor='],
    ] as const) {
      await page.goto(`${url}/ui/jobs`);
      await page.evaluate(drawn);
      if ((await page.locator(link).count()) === 0) continue;
      samples[kind]?.push((await page.evaluate(drawnAfterClick(link, asked))) as number);
    }
  }
  await context.close();
  return samples;
}

/** From the click until what was asked for is there and drawn. */
function drawnAfterClick(link: string, asked: string): string {
  return `new Promise((resolve) => {
    performance.clearResourceTimings();
    const began = performance.now();
    document.querySelector(${JSON.stringify(link)}).click();
    const look = () => {
      const there = performance.getEntriesByType('resource').some(({ name }) => name.includes(${JSON.stringify(asked)}));
      requestAnimationFrame(there ? () => requestAnimationFrame(() => resolve(performance.now() - began)) : look);
    };
    look();
  })`;
}

const columns = new Map<string, string[]>();
const browser = await chromium.launch({ executablePath: path, env: env as Record<string, string> });
try {
  for (const size of sizes) {
    const served = await serve(size);
    try {
      for (const [kind, values] of Object.entries(await measure(browser, served))) {
        const cells =
          values.length === 0 ? ['–', '–'] : [show(percentile(values, 0.5)), show(percentile(values, 0.95))];
        columns.set(kind, [...(columns.get(kind) ?? [kind]), ...cells]);
      }
    } finally {
      await served.stop();
    }
  }
} finally {
  await browser.close();
}
const heads = sizes.flatMap((size) => [`${size} jobs, p50`, 'p95']);
process.stdout.write(
  `${machine.cores} cores, ${machine.cpu}; load before ${machine.loadBefore.join(' ')}; ${rounds} rounds\n` +
    `${table(['list of jobs, ms', ...heads], [...columns.values()])}\n`,
);
