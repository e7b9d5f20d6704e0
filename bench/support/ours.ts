import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../../src/config/project-root.js';
import { jobIdOf } from '../../src/contract/ids.js';
import { type JobRecord, type JobSpec, newRecord } from '../../src/contract/job.js';
import { newGraphId } from '../../src/contract/new-graph-id.js';
import { startTemporal } from '../../src/server/start-temporal.js';
import { findTemporalPrograms, type TemporalPrograms, versionOf } from '../../src/server/temporal-programs.js';
import { nodeFlags } from '../../src/start/node-flags.js';
import { JobStore } from '../../src/store/job-store.js';
import { end, freePort, launch, waitFor } from './processes.js';
import { traceStages } from './stages.js';
import type { RunningSystem, System } from './system.js';

/**
 * Our system: the processes that `npm start` starts (Temporal server, API, one worker with a slot for each core), from the
 * sources that this benchmark was compiled with, on a share and a database of their own.
 */
export interface OwnTools {
  readonly programs: TemporalPrograms;
  /** Interpreter of the scripts. */
  readonly python: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Whether the children of the worker have the Pixyz module loaded. */
  readonly pixyz: boolean;
  /** Dynamic configuration of the Temporal server. Default: the shipped one. */
  readonly dynamicConfig?: string;
}

const token = 'benchmark-token';

export async function prepareOwn(cache: string, python: string | undefined, pixyz: boolean): Promise<OwnTools> {
  const programs = await findTemporalPrograms(cache, process.env);
  if (programs === null) throw new Error('there is no Temporal server: run "npm run setup" first');
  const server = programs.kind === 'server' ? programs.server : programs.cli;
  return {
    programs,
    python: python ?? 'python3',
    pixyz,
    versions: { temporal: (await versionOf(server)) ?? 'unknown' },
  };
}

export function ours(tools: OwnTools): System {
  return { key: 'ours', label: 'ours', start: (folder) => startOwn(tools, folder) };
}

/** The compiled `main.js` of a part: beside this file's own compiled sources. */
function mainOf(part: 'api' | 'worker'): string {
  return join(import.meta.dirname, '..', '..', 'src', part, 'main.js');
}

async function startOwn(tools: OwnTools, folder: string): Promise<RunningSystem> {
  const share = join(folder, 'share');
  await mkdir(share, { recursive: true });
  const temporal = await startTemporal({
    programs: tools.programs,
    dbFile: join(folder, 'temporal', 'temporal.db'),
    port: 0,
    uiPort: 0,
    namespace: 'pixyz',
    logFolder: folder,
    ...(tools.dynamicConfig === undefined ? {} : { dynamicConfig: tools.dynamicConfig }),
  });
  const apiPort = await freePort();
  const workerPort = await freePort();
  const env: NodeJS.ProcessEnv = {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    PYTHON: tools.python,
    SHARE_PATH: share,
    PROCESS_PATH: join(projectRoot, 'processes'),
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: temporal.namespace,
    TEMPORAL_DB_FILE: join(folder, 'temporal', 'temporal.db'),
    GOD_PASSWORD_SHA256: createHash('sha256').update(token).digest('hex'),
    API_PORT: String(apiPort),
    WORKER_PORT: String(workerPort),
    CONCURRENT_TASKS: String(cpus().length),
    // The rival's workers load no Pixyz either. With it, each fork costs more: docs/benchmarks.md tells how much.
    DISABLE_PIXYZ: String(!tools.pixyz),
  };
  const node = (part: 'api' | 'worker') => [...flagsOf(part), ...nodeFlags, mainOf(part)];
  const startPart = (part: 'api' | 'worker', name: string, own: NodeJS.ProcessEnv = {}) =>
    launch(process.execPath, node(part), join(folder, `${name}.log`), { env: { ...env, ...own }, cwd: folder });
  const children = (['worker', 'api'] as const).map((part) => startPart(part, part));
  const answers = (part: 'api' | 'worker', port: number) =>
    waitFor(`our ${part}`, 60_000, async () => {
      const answer = await fetch(`http://127.0.0.1:${port}${part === 'worker' ? '/readyz' : '/'}`);
      if (!answer.ok) throw new Error(`it answers ${answer.status}, see the logs in ${folder}`);
      await answer.body?.cancel();
    });
  const stop = async () => {
    await end(children, 8000);
    await temporal.stop();
  };
  try {
    await answers('worker', workerPort);
    await answers('api', apiPort);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    baseUrl: `http://127.0.0.1:${apiPort}`,
    token,
    pids: [temporal.pid, ...children.map((child) => child.pid).filter((pid) => pid !== undefined)],
    classify,
    fill: (count) => fill(new JobStore(share), count),
    startWorker: async () => {
      const port = await freePort();
      const child = startPart('worker', `worker-${children.length}`, { WORKER_PORT: String(port) });
      children.push(child);
      await answers('worker', port);
      return child.pid ?? 0;
    },
    temporal: temporal.address,
    events: (jobId) => `/jobs/${jobId}/events`,
    trace: (timelines) => traceStages(timelines, temporal.address, temporal.namespace, new JobStore(share)),
    stop,
  };
}

/** For profiles: `BENCH_NODE_API="--cpu-prof --cpu-prof-dir=…"` and `BENCH_NODE_WORKER` reach the Node processes. */
function flagsOf(part: 'api' | 'worker'): string[] {
  return (process.env[`BENCH_NODE_${part.toUpperCase()}`] ?? '').split(' ').filter(Boolean);
}

function classify(line: string): string {
  const [program = ''] = line.split(' ');
  if (program.endsWith('ui-server')) return 'Temporal Web UI';
  if (/temporal[^/]*$/.test(program)) return 'Temporal server';
  if (line.includes('/worker/main.js')) return 'worker';
  if (line.includes('/api/main.js')) return 'API and interpreter';
  if (line.includes('pixyz_worker._inspect')) return 'API, script inspector';
  // Children are forked, so they show the command line of their host.
  if (line.includes('pixyz_worker._host')) return 'Python host and scripts';
  return 'guards';
}

/** Records as the store writes them, of jobs that have ended. */
async function fill(store: JobStore, count: number): Promise<{ ids: string[]; how: string }> {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    const graphId = newGraphId();
    const spec = specOf(graphId);
    const incoming = await store.receive();
    await incoming.commit(spec);
    await store.writeRecord(ended(newRecord(spec)));
    ids.push(spec.jobId);
  }
  return { ids, how: 'written with our store' };
}

function specOf(graphId: string): JobSpec {
  const jobId = jobIdOf(graphId, 1);
  return {
    version: 1,
    jobId,
    graphId,
    name: 'filler',
    process: 'custom',
    script: { share: `${jobId}/inputs/trivial.py` },
    entrypoint: 'main',
    data: null,
    paramsText: '{}',
    queue: 'cpu',
    timeLimit: 3600,
    rootFile: null,
    computeOnly: false,
    raw: false,
    context: {},
    timeRequest: new Date().toISOString().replace('Z', '000'),
    callback: null,
    retryOf: null,
    digest: null,
  };
}

function ended(record: JobRecord): JobRecord {
  const at = new Date().toISOString().replace('Z', '000+00:00');
  return {
    ...record,
    status: 'SUCCESS',
    progress: 100,
    result: { ok: 1, params: {} },
    timeInfo: { ...record.timeInfo, started: at, stopped: at },
    owner: 1,
    attempts: [
      {
        attempt: 1,
        queue: 'cpu',
        worker: 'filler',
        pid: 1,
        startedAt: at,
        endedAt: at,
        outcome: 'succeeded',
        message: null,
      },
    ],
  };
}
