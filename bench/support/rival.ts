import { type ChildProcess, execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { JobClient } from './client.js';
import { versionOf } from './machine.js';
import { end, freePort, launch, waitFor } from './processes.js';
import type { RunningSystem, System } from './system.js';

/**
 * The rival: bench/celery behind redis-server, in two forms. What it needs is put into the cache folder: a virtual
 * environment from pinned requirements, and Debian's redis-server where none is on the path.
 */
export type RivalForm = 'isolated' | 'bare';

export interface RivalTools {
  readonly python: string;
  readonly redis: string;
  readonly env: NodeJS.ProcessEnv;
  readonly sources: string;
  readonly versions: Readonly<Record<string, string>>;
}

const run = promisify(execFile);
const token = 'benchmark-token';

export async function prepareRival(cache: string, sources: string, say: (line: string) => void): Promise<RivalTools> {
  await mkdir(cache, { recursive: true });
  const python = await prepareVenv(join(cache, 'venv'), join(sources, 'requirements.txt'), say);
  const { redis, env } = await prepareRedis(join(cache, 'redis'), say);
  const freeze = (await run(python, ['-m', 'pip', 'freeze'])).stdout;
  const pinned = (name: string) => new RegExp(`^${name}==(.*)$`, 'm').exec(freeze)?.[1] ?? 'unknown';
  return {
    python,
    redis,
    env,
    sources,
    versions: {
      python: await versionOf(python, ['--version'], env),
      redisServer: await versionOf(redis, ['--version'], env),
      celery: pinned('celery'),
      fastapi: pinned('fastapi'),
      uvicorn: pinned('uvicorn'),
    },
  };
}

async function prepareVenv(folder: string, requirements: string, say: (line: string) => void): Promise<string> {
  const python = join(folder, 'bin', 'python');
  const stamp = join(folder, 'requirements.sha256');
  const wanted = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex');
  if (existsSync(stamp) && (await readFile(stamp, 'utf8')) === wanted) return python;
  say('Making the virtual environment of the rival (once)');
  await rm(folder, { recursive: true, force: true });
  await run('python3', ['-m', 'venv', folder]);
  await run(python, ['-m', 'pip', 'install', '--quiet', '-r', requirements], { maxBuffer: 2 ** 26 });
  await writeFile(stamp, wanted);
  return python;
}

/** redis-server of the path, else Debian's, unpacked without being installed. */
async function prepareRedis(
  folder: string,
  say: (line: string) => void,
): Promise<{ readonly redis: string; readonly env: NodeJS.ProcessEnv }> {
  const works = async (redis: string, env: NodeJS.ProcessEnv) =>
    (await versionOf(redis, ['--version'], env)).startsWith('Redis server');
  if (await works('redis-server', process.env)) return { redis: 'redis-server', env: process.env };

  const redis = join(folder, 'usr', 'bin', 'redis-server');
  if (!existsSync(redis)) {
    say('Unpacking redis-server of the distribution (once)');
    await mkdir(folder, { recursive: true });
    for (const name of ['redis-server', 'redis-tools', 'libjemalloc2', 'liblzf1', 'libatomic1']) {
      try {
        await run('apt-get', ['download', name], { cwd: folder });
      } catch (error) {
        // A library may have another name here, or be there already: whether the server starts decides.
        say(`  ${name} could not be fetched: ${String(error).split('\n')[0]}`);
      }
    }
    for (const name of readdirSync(folder)) {
      if (name.endsWith('.deb')) await run('dpkg', ['-x', join(folder, name), folder]);
    }
  }
  const libraries = join(folder, 'usr', 'lib');
  const folders = existsSync(libraries) ? readdirSync(libraries).map((name) => join(libraries, name)) : [];
  const path = [...folders, process.env['LD_LIBRARY_PATH']].filter((part) => part !== undefined && part !== '');
  const env = { ...process.env, LD_LIBRARY_PATH: path.join(':') };
  if (await works(redis, env)) return { redis, env };
  throw new Error('no redis-server: install it (Debian: apt-get install redis-server), then run the benchmark again');
}

export function rival(form: RivalForm, tools: RivalTools): System {
  return {
    key: form,
    label: form === 'isolated' ? 'Celery, isolated' : 'Celery, bare',
    start: (folder) => startRival(form, tools, folder),
  };
}

async function startRival(form: RivalForm, tools: RivalTools, folder: string): Promise<RunningSystem> {
  const share = join(folder, 'share');
  await mkdir(share, { recursive: true });
  const redisPort = await freePort();
  const apiPort = await freePort();
  const env: NodeJS.ProcessEnv = {
    ...tools.env,
    BENCH_REDIS_URL: `redis://127.0.0.1:${redisPort}`,
    BENCH_SHARE: share,
    BENCH_FORM: form,
    BENCH_TOKEN: token,
    PYTHONPATH: tools.sources,
  };
  const log = (name: string) => join(folder, `${name}.log`);
  const children: ChildProcess[] = [];
  // Persistence is off, as in the rival's usual deployment.
  const redisArgs = ['--port', String(redisPort), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  children.push(launch(tools.redis, [...redisArgs, '--dir', folder], log('redis'), { env }));
  const api = ['rival_api:api', '--host', '127.0.0.1', '--port', String(apiPort), '--workers', '1', '--no-access-log'];
  children.push(launch(tools.python, ['-m', 'uvicorn', ...api, '--log-level', 'warning'], log('api'), { env }));
  const workers = cpus().map((_, i) => `worker${i + 1}`);
  for (const name of workers) {
    const queues = 'cpu,gpu,zip,clean,control,gpuhigh';
    const flags = ['--without-gossip', '--without-mingle', '-Ofair', '-n', `${name}@%h`];
    const args = [
      '-m',
      'celery',
      '-A',
      'rival_tasks',
      'worker',
      '-l',
      'info',
      '-E',
      '-Q',
      queues,
      '-c',
      '1',
      '-P',
      'solo',
    ];
    children.push(launch(tools.python, [...args, ...flags], log(name), { env }));
  }
  const stop = () => end(children, 5000);

  try {
    const baseUrl = `http://127.0.0.1:${apiPort}`;
    const probe = new JobClient(baseUrl, token, '');
    await waitFor('the API of the rival', 20_000, async () => {
      await probe.status('00000000-0000-4000-8000-000000000000');
    });
    probe.close();
    for (const name of workers) {
      await waitFor(`${name} of the rival`, 20_000, async () => {
        if (!(await readFile(log(name), 'utf8')).includes(' ready.')) throw new Error(`see ${log(name)}`);
      });
    }
    return {
      env,
      baseUrl,
      token,
      pids: children.map((child) => child.pid).filter((pid) => pid !== undefined),
      classify: (line) =>
        line.includes('redis-server') ? 'server' : line.includes('rival_api') ? 'API' : 'workers and scripts',
      fill: async (count) => {
        const { stdout } = await run(tools.python, [join(tools.sources, 'rival_fill.py'), String(count)], {
          env,
          maxBuffer: 2 ** 26,
        });
        return { ids: stdout.trim().split('\n'), how: "written with Celery's result store" };
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
