import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { readSettings } from '../../src/config/settings.js';
import { type RunningTemporal, startTemporal } from '../../src/server/start-temporal.js';
import { findTemporalPrograms } from '../../src/server/temporal-programs.js';
import { locatePython } from '../../src/setup/python-environment.js';

/** One Temporal server, on free ports and an empty database, for all tiers of a run that need one. */

declare module 'vitest' {
  export interface ProvidedContext {
    /** host:port of the server of this run. */
    readonly temporalAddress: string;
    readonly temporalNamespace: string;
  }
}

interface Shared {
  users: number;
  readonly running: Promise<RunningTemporal>;
  readonly folder: string;
}

// Each tier loads its own copy of this module: what they share hangs on the process.
const holder = globalThis as { pixyzTestServer?: Shared };

async function start(folder: string): Promise<RunningTemporal> {
  const settings = readSettings(process.env, process.cwd());
  // Parts that the tests start run scripts with the environment of set-up, also when vitest is called by itself.
  process.env['PYTHON'] ||= await locatePython(settings.PIXYZ_CACHE_PATH);
  const programs = await findTemporalPrograms(settings.PIXYZ_CACHE_PATH, process.env);
  if (programs === null) throw new Error('no Temporal server was found: run `npm run setup` once');
  return startTemporal({
    programs,
    dbFile: join(folder, 'temporal.db'),
    port: 0,
    uiPort: null,
    namespace: 'pixyz-test',
  });
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  holder.pixyzTestServer ??= (() => {
    const folder = mkdtempSync(join(tmpdir(), 'pixyz-test-temporal-'));
    return { users: 0, folder, running: start(folder) };
  })();
  const shared = holder.pixyzTestServer;
  shared.users += 1;
  const server = await shared.running;
  project.provide('temporalAddress', server.address);
  project.provide('temporalNamespace', server.namespace);
  return async () => {
    shared.users -= 1;
    if (shared.users > 0) return;
    delete holder.pixyzTestServer;
    await server.stop();
    rmSync(shared.folder, { recursive: true, force: true });
  };
}
