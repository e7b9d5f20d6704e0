import { appendFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFolders } from '../store/make-folders.js';
import { cliArguments } from './cli-arguments.js';
import { DatabaseInUseError, type DatabaseLock, lockDatabase } from './database-lock.js';
import { dynamicConfigFile } from './dynamic-config.js';
import { freePorts, isPortFree } from './free-ports.js';
import { type GuardedProcess, startGuarded } from './guarded-process.js';
import { logTail } from './log-tail.js';
import { prepareDatabase } from './prepare-database.js';
import { connectWhenReady, prepareNamespace } from './prepare-namespace.js';
import { type TemporalPorts, temporalConfig, uiConfig } from './temporal-config.js';
import type { TemporalPrograms } from './temporal-programs.js';

/** Runs a Temporal server on a SQLite file, with its Web UI: what `npm start`, the demo and the tests work on. */

export interface TemporalOptions {
  readonly programs: TemporalPrograms;
  readonly dbFile: string;
  /** 0: any free port. */
  readonly port: number;
  /** 0: any free port; null: no Web UI. */
  readonly uiPort: number | null;
  /** Where the Web UI has payloads decoded. Default: nowhere. */
  readonly codecEndpoint?: string | null;
  /** Called when the Web UI ended without being asked to; it is then started again. */
  readonly onUiLost?: (reason: string) => void;
  readonly namespace: string;
  readonly sync?: 'normal' | 'full';
  /** Where `temporal.log` and `temporal-ui.log` go. Default: `logs/` beside the database. */
  readonly logFolder?: string;
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error';
  /** Default: the one that is shipped. */
  readonly dynamicConfig?: string;
  readonly metricsPort?: number | null;
  readonly env?: NodeJS.ProcessEnv;
}

export interface RunningTemporal {
  readonly address: string;
  readonly namespace: string;
  readonly uiUrl: string | null;
  /** Of the guard that leads the server's process group. */
  readonly pid: number;
  readonly logFile: string;
  /** Resolves with the reason when the server has ended, asked or not. */
  readonly exited: Promise<string>;
  stop(): Promise<void>;
}

export class TemporalStartError extends Error {
  override readonly name = 'TemporalStartError';
}

const host = '127.0.0.1';
const graceSeconds = 8;
const largestLogBytes = 16 * 2 ** 20;
const uiWithinMs = 20_000;

export async function startTemporal(options: TemporalOptions): Promise<RunningTemporal> {
  const home = dirname(options.dbFile);
  const logFolder = options.logFolder ?? join(home, 'logs');
  try {
    makeFolders(home);
    makeFolders(logFolder);
  } catch (error) {
    throw new TemporalStartError(`the folder of the Temporal database cannot be written: ${(error as Error).message}`);
  }
  for (const [name, port] of [
    ['TEMPORAL_PORT', options.port],
    ['TEMPORAL_UI_PORT', options.uiPort ?? 0],
  ] as const) {
    if (port !== 0 && !(await isPortFree(port, host))) {
      throw new TemporalStartError(
        `port ${port} (${name}) is taken by another program; name a free one in ${name}, or 0 for any`,
      );
    }
  }
  const lock = await lockDatabase(`${options.dbFile}.lock`).catch((error: unknown) => {
    throw new TemporalStartError(
      error instanceof DatabaseInUseError
        ? `the Temporal database ${options.dbFile} is ${error.message}; stop that one, or name another file in TEMPORAL_DB_FILE`
        : `the Temporal database ${options.dbFile} cannot be locked: ${(error as Error).message}`,
    );
  });
  try {
    // Ports that were free a moment ago may be taken by now: once more with others, unless the operator named them.
    for (let attempt = 1; ; attempt++) {
      try {
        return await startOnce(options, logFolder, lock);
      } catch (error) {
        if (attempt === 3 || !(error instanceof TemporalStartError) || !/address already in use/.test(error.message)) {
          throw error;
        }
      }
    }
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function startOnce(options: TemporalOptions, logFolder: string, lock: DatabaseLock): Promise<RunningTemporal> {
  const home = dirname(options.dbFile);
  const logFile = join(logFolder, 'temporal.log');
  const uiLogFile = join(logFolder, 'temporal-ui.log');
  for (const file of [logFile, uiLogFile]) rotate(file);
  const logStart = sizeOf(logFile);
  const configFile = join(home, 'temporal-server.json');
  const ports = await choosePorts(options);
  const address = `${host}:${ports.frontend}`;
  const uiPort = options.uiPort === null ? null : options.uiPort || ((await freePorts(1))[0] as number);
  const env = environment(options.env ?? process.env);
  const { programs } = options;

  let server: GuardedProcess | undefined;
  let ui: { stop(): Promise<void> } | undefined;
  try {
    if (programs.kind === 'cli') {
      server = await startGuarded({
        command: programs.cli,
        args: cliArguments({ ...options, port: ports.frontend, uiPort, host }),
        env,
        logFile,
        graceSeconds,
      });
    } else {
      if (programs.sqlTool !== null) {
        const reason = await prepareDatabase(options.dbFile, programs.sqlTool);
        if (reason !== null) appendFileSync(logFile, `the database was not prepared: ${reason}\n`);
      }
      writePrivate(
        configFile,
        temporalConfig({
          ports,
          host,
          store: { file: options.dbFile, sync: options.sync ?? 'normal' },
          dynamicConfigFile: options.dynamicConfig ?? dynamicConfigFile,
          logLevel: options.logLevel ?? 'warn',
          metricsAddress: options.metricsPort ? `${host}:${options.metricsPort}` : null,
        }),
      );
      server = await startGuarded({
        command: programs.server,
        args: ['--config-file', configFile, '--allow-no-auth', 'start'],
        env,
        logFile,
        graceSeconds,
      });
    }
    lock.serverIs(server.pid);
    const reason = server.exited.then(({ code, signal }) => signal ?? `exit code ${code}`);
    const early = reason.then((why) => {
      throw new TemporalStartError(
        `the Temporal server ended before it was ready (${why}); its log ${logFile} ends with:\n${logTail(logFile, logStart)}`,
      );
    });
    early.catch(() => {});

    let uiUrl = programs.kind === 'cli' && uiPort !== null ? `http://${host}:${uiPort}` : null;
    if (uiPort !== null && programs.kind === 'server' && programs.ui !== null) {
      const folder = join(home, 'temporal-ui');
      makeFolders(folder);
      writePrivate(
        join(folder, 'ui.yaml'),
        uiConfig({
          temporalAddress: address,
          host,
          port: uiPort,
          namespace: options.namespace,
          codecEndpoint: options.codecEndpoint ?? null,
        }),
      );
      const program = programs.ui;
      ui = await keepRunning(
        () =>
          startGuarded({
            command: program,
            // It takes the folder relative to where it runs, even when it begins with a slash.
            args: ['--config', 'temporal-ui', '--env', 'ui', 'start'],
            cwd: home,
            env,
            logFile: uiLogFile,
            graceSeconds: 2,
          }),
        options.onUiLost ?? (() => {}),
      );
      uiUrl = `http://${host}:${uiPort}`;
    }

    const ready = connectWhenReady(address, 60_000).then(async (connection) => {
      try {
        await prepareNamespace(connection, options.namespace);
      } finally {
        await connection.close();
      }
    });
    ready.catch(() => {});
    await Promise.race([Promise.all([ready, uiIsUp(uiUrl, uiLogFile)]), early]);
    const running = server;
    return {
      address,
      namespace: options.namespace,
      uiUrl,
      pid: running.pid,
      logFile,
      exited: reason.then(async (why) => {
        await ui?.stop();
        lock.release();
        return why;
      }),
      stop: async () => {
        await Promise.all([running.stop(), ui?.stop()]);
        lock.release();
      },
    };
  } catch (error) {
    await Promise.all([server?.stop(2), ui?.stop()]);
    throw error;
  }
}

async function uiIsUp(url: string | null, logFile: string): Promise<void> {
  if (url === null) return;
  for (const deadline = Date.now() + uiWithinMs; ; ) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(1000) });
      await response.body?.cancel();
      return;
    } catch {
      if (Date.now() > deadline) {
        throw new TemporalStartError(
          `the Temporal Web UI did not answer at ${url}; its log ${logFile} ends with:\n${logTail(logFile, 0)}`,
        );
      }
    }
    await sleep(50);
  }
}

/** The Web UI is no reason to stop anything: it is started again, after a pause. */
async function keepRunning(
  start: () => Promise<GuardedProcess>,
  onLost: (reason: string) => void,
): Promise<{ stop(): Promise<void> }> {
  const stopping = new AbortController();
  let running = await start();
  const kept = (async () => {
    for (;;) {
      const { code, signal } = await running.exited;
      if (stopping.signal.aborted) return;
      onLost(signal ?? `exit code ${code}`);
      await sleep(5000, undefined, { signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted) return;
      running = await start();
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await running.stop();
      await kept;
    },
  };
}

async function choosePorts(options: TemporalOptions): Promise<TemporalPorts> {
  const free = (await freePorts(9)) as [number, number, number, number, number, number, number, number, number];
  return {
    frontend: options.port || free[0],
    frontendHttp: free[1],
    frontendMembership: free[2],
    history: free[3],
    historyMembership: free[4],
    matching: free[5],
    matchingMembership: free[6],
    worker: free[7],
    workerMembership: free[8],
  };
}

/** The server needs no more than this; our own settings and secrets stay with us. */
function environment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const names = [
    'PATH',
    'HOME',
    'TMPDIR',
    'TEMP',
    'TMP',
    'SystemRoot',
    'USERPROFILE',
    'TZ',
    'GOGC',
    'GOMEMLIMIT',
    'GOMAXPROCS',
    'GODEBUG',
  ];
  const passed = Object.fromEntries(names.filter((name) => env[name] !== undefined).map((name) => [name, env[name]]));
  // Most of what a run allocates is garbage at once: a larger heap is collected less often, for a tenth of the CPU.
  // Each request runs in a new goroutine, some thirty calls deep: one that starts with a stack of the usual size need not
  // copy a growing one several times.
  return { GOGC: '300', GODEBUG: 'adaptivestackstart=1', ...passed };
}

function writePrivate(file: string, content: unknown): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}

/** One older log is kept. */
function rotate(file: string): void {
  if (sizeOf(file) > largestLogBytes) renameSync(file, `${file}.1`);
}
