import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { Connection } from '@temporalio/client';
import { projectRoot } from '../src/config/project-root.js';
import { loadSettings } from '../src/config/settings.js';
import { GraphClient } from './support/graph-client.js';
import { machineFacts } from './support/machine.js';
import { ours, prepareOwn } from './support/ours.js';
import { end, launch, usageOf } from './support/processes.js';
import { prepareRival, rival } from './support/rival.js';
import { type Shape, shapes } from './support/shapes.js';
import { percentile } from './support/stats.js';

/**
 * `npm run bench -- graphs`: large graphs of nodes that do nothing, and canvases of trivial Python tasks beside Celery, in
 * one run (docs/benchmarks.md).
 *
 *     --only LIST      some of scale,python,isolated,bare
 *     --nodes 10000    nodes of each large graph
 *     --large 50000    nodes of the graph that is cut into parts; 0: none
 *     --repeats 0      as many more wide graphs, one after another: does the interpreter's memory stay flat?
 *     --wide 1000      nodes of a wide graph of real Python tasks
 *     --rounds 3       chains and chords of each system
 */
const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: 'scale,python,isolated,bare' },
    nodes: { type: 'string', default: '10000' },
    large: { type: 'string', default: '50000' },
    wide: { type: 'string', default: '1000' },
    repeats: { type: 'string', default: '0' },
    rounds: { type: 'string', default: '3' },
  },
  allowPositionals: true,
});

const say = (line: string) => process.stdout.write(`${line}\n`);
const run = promisify(execFile);
const parts = options.only.split(',');
const sources = join(projectRoot, 'bench', 'celery');
const settings = loadSettings(process.env, process.cwd());
const machine = await machineFacts();
const own = await prepareOwn(settings.PIXYZ_CACHE_PATH, settings.PYTHON, false);
const folder = await mkdtemp(join(tmpdir(), 'pixyz-bench-'));
const results: Record<string, unknown>[] = [];
const tell = (row: Record<string, unknown>) => {
  results.push(row);
  say(
    Object.entries(row)
      .map(([key, value]) => `${key}: ${typeof value === 'number' ? Math.round(value * 1000) / 1000 : String(value)}`)
      .join('   '),
  );
};

say(
  `Machine: ${machine.cores} cores, ${machine.cpu}, ${machine.memoryGiB} GiB; busy before: ${machine.busyBefore.toFixed(2)}`,
);

async function scale(): Promise<void> {
  const home = join(folder, 'scale');
  await mkdir(home);
  const running = await ours(own).start(home);
  const address = running.temporal as string;
  const worker = launch(
    process.execPath,
    [join(import.meta.dirname, 'support', 'null-worker.js'), address, 'pixyz', 'bench'],
    join(home, 'null-worker.log'),
    { env: process.env },
  );
  const connection = await Connection.connect({ address });
  const client = new GraphClient(running.baseUrl, running.token);
  const apiMiB = () => (usageOf(running.pids, running.classify).residentBytes['API and interpreter'] ?? 0) / 2 ** 20;
  const one = async (shape: Shape, count: number) => {
    const nodes = shapes[shape](count, 'bench');
    const before = apiMiB();
    let peak = before;
    const start = performance.now();
    const id = await client.send({ name: `${shape} ${count}`, nodes });
    const sent = performance.now();
    for (;;) {
      const { state, message } = await client.state(id);
      peak = Math.max(peak, apiMiB());
      if (state === 'succeeded') break;
      if (state === 'failed' || state === 'revoked') throw new Error(`${shape} ${count} ended ${state}: ${message}`);
      await sleep(100);
    }
    const seconds = (performance.now() - start) / 1000;
    const described = await connection.workflowService.describeWorkflowExecution({
      namespace: 'pixyz',
      execution: { workflowId: id },
    });
    const info = described.workflowExecutionInfo;
    tell({
      what: `${shape}, ${nodes.length} nodes that do nothing`,
      'nodes/s': nodes.length / seconds,
      seconds,
      'sent in s': (sent - start) / 1000,
      'history events': Number(info?.historyLength ?? 0),
      'history MB': Number(info?.historySizeBytes ?? 0) / 1e6,
      'interpreter MiB before, at most, after': [before, peak, apiMiB()].map(Math.round).join(' '),
    });
  };
  try {
    for (const shape of ['wide', 'chain', 'diamond', 'random'] as const) await one(shape, Number(options.nodes));
    for (let i = 0; i < Number(options.repeats); i++) await one('wide', Number(options.nodes));
    if (Number(options.large) > 0) await one('random', Number(options.large));
  } finally {
    await connection.close();
    await end([worker], 3000);
    await running.stop();
  }
}

const sizes = { chain: 40, chord: 100 } as const;

function canvasRow(system: string, shape: keyof typeof sizes, seconds: number[]): void {
  const median = percentile(seconds, 0.5);
  tell({
    what: `${shape} of ${sizes[shape]}, ${system}`,
    seconds: median,
    all: seconds.map((value) => value.toFixed(3)).join(' '),
    ...(shape === 'chain' ? { 'ms a step': (median * 1000) / sizes.chain } : { 'tasks/s': (sizes.chord + 1) / median }),
  });
}

async function python(): Promise<void> {
  const home = join(folder, 'python');
  await mkdir(home);
  const running = await ours(own).start(home);
  const client = new GraphClient(running.baseUrl, running.token);
  const script = await readFile(join(sources, 'canvas.py'), 'utf8');
  try {
    for (const shape of ['chain', 'chord'] as const) {
      const seconds: number[] = [];
      for (let round = 0; round <= Number(options.rounds); round++) {
        const took = await client.runScript(script, { shape, count: sizes[shape] });
        if (round > 0) seconds.push(Number(took)); // the first warms up
      }
      canvasRow('ours', shape, seconds);
    }
    const count = Number(options.wide);
    const start = performance.now();
    const id = await client.send({ name: 'wide', nodes: shapes.wide(count, 'cpu') });
    while ((await client.state(id)).state !== 'succeeded') await sleep(50);
    const seconds = (performance.now() - start) / 1000;
    tell({ what: `wide, ${count} Python tasks, ours`, seconds, 'tasks/s': count / seconds });
  } finally {
    await running.stop();
  }
}

async function celery(form: 'isolated' | 'bare'): Promise<void> {
  const tools = await prepareRival(join(settings.PIXYZ_CACHE_PATH, 'bench'), sources, say);
  const home = join(folder, form);
  await mkdir(home);
  const running = await rival(form, tools).start(home);
  try {
    for (const shape of ['chain', 'chord'] as const) {
      const seconds: number[] = [];
      for (let round = 0; round <= Number(options.rounds); round++) {
        const args = [join(sources, 'rival_canvas.py'), join(sources, 'canvas.py'), shape, String(sizes[shape])];
        const { stdout } = await run(tools.python, args, { env: running.env });
        if (round > 0) seconds.push(Number(stdout));
      }
      canvasRow(`Celery, ${form}`, shape, seconds);
    }
  } finally {
    await running.stop();
  }
}

let exitCode = 0;
try {
  if (parts.includes('python')) await python();
  if (parts.includes('isolated')) await celery('isolated');
  if (parts.includes('bare')) await celery('bare');
  if (parts.includes('scale')) await scale();
  const place = join(projectRoot, 'bench', 'results');
  await mkdir(place, { recursive: true });
  const at = new Date().toISOString();
  const name = `graphs-${at.slice(0, 19).replaceAll(':', '')}.json`;
  await writeFile(join(place, name), `${JSON.stringify({ at, machine, results }, null, 1)}\n`);
  say(`bench/results/${name}`);
  await rm(folder, { recursive: true, force: true });
} catch (error) {
  process.stderr.write(`the benchmark could not be run: ${error instanceof Error ? error.stack : String(error)}\n`);
  process.stderr.write(`logs: ${folder}\n`);
  exitCode = 1;
}
process.exit(exitCode);
