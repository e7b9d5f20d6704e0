import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { inject } from 'vitest';
import { projectRoot } from '../../src/config/project-root.js';
import { prepareNamespace } from '../../src/server/prepare-namespace.js';
import { nodeFlags } from '../../src/start/node-flags.js';
import { Api } from './api-client.js';
import { waitFor } from './wait-for.js';

/**
 * The real system as processes: API and workers from `dist/`, Python from the project's environment, a share and a Temporal
 * namespace of its own, so that nothing of one test file reaches another.
 */
export interface SystemUnderTest {
  readonly folder: string;
  readonly share: string;
  readonly api: Api;
  readonly apiPart: PartUnderTest;
  readonly namespace: string;
  readonly temporalAddress: string;
  startWorker(env?: Record<string, string>): Promise<PartUnderTest>;
  /** The same, not waited for: for one that is not to come up. */
  launchWorker(env?: Record<string, string>): Promise<PartUnderTest>;
  startApi(): Promise<PartUnderTest>;
  stop(): Promise<void>;
}

export interface PartUnderTest {
  readonly name: string;
  readonly pid: number;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  readonly url: string;
  log(): string;
  kill(signal: NodeJS.Signals): void;
  stop(): Promise<void>;
}

export const testToken = 'correct horse battery staple';

export async function startSystemUnderTest(
  options: {
    readonly env?: Record<string, string>;
    readonly worker?: Record<string, string> | false;
    readonly temporalAddress?: string;
    readonly namespace?: string;
  } = {},
): Promise<SystemUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), 'pixyz-e2e-'));
  const share = options.env?.['SHARE_PATH'] ?? join(folder, 'share');
  const namespace = options.namespace ?? `e2e-${randomUUID().slice(0, 8)}`;
  const temporalAddress = options.temporalAddress ?? inject('temporalAddress');
  const connection = await Connection.connect({ address: temporalAddress });
  await prepareNamespace(connection, namespace);
  await connection.close();

  const apiPort = await freePort();
  const common: NodeJS.ProcessEnv = {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    ...(process.env['PYTHON'] === undefined ? {} : { PYTHON: process.env['PYTHON'] }),
    ...(process.env['XDG_CACHE_HOME'] === undefined ? {} : { XDG_CACHE_HOME: process.env['XDG_CACHE_HOME'] }),
    TEMPORAL_ADDRESS: temporalAddress,
    TEMPORAL_NAMESPACE: namespace,
    TEMPORAL_DB_FILE: join(folder, 'data', 'temporal.db'),
    SHARE_PATH: share,
    GOD_PASSWORD_SHA256: createHash('sha256').update(testToken).digest('hex'),
    API_PORT: String(apiPort),
    DRAIN_SECONDS: '5',
    ...options.env,
  };
  const parts: PartUnderTest[] = [];
  const launch = (name: 'api' | 'worker', env: NodeJS.ProcessEnv, url: string): PartUnderTest => {
    const part = spawnPart(name, env, folder, `${name}-${parts.length}`, url);
    parts.push(part);
    return part;
  };
  const startPart = async (name: 'api' | 'worker', env: NodeJS.ProcessEnv, url: string): Promise<PartUnderTest> => {
    const part = launch(name, env, url);
    await waitFor(() => isReady(part), { timeoutMs: 120_000, intervalMs: 50 });
    return part;
  };
  const startApi = (): Promise<PartUnderTest> => startPart('api', common, `http://127.0.0.1:${apiPort}`);
  const startWorker = async (env: Record<string, string> = {}): Promise<PartUnderTest> => {
    const port = await freePort();
    return startPart('worker', { ...common, WORKER_PORT: String(port), ...env }, `http://127.0.0.1:${port}`);
  };
  const launchWorker = async (env: Record<string, string> = {}): Promise<PartUnderTest> => {
    const port = await freePort();
    return launch('worker', { ...common, WORKER_PORT: String(port), ...env }, `http://127.0.0.1:${port}`);
  };
  try {
    // One after the other: two cores, and the API must be there when the first test asks.
    const apiPart = await startApi();
    if (options.worker !== false) await startWorker(options.worker);
    return {
      folder,
      share,
      api: new Api(`http://127.0.0.1:${apiPort}`, testToken),
      apiPart,
      namespace,
      temporalAddress,
      startApi,
      startWorker,
      launchWorker,
      stop: () => stopAll(parts, folder),
    };
  } catch (error) {
    const logs = parts.map((part) => part.log().slice(-4000)).join('\n');
    await stopAll(parts, folder);
    throw new Error(`the system did not come up: ${String(error)}\n${logs}`, { cause: error });
  }
}

async function stopAll(parts: PartUnderTest[], folder: string): Promise<void> {
  await Promise.all(parts.map((part) => part.stop()));
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

async function isReady(part: PartUnderTest): Promise<boolean> {
  const answer = await fetch(`${part.url}${part.name === 'none' ? '/' : '/readyz'}`, {
    signal: AbortSignal.timeout(2000),
  });
  await answer.body?.cancel();
  return answer.ok;
}

function spawnPart(
  name: 'api' | 'worker',
  env: NodeJS.ProcessEnv,
  folder: string,
  logName: string,
  url: string,
): PartUnderTest {
  const logFile = join(folder, `${logName}.log`);
  const log = openSync(logFile, 'a');
  const child: ChildProcess = spawn(process.execPath, [...nodeFlags, join(projectRoot, 'dist', name, 'main.js')], {
    cwd: folder,
    env,
    stdio: ['ignore', log, log],
  });
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.once('exit', (code, signal) => resolve({ code, signal })),
  );
  return {
    name,
    pid: child.pid ?? 0,
    exited,
    url,
    log: () => readFileSync(logFile, 'utf8'),
    kill: (signal) => void child.kill(signal),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const forced = setTimeout(() => child.kill('SIGKILL'), 15_000);
      await exited;
      clearTimeout(forced);
    },
  };
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
