import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Settings } from '../config/settings.js';
import { keptToken } from '../config/token.js';
import { freePorts } from '../server/free-ports.js';
import { connectWhenReady, prepareNamespace } from '../server/prepare-namespace.js';
import { startTemporal } from '../server/start-temporal.js';
import type { TemporalPrograms } from '../server/temporal-programs.js';
import { Problem } from '../setup/tools.js';
import { checkPort, checkProcesses, checkPython, checkWritable } from './checks.js';
import { KeptPart, type Part } from './part.js';
import { processPart } from './process-part.js';

/**
 * The whole system, or one part of it, as processes of this machine.
 *
 * 1. All state beside the share (logs, token, generated configuration) lives in the folder of TEMPORAL_DB_FILE, so that
 *    two systems with different files share nothing.
 * 2. Each part is a process group of its own that ends with us, however we end.
 * 3. What a part must know reaches it through its environment.
 */

export const partNames = ['server', 'api', 'worker'] as const;
export type PartName = (typeof partNames)[number];

export interface SystemOptions {
  readonly settings: Settings;
  readonly parts: readonly PartName[];
  readonly python: string;
  /** null: TEMPORAL_ADDRESS is used. */
  readonly programs: TemporalPrograms | null;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** A token of its own, whatever the configuration says: for a system that is to be called by who starts it. */
  readonly ownToken?: boolean;
  /** Aborted: do not come up any further. */
  readonly unwanted: AbortSignal;
  readonly say: (text: string) => void;
}

export interface System {
  readonly apiUrl: string | null;
  readonly uiUrl: string | null;
  readonly temporalAddress: string;
  /** null: the configuration has a token's hash, and only its owner knows the token. */
  readonly token: Awaited<ReturnType<typeof keptToken>> | null;
  readonly logFolder: string;
  /** Lets running scripts end for so long, then ends everything. */
  stop(drainSeconds: number): Promise<void>;
}

/** Running scripts get so long when a system that was started by hand is stopped; then they run again at the next start. */
export const drainSeconds = 10;
/** Beyond the drain: to write the last records and say goodbye to Temporal. */
const afterDrainSeconds = 5;
const remoteWithinMs = 20_000;

export async function startSystem(options: SystemOptions): Promise<System> {
  const { settings, env } = options;
  const has = (name: PartName) => options.parts.includes(name);
  const home = dirname(settings.TEMPORAL_DB_FILE);
  const logFolder = join(home, 'logs');

  checkWritable(home, 'TEMPORAL_DB_FILE');
  mkdirSync(logFolder, { recursive: true });
  if (has('api') || has('worker')) {
    checkWritable(settings.SHARE_PATH, 'SHARE_PATH');
    checkProcesses(settings.PROCESS_PATH);
  }
  if (has('worker')) await checkPython(options.python);
  const embedded = has('server') && options.programs !== null;
  if (has('api')) await checkPort(settings.API_PORT, settings.API_HOST, 'API_PORT');
  if (has('worker')) await checkPort(settings.WORKER_PORT, settings.WORKER_HOST, 'WORKER_PORT');
  if (embedded) {
    await checkPort(settings.TEMPORAL_PORT, '127.0.0.1', 'TEMPORAL_PORT');
    await checkPort(settings.TEMPORAL_UI_PORT, '127.0.0.1', 'TEMPORAL_UI_PORT');
  } else if (has('server')) {
    throw new Problem(
      'there is no server to start: TEMPORAL_ADDRESS names one that runs elsewhere; leave it empty for an own one',
    );
  }

  // A port that a part would choose for itself is chosen here, so that it is known and stays the same after a restart.
  const [apiSpare = 0, workerSpare = 0, temporalSpare = 0, uiSpare = 0] = await freePorts(4);
  const apiPort = settings.API_PORT || apiSpare;
  const workerPort = settings.WORKER_PORT || workerSpare;
  const temporalPort = settings.TEMPORAL_PORT || temporalSpare;
  const uiPort = settings.TEMPORAL_UI_PORT || uiSpare;
  const temporalAddress = settings.TEMPORAL_ADDRESS ?? `127.0.0.1:${temporalPort}`;
  const uiUrl = settings.TEMPORAL_UI_URL ?? (embedded ? `http://127.0.0.1:${uiPort}` : null);
  const apiUrl = `http://${reachable(settings.API_HOST)}:${apiPort}`;
  const token =
    has('api') && (options.ownToken || settings.GOD_PASSWORD_SHA256 === undefined) ? await keptToken(settings) : null;

  if (!embedded) await prepareRemote(temporalAddress, settings.TEMPORAL_NAMESPACE);
  const shared: NodeJS.ProcessEnv = {
    ...env,
    TEMPORAL_ADDRESS: temporalAddress,
    TEMPORAL_NAMESPACE: settings.TEMPORAL_NAMESPACE,
    TEMPORAL_DB_FILE: settings.TEMPORAL_DB_FILE,
    SHARE_PATH: settings.SHARE_PATH,
    PROCESS_PATH: settings.PROCESS_PATH,
    WORKFLOWS_PATH: settings.WORKFLOWS_PATH,
    PYTHON: options.python,
    ...(uiUrl === null ? {} : { TEMPORAL_UI_URL: uiUrl }),
    ...(settings.API_URL === undefined && has('api') ? { API_URL: apiUrl } : {}),
  };
  const process = (name: 'api' | 'worker', own: NodeJS.ProcessEnv, readyUrl: string, detail: string): Part =>
    processPart({
      name,
      env: { ...shared, ...own },
      cwd: options.cwd,
      logFolder,
      readyUrl,
      detail,
      graceSeconds: drainSeconds + afterDrainSeconds,
    });

  const layers: Part[][] = [[], []];
  if (embedded) {
    layers[0]?.push(
      temporalPart(
        options.programs as TemporalPrograms,
        settings,
        { temporalPort, uiPort, logFolder, codecEndpoint: has('api') ? `${apiUrl}/codec` : null },
        options,
      ),
    );
  }
  if (has('worker')) {
    const slots = settings.CONCURRENT_TASKS === 1 ? '1 slot' : `${settings.CONCURRENT_TASKS} slots`;
    layers[1]?.push(
      process(
        'worker',
        // Stopped by hand, a system ends soon; a long drain is for workers that a scheduler of machines takes away.
        { WORKER_PORT: String(workerPort), DRAIN_SECONDS: String(Math.min(settings.DRAIN_SECONDS, drainSeconds)) },
        `http://${reachable(settings.WORKER_HOST)}:${workerPort}/readyz`,
        `queues ${settings.QUEUE_NAME.join(', ')}; ${slots}`,
      ),
    );
  }
  if (has('api')) {
    layers[1]?.push(
      process(
        'api',
        {
          API_PORT: String(apiPort),
          ...(token === null ? {} : { GOD_PASSWORD_SHA256: token.sha256 }),
        },
        `${apiUrl}/readyz`,
        apiUrl,
      ),
    );
  }

  const kept = layers.map((parts) => parts.map((part) => new KeptPart(part, options.say)));
  const stop = async (seconds: number) => {
    // Workers report what they could not finish, so the server goes last.
    for (const layer of [...kept].reverse()) await Promise.all(layer.map((part) => part.stop(seconds)));
  };
  const stopNow = () => void stop(2);
  options.unwanted.addEventListener('abort', stopNow, { once: true });
  try {
    for (const layer of kept) {
      if (options.unwanted.aborted) throw new Problem('stopped before it was up');
      const outcomes = await Promise.allSettled(
        layer.map(async (part) => {
          const running = await part.start();
          options.say(`${part.name.padEnd(8)} up   ${running.detail}`);
        }),
      );
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    }
  } catch (error) {
    await stop(2);
    throw error;
  } finally {
    options.unwanted.removeEventListener('abort', stopNow);
  }
  return {
    apiUrl: has('api') ? apiUrl : null,
    uiUrl,
    temporalAddress,
    token,
    logFolder,
    stop: (seconds) => stop(seconds + (seconds > 0 ? afterDrainSeconds : 0)),
  };
}

/** The namespace of a server that others run is made by whoever comes first. */
async function prepareRemote(address: string, namespace: string): Promise<void> {
  const connection = await connectWhenReady(address, remoteWithinMs).catch((error: unknown) => {
    throw new Problem(`TEMPORAL_ADDRESS: ${(error as Error).message}`);
  });
  try {
    await prepareNamespace(connection, namespace);
  } catch (error) {
    throw new Problem(`TEMPORAL_NAMESPACE: "${namespace}" cannot be used at ${address}: ${(error as Error).message}`);
  } finally {
    await connection.close();
  }
}

function temporalPart(
  programs: TemporalPrograms,
  settings: Settings,
  at: { temporalPort: number; uiPort: number; logFolder: string; codecEndpoint: string | null },
  options: SystemOptions,
): Part {
  return {
    name: 'temporal',
    async start() {
      const running = await startTemporal({
        programs,
        dbFile: settings.TEMPORAL_DB_FILE,
        port: at.temporalPort,
        uiPort: at.uiPort,
        namespace: settings.TEMPORAL_NAMESPACE,
        sync: settings.TEMPORAL_SYNC,
        logFolder: at.logFolder,
        codecEndpoint: at.codecEndpoint,
        env: options.env,
        onUiLost: (reason) => options.say(`the Temporal Web UI ended (${reason}); starting it again`),
      });
      return {
        detail: `${running.address}, Web UI ${running.uiUrl ?? 'not there'}, database ${settings.TEMPORAL_DB_FILE}`,
        exited: running.exited,
        stop: () => running.stop(),
      };
    },
  };
}

/** An address to listen on, as an address to call. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}
