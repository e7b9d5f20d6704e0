import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { readSettings } from '../../src/config/settings.js';
import { dynamicConfigFile } from '../../src/server/dynamic-config.js';
import { connectWhenReady, prepareNamespace } from '../../src/server/prepare-namespace.js';
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

/**
 * Of the tests that replay each step: a run that loses a workflow task there (see `test/workflow/parts.test.ts`) goes on after
 * this time instead of ten seconds.
 */
const hasty = 'pixyz-test-hasty';
const hastyTasks = `
history.defaultWorkflowTaskTimeout:
  - value: 2s
    constraints:
      namespace: ${hasty}
`;

// Each tier loads its own copy of this module: what they share hangs on the process.
const holder = globalThis as { pixyzTestServer?: Shared };

async function start(folder: string): Promise<RunningTemporal> {
  const settings = readSettings(process.env, process.cwd());
  // Parts that the tests start run scripts with the environment of set-up, also when vitest is called by itself.
  process.env['PYTHON'] ||= await locatePython(settings.PIXYZ_CACHE_PATH);
  const programs = await findTemporalPrograms(settings.PIXYZ_CACHE_PATH, process.env);
  if (programs === null) throw new Error('no Temporal server was found: run `npm run setup` once');
  const dynamicConfig = join(folder, 'dynamicconfig.yaml');
  writeFileSync(dynamicConfig, `${readFileSync(dynamicConfigFile, 'utf8')}${hastyTasks}`);
  const server = await startTemporal({
    programs,
    dbFile: join(folder, 'temporal.db'),
    port: 0,
    uiPort: null,
    namespace: 'pixyz-test',
    // Temporal's command-line program takes no values for one namespace.
    ...(programs.kind === 'server' ? { dynamicConfig } : {}),
  });
  const connection = await connectWhenReady(server.address, 10_000);
  await prepareNamespace(connection, hasty);
  await connection.close();
  return server;
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
  project.provide('temporalNamespace', project.name === 'workflow' ? hasty : server.namespace);
  return async () => {
    shared.users -= 1;
    if (shared.users > 0) return;
    delete holder.pixyzTestServer;
    await server.stop();
    rmSync(shared.folder, { recursive: true, force: true });
  };
}
