import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { projectRoot } from '../config/project-root.js';
import { loadSettings, type Settings } from '../config/settings.js';
import { isPortFree } from '../server/free-ports.js';
import { setUp } from '../setup/set-up.js';
import { Problem, type SetUpTools } from '../setup/tools.js';
import { DemoClient, type GraphState, type JobDetails, type JobOrder } from './demo-client.js';
import { shown } from './shown.js';
import { listenForStop } from './stop-signals.js';
import { startSystem } from './system.js';

/** Real work from a cold start: a CAD model through three shipped processes, another one through a graph, over the public API, and down again. */

const model = join(projectRoot, 'samples', 'pump-unit.step');

const orders: readonly JobOrder[] = [
  { process: 'convert_file', name: 'STEP to GLB', params: { extension: 'glb' } },
  { process: 'generate_metadata', name: 'metadata', params: {} },
  { process: 'generate_thumbnails', name: 'thumbnails', params: { width: 512, height: 512 } },
];

/** Jobs that hand files on: a part is converted, drawn and measured from what the conversion made, and packed. */
const part = join(projectRoot, 'samples', 'bolt.step');
const graph = {
  name: 'a bolt, step by step',
  nodes: [
    { id: 'convert', process: 'convert_file', data: 'part', params: { extension: 'glb' } },
    {
      id: 'pictures',
      process: 'generate_thumbnails',
      data: { node: 'convert', output: 'output.glb' },
      params: { width: 256, height: 256 },
    },
    { id: 'facts', process: 'generate_metadata', data: { node: 'convert', output: 'output.glb' } },
    {
      id: 'pack',
      command: [
        'tar',
        '-czf',
        'bolt.tgz',
        '-C',
        '${{ nodes.pictures.folder }}',
        'iso.png',
        '-C',
        '${{ nodes.facts.folder }}',
        'metadata.json',
      ],
      expected_outputs: ['bolt.tgz'],
    },
  ],
};

const ended = new Set(['SUCCESS', 'FAILURE', 'REVOKED']);
const jobsWithinMs = 10 * 60_000;

export async function demo(tools: SetUpTools, env: NodeJS.ProcessEnv, cwd: string): Promise<number> {
  const began = performance.now();
  const configured = loadSettings(env, cwd);
  const home = join(dirname(configured.TEMPORAL_DB_FILE), 'demo');
  // A demonstration leaves a running system alone: its own data, and other ports where the usual ones are taken.
  const settings: Settings = {
    ...configured,
    SHARE_PATH: join(home, 'share'),
    TEMPORAL_DB_FILE: join(home, 'temporal.db'),
    // Nobody runs a workflow here, and bundling them takes some seconds of what the demonstration is to show.
    WORKFLOWS_PATH: join(home, 'workflows'),
    API_PORT: await freeOr0(configured.API_PORT, configured.API_HOST),
    TEMPORAL_PORT: await freeOr0(configured.TEMPORAL_PORT),
    TEMPORAL_UI_PORT: await freeOr0(configured.TEMPORAL_UI_PORT),
    WORKER_PORT: 0,
    CONCURRENT_TASKS: Math.max(2, configured.CONCURRENT_TASKS),
  };
  const { python, temporal } = await setUp(settings, 'run', tools, env);
  const signals = listenForStop();
  const system = await startSystem({
    settings,
    parts: settings.TEMPORAL_ADDRESS === undefined ? ['server', 'api', 'worker'] : ['api', 'worker'],
    python,
    programs: temporal,
    env: { ...env, CONCURRENT_TASKS: String(settings.CONCURRENT_TASKS) },
    cwd,
    ownToken: true,
    unwanted: signals.stop,
    say: tools.say,
  });
  try {
    tools.say(`ready after ${seconds(began)}`);
    const api = new DemoClient(system.apiUrl as string, system.token?.token ?? '', signals.stop);
    const submitted = await Promise.all(orders.map((order) => api.submit(order, model)));
    tools.say(`submitted ${submitted.length} jobs with ${shown(model, cwd)}`);
    const graphId = await api.submitGraph(graph, { part });
    tools.say(`submitted a graph of ${graph.nodes.length} nodes with ${shown(part, cwd)}`);
    const [results, made] = await Promise.all([watch(api, submitted, tools), watchGraph(api, graphId, tools)]);

    const sayFiles = async (jobId: string) => {
      for (const file of await api.outputs(jobId)) {
        const path = join(settings.SHARE_PATH, jobId, 'outputs', file);
        tools.say(`  ${size(path).padStart(9)}  ${shown(path, cwd)}`);
      }
    };
    const sayTrace = ({ temporal }: { readonly temporal?: string }) => {
      if (temporal !== undefined) tools.say(`  trace      ${temporal}`);
    };
    for (const job of results) {
      tools.say('');
      tools.say(`${job.name}: ${job.status}${job.error ? `: ${describe(job.error)}` : ''}`);
      await sayFiles(job.uuid);
      sayTrace(job.links);
    }
    tools.say('');
    tools.say(`${made.name}: ${made.state}${made.message === null ? '' : `: ${made.message}`}`);
    for (const { job } of await api.nodes(graphId)) if (job !== null) await sayFiles(job);
    sayTrace(made.links);
    tools.say('');
    const failed = [
      ...results.filter((job) => job.status !== 'SUCCESS'),
      ...(made.state === 'succeeded' ? [] : [made]),
    ];
    tools.say(
      failed.length === 0
        ? `${results.length} jobs and a graph done, ${seconds(began)} in all. The traces stay in ${shown(dirname(settings.TEMPORAL_DB_FILE), cwd)}; to see them: ${again(settings, cwd)}`
        : `${failed.length} of ${results.length + 1} have failed; logs are in ${shown(system.logFolder, cwd)}`,
    );
    return failed.length === 0 ? 0 : 1;
  } catch (error) {
    if (signals.stop.aborted) return 130;
    throw error;
  } finally {
    await system.stop(2);
    tools.say('stopped');
  }
}

async function watchGraph(api: DemoClient, id: string, tools: SetUpTools): Promise<GraphState> {
  const deadline = Date.now() + jobsWithinMs;
  return tools.step(
    graph.name,
    async (detail) => {
      for (;;) {
        const state = await api.graph(id);
        detail(`${state.state} ${state.counts.succeeded} of ${state.counts.total} nodes`);
        if (state.time_info.stopped !== null) return state;
        if (Date.now() > deadline) throw new Problem(`graph ${id} was not done after ${jobsWithinMs / 60_000} minutes`);
        await sleep(100, undefined, { signal: api.unwanted });
      }
    },
    { everyDetail: true },
  );
}

async function watch(api: DemoClient, ids: readonly string[], tools: SetUpTools): Promise<readonly JobDetails[]> {
  const deadline = Date.now() + jobsWithinMs;
  const jobs = await Promise.all(
    ids.map((id, index) =>
      tools.step(
        orders[index]?.name ?? id,
        async (detail) => {
          for (;;) {
            const job = await api.details(id);
            const progress = job.progress === null ? '' : `${job.progress} %`;
            detail([job.status, progress, job.steps?.at(-1)?.info].filter(Boolean).join(' '));
            if (ended.has(job.status)) return job;
            if (Date.now() > deadline) {
              throw new Problem(`job ${id} was not done after ${jobsWithinMs / 60_000} minutes`);
            }
            await sleep(100, undefined, { signal: api.unwanted });
          }
        },
        { everyDetail: true },
      ),
    ),
  );
  return jobs;
}

async function freeOr0(port: number, host?: string): Promise<number> {
  return port !== 0 && (await isPortFree(port, host)) ? port : 0;
}

const seconds = (since: number) => `${((performance.now() - since) / 1000).toFixed(1)} s`;

function size(path: string): string {
  const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  return bytes < 1024
    ? `${bytes} B`
    : bytes < 2 ** 20
      ? `${Math.round(bytes / 1024)} kB`
      : `${(bytes / 2 ** 20).toFixed(1)} MB`;
}

function describe(error: unknown): string {
  return typeof error === 'string' ? error : JSON.stringify(error);
}

function again(settings: Settings, cwd: string): string {
  return `TEMPORAL_DB_FILE=${shown(settings.TEMPORAL_DB_FILE, cwd)} SHARE_PATH=${shown(settings.SHARE_PATH, cwd)} npm start`;
}
