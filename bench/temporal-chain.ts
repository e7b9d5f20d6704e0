import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { readSettings } from '../src/config/settings.js';
import { dynamicConfigFile } from '../src/server/dynamic-config.js';
import { startTemporal } from '../src/server/start-temporal.js';
import { findTemporalPrograms, type TemporalPrograms } from '../src/server/temporal-programs.js';
import { machineFacts } from './support/machine.js';
import { processTree } from './support/processes.js';
import { median, percentile, show, table } from './support/stats.js';

/**
 * `npm run bench -- temporal-chain`: what the embedded Temporal server costs, with no-op activities.
 *
 *     --rounds 2      rounds of each variant, interleaved
 *     --variant FILE  a dynamic configuration to compare with the shipped one; may be given more than once.
 *                     Of a file that ends in .part, the lines are added to the shipped ones.
 *     --default       compare with the server's own defaults
 *
 * CPU figures are those of the processes and hold on a busy machine, the times do not.
 */

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '2' },
    variant: { type: 'string', multiple: true, default: [] },
    default: { type: 'boolean', default: false },
    sync: { type: 'string', default: 'normal' },
  },
});

interface Figures {
  readonly stepMs: number;
  readonly stepP95Ms: number;
  readonly stepServerCpuMs: number;
  readonly singleMs: number;
  readonly singleP95Ms: number;
  readonly singleServerCpuMs: number;
  readonly singleOwnCpuMs: number;
  readonly perSecond: number;
  readonly loadedServerCpuMs: number;
  readonly idleCpuMs: number;
  readonly residentMiB: number;
}

const chainLength = 200;
const singles = 60;
const loaded = 300;
const idleSeconds = 3;

async function measure(programs: TemporalPrograms, dynamicConfig: string): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), 'pixyz-temporal-cost-'));
  const namespace = 'pixyz';
  const server = await startTemporal({
    programs,
    dbFile: join(folder, 'temporal.db'),
    port: 0,
    uiPort: null,
    namespace,
    sync: options.sync === 'full' ? 'full' : 'normal',
    dynamicConfig,
  });
  try {
    const tree = () => processTree([server.pid]);
    const serverCpu = () => tree().reduce((sum, { cpuMs }) => sum + cpuMs, 0);
    const ownCpu = () => process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000;
    const connection = await NativeConnection.connect({ address: server.address });
    const client = new Client({ connection, namespace });
    const workflowsPath = fileURLToPath(new URL('./workflows/chain.js', import.meta.url));
    const workers = await Promise.all([
      Worker.create({ connection, namespace, taskQueue: 'bench', workflowsPath }),
      Worker.create({
        connection,
        namespace,
        taskQueue: 'bench-activities',
        activities: { nothing: (index: number) => Promise.resolve(index) },
      }),
    ]);
    const running = Promise.all(workers.map((worker) => worker.run()));
    let count = 0;
    const run = (length: number): Promise<number[]> =>
      client.workflow.execute('chain', {
        taskQueue: 'bench',
        workflowId: `chain-${count++}`,
        args: [length],
        requestEagerStart: true,
        searchAttributes: { PixyzName: ['bench'], PixyzQueue: ['cpu'], PixyzProcess: ['none'] },
      });

    await run(40);
    const chainCpu = serverCpu();
    const began = Date.now();
    const times = await run(chainLength);
    const stepServerCpuMs = (serverCpu() - chainCpu) / chainLength;
    const steps = times.map((time, index) => time - (times[index - 1] ?? began));

    for (let index = 0; index < 10; index++) await run(1);
    const single: number[] = [];
    const singleCpu = [serverCpu(), ownCpu()] as const;
    for (let index = 0; index < singles; index++) {
      const start = performance.now();
      await run(1);
      single.push(performance.now() - start);
    }
    const singleServerCpuMs = (serverCpu() - singleCpu[0]) / singles;
    const singleOwnCpuMs = (ownCpu() - singleCpu[1]) / singles;

    const loadedCpu = serverCpu();
    const start = performance.now();
    let left = loaded;
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        while (left-- > 0) await run(1);
      }),
    );
    const seconds = (performance.now() - start) / 1000;
    const loadedServerCpuMs = (serverCpu() - loadedCpu) / loaded;

    for (const worker of workers) worker.shutdown();
    await running;
    await connection.close();
    const idleCpu = serverCpu();
    await new Promise((resolve) => setTimeout(resolve, idleSeconds * 1000));
    return {
      stepMs: ((times.at(-1) ?? began) - began) / chainLength,
      stepP95Ms: percentile(steps, 0.95),
      stepServerCpuMs,
      singleMs: median(single),
      singleP95Ms: percentile(single, 0.95),
      singleServerCpuMs,
      singleOwnCpuMs,
      perSecond: loaded / seconds,
      loadedServerCpuMs,
      idleCpuMs: (serverCpu() - idleCpu) / idleSeconds,
      residentMiB: tree().reduce((sum, { residentBytes }) => sum + residentBytes, 0) / 2 ** 20,
    };
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

Runtime.install({ logger: new DefaultLogger('ERROR') });
const programs = await findTemporalPrograms(readSettings(process.env, process.cwd()).PIXYZ_CACHE_PATH, process.env);
if (programs === null) throw new Error('there is no Temporal server: npm run setup');
const { cores, cpu, loadBefore } = await machineFacts();
process.stdout.write(`${cores} cores, ${cpu}, load before ${loadBefore.join(' ')}\n`);

const scratch = mkdtempSync(join(tmpdir(), 'pixyz-temporal-variants-'));
const variants = new Map<string, string>([['shipped', dynamicConfigFile]]);
if (options.default) {
  variants.set('defaults', join(scratch, 'defaults.yaml'));
  writeFileSync(join(scratch, 'defaults.yaml'), 'frontend.enableServerVersionCheck:\n  - value: false\n');
}
for (const file of options.variant) {
  const name = file.split('/').at(-1) ?? file;
  if (file.endsWith('.part')) {
    variants.set(name, join(scratch, name));
    writeFileSync(join(scratch, name), `${readFileSync(dynamicConfigFile, 'utf8')}\n${readFileSync(file, 'utf8')}`);
  } else variants.set(name, file);
}
const results = new Map<string, Figures[]>();
for (let round = 0; round < Number(options.rounds); round++) {
  for (const [name, file] of variants) {
    const figures = await measure(programs, file);
    process.stderr.write(`${name}: ${Object.values(figures).map(show).join(' ')}\n`);
    results.set(name, [...(results.get(name) ?? []), figures]);
  }
}
rmSync(scratch, { recursive: true, force: true });

const rows: [string, (figures: Figures) => number][] = [
  ['chain of 200, ms a step', ({ stepMs }) => stepMs],
  ['– p95', ({ stepP95Ms }) => stepP95Ms],
  ['– server CPU ms a step', ({ stepServerCpuMs }) => stepServerCpuMs],
  ['one workflow, one activity, ms p50', ({ singleMs }) => singleMs],
  ['– p95', ({ singleP95Ms }) => singleP95Ms],
  ['– server CPU ms', ({ singleServerCpuMs }) => singleServerCpuMs],
  ['– client and workers CPU ms', ({ singleOwnCpuMs }) => singleOwnCpuMs],
  ['20 in flight, per second', ({ perSecond }) => perSecond],
  ['– server CPU ms each', ({ loadedServerCpuMs }) => loadedServerCpuMs],
  ['idle, CPU ms a second', ({ idleCpuMs }) => idleCpuMs],
  ['resident MiB', ({ residentMiB }) => residentMiB],
];
process.stdout.write(
  `${table(
    ['median of rounds', ...results.keys()],
    rows.map(([title, figure]) => [title, ...[...results.values()].map((all) => show(median(all.map(figure))))]),
  )}\n`,
);
