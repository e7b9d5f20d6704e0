import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it, type TestContext } from 'vitest';
import { parse } from 'yaml';
import { projectRoot } from '../../src/config/project-root.js';
import { readSettings } from '../../src/config/settings.js';
import { freePorts } from '../../src/server/free-ports.js';
import { startGuarded } from '../../src/server/guarded-process.js';
import { temporalConfig } from '../../src/server/temporal-config.js';
import { findTemporalPrograms, type TemporalPrograms } from '../../src/server/temporal-programs.js';
import { Graphs } from '../support/graph-system.js';
import { obtainPostgres, type RunningPostgres, startPostgres } from '../support/postgres.js';
import { type SystemUnderTest, startSystemUnderTest } from '../support/system.js';
import { TemporalOnPostgres } from '../support/temporal-on-postgres.js';
import { waitFor } from '../support/wait-for.js';

/** The server of production: on PostgreSQL, with the files of `deploy/temporal` that containers and systemd units use. */

const { PIXYZ_CACHE_PATH: cachePath } = readSettings(process.env, process.cwd());
const namespace = 'on-postgres';
const folder = mkdtempSync(join(tmpdir(), 'pixyz-on-postgres-'));

/** Why nothing can be tried here, or null. */
let missing: string | null = null;
let programs: TemporalPrograms & { readonly kind: 'server' };
let postgres: RunningPostgres | undefined;
let temporal: TemporalOnPostgres | undefined;
let system: SystemUnderTest | undefined;

beforeAll(async () => {
  const found = await findTemporalPrograms(cachePath, process.env);
  if (found?.kind !== 'server' || found.sqlTool === null) {
    missing = "there is no Temporal server with its SQL tool here: Temporal's command-line program knows SQLite alone";
    return;
  }
  programs = found as typeof programs;
  const database = await obtainPostgres(cachePath);
  if (typeof database === 'string') {
    missing = database;
    return;
  }
  postgres = await startPostgres(database);
  temporal = await TemporalOnPostgres.on(postgres, programs, folder);
  await temporal.setUpSchema();
  await temporal.start();
  system = await startSystemUnderTest({
    temporalAddress: temporal.address,
    namespace,
    worker: { CONCURRENT_TASKS: '2' },
  });
}, 180_000);
afterAll(async () => {
  await system?.stop();
  await temporal?.stop();
  await postgres?.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach((context: TestContext) => {
  if (missing !== null) context.skip(missing);
});

let latches = 0;
/** Tells that it runs, then waits. */
const gate = `
import os, time
def main(pc, params):
    open(params["dir"] + "/started", "a").write("x")
    while not os.path.exists(params["dir"] + "/go"):
        time.sleep(0.02)
    return "open"

def add(pc, params):
    return sum(params["of"])
`;
function latch(): { dir: string; started: () => boolean; open: () => void } {
  latches += 1;
  const dir = join(folder, `latch-${latches}`);
  mkdirSync(dir);
  return { dir, started: () => existsSync(join(dir, 'started')), open: () => writeFileSync(join(dir, 'go'), '') };
}

describe('on PostgreSQL', () => {
  const under = () => system as SystemUnderTest;

  it('a job runs, is found in lists by its name, and ends well', async () => {
    const details = await under().api.run({ process: 'api_test', name: 'on postgres' });
    expect(details.status).toBe('SUCCESS');
    await waitFor(async () => {
      const answer = await under().api.get('/jobs?name=on%20postgres');
      expect(await answer.text()).toContain(details.uuid);
    });
  });

  it('a graph hands values on', async () => {
    const graphs = new Graphs(under());
    const { id, states } = await graphs.run(
      {
        nodes: [
          { id: 'a', script: 'steps', entrypoint: 'add', params: { of: [1, 2] } },
          { id: 'b', script: 'steps', entrypoint: 'add', params: { of: [3, 4] } },
          {
            id: 'both',
            script: 'steps',
            entrypoint: 'add',
            params: { of: ['${{ nodes.a.result }}', '${{ nodes.b.result }}'] },
          },
        ],
      },
      { steps: gate },
    );
    expect(states).toEqual({ a: 'succeeded', b: 'succeeded', both: 'succeeded' });
    expect(await graphs.result(id, 'both')).toBe(10);
  });

  it('kill -9 of the server in the middle of a job and of a graph: both end well once it is back', async () => {
    const server = temporal as TemporalOnPostgres;
    const graphs = new Graphs(under());
    const [forJob, forNode] = [latch(), latch()];
    const jobId = await under().api.submit({ script: gate, params: { dir: forJob.dir } });
    const graphId = await graphs.create(
      {
        nodes: [
          { id: 'gate', script: 'steps', params: { dir: forNode.dir } },
          { id: 'after', script: 'steps', entrypoint: 'add', params: { of: [5] }, deps: ['gate'] },
        ],
      },
      { steps: gate },
    );
    await waitFor(() => forJob.started() && forNode.started());
    await server.kill();
    expect((await under().api.post({ process: 'api_test' })).status).toBe(503);
    expect((await under().api.details(jobId)).status).toBe('RUNNING');
    // As a container that comes up again: the tables first, which are there already.
    await server.setUpSchema();
    await server.start();
    forJob.open();
    forNode.open();
    expect(await under().api.ended(jobId)).toMatchObject({ status: 'SUCCESS', retry: 0, result: 'open' });
    await graphs.ended(graphId);
    expect(await graphs.states(graphId)).toEqual({ gate: 'succeeded', after: 'succeeded' });
  });

  it('the one-shot process makes a namespace, and does no harm where it is', async () => {
    const env = {
      PATH: process.env['PATH'],
      TEMPORAL_ADDRESS: temporal?.address,
      TEMPORAL_NAMESPACE: 'made-by-process',
    };
    for (const _time of ['first', 'second']) {
      const { stdout } = await promisify(execFile)(process.execPath, [join(projectRoot, 'dist', 'server', 'main.js')], {
        cwd: folder,
        env,
      });
      expect(stdout).toContain('made-by-process');
    }
  });

  it('the Web UI comes up with its own configuration, and shows our namespace first', async (context) => {
    if (programs.ui === null) return context.skip('there is no Web UI here');
    const [port] = (await freePorts(1)) as [number];
    const ui = await startGuarded({
      command: programs.ui,
      // It takes the folder relative to its root.
      args: ['--root', '/', '--config', relative('/', join(projectRoot, 'deploy', 'temporal')), '--env', 'ui', 'start'],
      env: { TEMPORAL_ADDRESS: temporal?.address, TEMPORAL_NAMESPACE: namespace, TEMPORAL_UI_BIND_PORT: String(port) },
      logFile: join(folder, 'ui.log'),
      graceSeconds: 2,
    });
    try {
      const settings = await waitFor(async () => (await fetch(`http://127.0.0.1:${port}/api/v1/settings`)).json());
      expect(settings).toMatchObject({ DefaultNamespace: namespace, DisableNewsFetch: true });
    } finally {
      await ui.stop();
    }
  });

  it('the configuration of the server is that of the embedded one, but for database, ports and paths', async () => {
    const render = async (file: string): Promise<Record<string, unknown>> => {
      const name = file
        .split('/')
        .at(-1)
        ?.replace(/\.yaml$/, '') as string;
      const args = ['--config', join(file, '..'), '--env', name, 'render-config'];
      const { stdout } = await promisify(execFile)(programs.server, args, {
        env: { TEMPORAL_DYNAMIC_CONFIG: '/d.yaml' },
      });
      const { persistence: _database, ...rest } = parse(stdout) as Record<string, unknown>;
      return rest;
    };
    const embedded = temporalConfig({
      ports: {
        frontend: 7233,
        frontendHttp: 7243,
        frontendMembership: 7253,
        history: 7234,
        historyMembership: 7254,
        matching: 7235,
        matchingMembership: 7255,
        worker: 7239,
        workerMembership: 7259,
      },
      host: '127.0.0.1',
      store: { file: '/t.db', sync: 'normal' },
      dynamicConfigFile: '/d.yaml',
      logLevel: 'warn',
      metricsAddress: null,
    });
    writeFileSync(join(folder, 'embedded.yaml'), JSON.stringify(embedded));
    expect(await render(join(projectRoot, 'deploy', 'temporal', 'server.yaml'))).toEqual(
      await render(join(folder, 'embedded.yaml')),
    );
  });
});
