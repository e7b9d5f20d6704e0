import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { projectRoot } from '../config/project-root.js';
import { loadSettings, type Settings } from '../config/settings.js';
import { graphIdOf } from '../contract/ids.js';
import { isPortFree } from '../server/free-ports.js';
import { setUp } from '../setup/set-up.js';
import { Problem, type SetUpTools } from '../setup/tools.js';
import { shown } from './shown.js';
import { listenForStop } from './stop-signals.js';
import { startSystem } from './system.js';

/** Real work from a cold start: one CAD model through three shipped processes, over the public API, and down again. */

const model = join(projectRoot, 'samples', 'pump-unit.step');

const orders = [
  { process: 'convert_file', name: 'STEP to GLB', params: { extension: 'glb' } },
  { process: 'generate_metadata', name: 'metadata', params: {} },
  { process: 'generate_thumbnails', name: 'thumbnails', params: { width: 512, height: 512 } },
];

interface Details {
  readonly uuid: string;
  readonly name: string;
  readonly status: string;
  readonly progress: number | null;
  readonly error: unknown;
  readonly steps?: readonly { readonly info: string }[];
}

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
    const api = new Api(system.apiUrl as string, system.token?.token ?? '', signals.stop);
    const submitted = await Promise.all(orders.map((order) => api.submit(order)));
    tools.say(`submitted ${submitted.length} jobs with ${shown(model, cwd)}`);
    const results = await watch(api, submitted, tools);

    for (const job of results) {
      tools.say('');
      tools.say(`${job.name}: ${job.status}${job.error ? `: ${describe(job.error)}` : ''}`);
      for (const file of await api.outputs(job.uuid)) {
        const path = join(settings.SHARE_PATH, job.uuid, 'outputs', file);
        tools.say(`  ${size(path).padStart(9)}  ${shown(path, cwd)}`);
      }
      if (system.uiUrl !== null) {
        const run = `${system.uiUrl}/namespaces/${settings.TEMPORAL_NAMESPACE}/workflows/${graphIdOf(job.uuid)}`;
        tools.say(`  trace      ${run}`);
      }
    }
    tools.say('');
    const failed = results.filter((job) => job.status !== 'SUCCESS');
    tools.say(
      failed.length === 0
        ? `${results.length} jobs done, ${seconds(began)} in all. The traces stay in ${shown(dirname(settings.TEMPORAL_DB_FILE), cwd)}; to see them: ${again(settings, cwd)}`
        : `${failed.length} of ${results.length} jobs failed; logs are in ${shown(system.logFolder, cwd)}`,
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

async function watch(api: Api, ids: readonly string[], tools: SetUpTools): Promise<readonly Details[]> {
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

class Api {
  readonly unwanted: AbortSignal;
  readonly #url: string;
  readonly #headers: Record<string, string>;

  constructor(url: string, token: string, unwanted: AbortSignal) {
    this.#url = url;
    this.#headers = { 'x-api-key': token };
    this.unwanted = unwanted;
  }

  async submit(order: (typeof orders)[number]): Promise<string> {
    const form = new FormData();
    form.set('process', order.process);
    form.set('name', order.name);
    form.set('params', JSON.stringify(order.params));
    form.set('file', new Blob([readFileSync(model)]), 'pump-unit.step');
    const { uuid } = (await this.#call('/jobs', { method: 'POST', body: form })) as { uuid: string };
    return uuid;
  }

  async details(id: string): Promise<Details> {
    return (await this.#call(`/jobs/${id}/details`)) as Details;
  }

  async outputs(id: string): Promise<readonly string[]> {
    return [...((await this.#call(`/jobs/${id}/outputs`)) as { outputs: string[] }).outputs].sort();
  }

  async #call(path: string, init: RequestInit = {}): Promise<unknown> {
    const response = await fetch(`${this.#url}${path}`, { ...init, headers: this.#headers, signal: this.unwanted });
    const text = await response.text();
    if (!response.ok) throw new Problem(`${init.method ?? 'GET'} ${path} answered ${response.status}: ${text}`);
    return JSON.parse(text);
  }
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
