import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings } from '../../src/config/settings.js';
import { freePorts, isPortFree } from '../../src/server/free-ports.js';
import { type RunningTemporal, startTemporal } from '../../src/server/start-temporal.js';
import { findTemporalPrograms } from '../../src/server/temporal-programs.js';
import { waitFor } from './wait-for.js';

/** A Temporal server of the test's own, with a database file that survives it: to be killed and started again. */
export interface OwnServer {
  readonly address: string;
  readonly namespace: string;
  start(): Promise<void>;
  /** `kill -9`, and waits until its port is free. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

export async function ownServer(namespace = 'kills'): Promise<OwnServer> {
  const settings = readSettings(process.env, process.cwd());
  const programs = await findTemporalPrograms(settings.PIXYZ_CACHE_PATH, process.env);
  if (programs === null) throw new Error('no Temporal server was found: run `npm run setup` once');
  const folder = mkdtempSync(join(tmpdir(), 'pixyz-server-'));
  const [port = 0] = await freePorts(1);
  let current: RunningTemporal | null = null;
  return {
    address: `127.0.0.1:${port}`,
    namespace,
    async start() {
      current = await startTemporal({ programs, dbFile: join(folder, 'temporal.db'), port, uiPort: null, namespace });
    },
    async kill() {
      if (current === null) throw new Error('the server does not run');
      process.kill(-current.pid, 'SIGKILL');
      await current.exited;
      await waitFor(() => isPortFree(port, '127.0.0.1'));
      current = null;
    },
    async stop() {
      await current?.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
