import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium, type Page } from 'playwright-core';
import { loadSettings } from '../src/config/settings.js';
import { obtainChromium } from '../test/support/chromium.js';
import { longestFrame } from '../test/support/frames.js';
import { machineFacts } from './support/machine.js';
import { ours, prepareOwn } from './support/ours.js';
import { show, table } from './support/stats.js';

/**
 * `npm run bench -- page-graphs`: a graph on the page, in a real browser: how long until it is drawn, and the longest frame
 * of what people do with it, beside how many nodes it has. The budget is 100 ms a frame.
 *
 *     --nodes 100,1000,10000   of the graphs
 *     --rounds 3               of each; the middle one is told
 */
const { values: options } = parseArgs({
  options: {
    nodes: { type: 'string', default: '100,1000,10000' },
    rounds: { type: 'string', default: '3' },
  },
  allowPositionals: true,
});

const sizes = options.nodes.split(',').map(Number);
const say = (line: string) => process.stdout.write(`${line}\n`);
const settings = loadSettings(process.env, process.cwd());
const machine = await machineFacts();
const own = await prepareOwn(settings.PIXYZ_CACHE_PATH, settings.PYTHON, false);
const folder = await mkdtemp(join(tmpdir(), 'pixyz-page-'));
const system = await ours(own).start(folder);
const { path, env } = await obtainChromium(settings.PIXYZ_CACHE_PATH);
const browser = await chromium.launch({ executablePath: path, env: env as Record<string, string> });
const context = await browser.newContext({ viewport: { width: 1360, height: 850 } });

const range = (count: number) => Array.from({ length: count }, (_, at) => at);
const links = ['import', 'repair', 'tessellate', 'decimate', 'export'];

/** Chains of five; nobody serves their queue, so that every round finds the same. */
async function send(count: number): Promise<string> {
  const task = { command: ['true'], queue: 'nobody' };
  const nodes = range(Math.floor(count / links.length)).flatMap((at) =>
    links.map((link, place) => ({
      id: `${link}-${at}`,
      ...task,
      deps: place === 0 ? [] : [`${links[place - 1]}-${at}`],
    })),
  );
  const answer = await fetch(`${system.baseUrl}/graphs`, {
    method: 'POST',
    headers: { 'x-api-key': system.token, 'content-type': 'application/json' },
    body: JSON.stringify({ name: `${count} nodes`, nodes }),
  });
  if (!answer.ok) throw new Error(`POST /graphs answered ${answer.status}: ${await answer.text()}`);
  return ((await answer.json()) as { id: string }).id;
}

const actions: Readonly<Record<string, (page: Page, x: number, y: number) => Promise<void>>> = {
  'zoom with the wheel': async (page, x, y) => {
    await page.mouse.move(x, y);
    for (const delta of [-240, -240, -240, 120, 240, 360]) await page.mouse.wheel(0, delta);
  },
  'move with the mouse': async (page, x, y) => {
    await page.mouse.move(x, y);
    await page.mouse.down();
    for (const step of range(20)) await page.mouse.move(x + step * 15, y + step * 6);
    await page.mouse.up();
  },
  'go from node to node': async (page) => {
    await page.getByRole('application').focus();
    await page.keyboard.press('Home');
    for (const key of ['ArrowRight', 'ArrowRight', 'ArrowDown', 'ArrowLeft']) await page.keyboard.press(key);
  },
  'show the critical path': async (page) => {
    await page.getByRole('button', { name: 'Critical path' }).click();
    await page.getByRole('button', { name: 'Critical path' }).click();
  },
  'find a node': async (page) => {
    await page.getByLabel('Find a node').pressSequentially('tessellate-1');
    await page.getByLabel('Find a node').press('Escape');
  },
  'open the stacks': async (page) => {
    const button = page.getByRole('button', { name: 'Open stacks' });
    if ((await button.count()) === 0) return;
    await button.click();
    await page.getByRole('button', { name: 'Show all' }).click();
  },
  'move with all stacks open': async (page, x, y) => actions['move with the mouse']?.(page, x, y),
  'zoom with all stacks open': async (page, x, y) => actions['zoom with the wheel']?.(page, x, y),
  'click a node': async (page) => {
    await page.getByRole('application').focus();
    await page.keyboard.press('Home');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Close the details' }).click();
  },
  'open the table': async (page) => {
    await page.getByRole('link', { name: 'Nodes', exact: true }).click();
    await page.getByRole('table', { name: 'Nodes of the graph' }).waitFor();
  },
};

const middle = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] as number;

async function round(url: string): Promise<number[]> {
  const page = await context.newPage();
  const began = performance.now();
  await page.goto(url);
  await page.locator('[data-drawn="true"]').waitFor();
  const figures = [performance.now() - began];
  const box = await page.getByRole('application').boundingBox();
  if (box === null) throw new Error('the drawing has no place');
  for (const act of Object.values(actions))
    figures.push(await longestFrame(page, () => act(page, box.x + box.width / 2, box.y + box.height / 2)));
  await page.close();
  return figures;
}

let exitCode = 0;
try {
  const answer = await context.request.post(`${system.baseUrl}/ui/login`, {
    data: { token: system.token },
    headers: { 'x-pixyz-ui': '1' },
  });
  if (!answer.ok()) throw new Error(`sign in: ${answer.status()}`);
  const rows = ['until it is drawn', ...Object.keys(actions)].map((name) => [name]);
  for (const size of sizes) {
    const url = `${system.baseUrl}/ui/graphs/${await send(size)}`;
    const rounds: number[][] = [];
    for (const _ of range(Number(options.rounds))) rounds.push(await round(url));
    for (const [at, row] of rows.entries()) row.push(show(middle(rounds.map((figures) => figures[at] as number))));
  }
  say(`${machine.cores} cores, ${machine.cpu}; load before ${machine.loadBefore.join(' ')}; ${browser.version()}`);
  say(table(['longest frame, ms', ...sizes.map((size) => `${size} nodes`)], rows));
} catch (error) {
  process.stderr.write(`the benchmark could not be run: ${error instanceof Error ? error.stack : String(error)}\n`);
  exitCode = 1;
} finally {
  await browser.close();
  await system.stop();
  if (exitCode === 0) await rm(folder, { recursive: true, force: true });
}
process.exit(exitCode);
