import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readSettings } from '../../../src/config/settings.js';
import { loadDynamicConfig } from '../../../src/server/dynamic-config.js';
import { type RunningTemporal, startTemporal } from '../../../src/server/start-temporal.js';
import { findTemporalPrograms, type TemporalPrograms } from '../../../src/server/temporal-programs.js';
import { processesWith } from '../../support/leftovers.js';
import { waitFor } from '../../support/wait-for.js';

/** A server of its own, to stop and kill: the shared one must stay up. */

let folder: string;
const running: RunningTemporal[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pixyz-temporal-'));
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
  rmSync(folder, { recursive: true, force: true });
});

async function start(
  port = 0,
  uiPort: number | null = null,
  logLevel: 'warn' | 'info' = 'warn',
  codecEndpoint: string | null = null,
): Promise<RunningTemporal> {
  const programs = await findTemporalPrograms(readSettings(process.env, '.').PIXYZ_CACHE_PATH, process.env);
  const server = await startTemporal({
    programs: programs as TemporalPrograms,
    dbFile: join(folder, 'temporal.db'),
    port,
    uiPort,
    logLevel,
    codecEndpoint,
    namespace: 'restart-test',
  });
  running.push(server);
  return server;
}

test('what runs is still there after the server was killed, and nothing of it is left after a stop', async () => {
  const first = await start();
  const connection = await Connection.connect({ address: first.address });
  await new Client({ connection, namespace: 'restart-test' }).workflow.start('waits-for-a-worker', {
    taskQueue: 'nobody',
    workflowId: 'survivor',
    searchAttributes: { PixyzName: ['kept'] },
  });
  await connection.close();

  process.kill(-first.pid, 'SIGKILL');
  await first.exited;
  const second = await start();
  const again = await Connection.connect({ address: second.address });
  const client = new Client({ connection: again, namespace: 'restart-test' });
  expect((await client.workflow.getHandle('survivor').describe()).status.name).toBe('RUNNING');
  await waitFor(async () => {
    const found: string[] = [];
    for await (const run of client.workflow.list({ query: "PixyzName = 'kept'" })) found.push(run.workflowId);
    expect(found).toEqual(['survivor']);
  });
  await again.close();
  await second.stop();
  await waitFor(() => expect(processesWith(folder)).toEqual([]));
});

test('the database has an index for what lists are filtered by, and none for what nobody asks', async () => {
  await start();
  const log = readFileSync(join(folder, 'logs', 'temporal.log'), 'utf8');
  expect(log).not.toContain('the database was not prepared');
  const question = `import sqlite3, sys
for (name,) in sqlite3.connect(sys.argv[1]).execute("select name from sqlite_master where type = 'index'"): print(name)`;
  const python = process.env['PYTHON'] as string;
  const { stdout } = await promisify(execFile)(python, ['-c', question, join(folder, 'temporal.db')]);
  const indexes = stdout.split('\n');
  expect(indexes).toEqual(expect.arrayContaining(['by_keyword_01', 'by_keyword_05', 'by_status', 'by_workflow_type']));
  expect(indexes).not.toContain('by_keyword_06');
});

test('the dynamic configuration is in force: the server says each value when it starts', async () => {
  await start(0, null, 'info');
  const log = readFileSync(join(folder, 'logs', 'temporal.log'), 'utf8');
  for (const [key, value] of loadDynamicConfig()) {
    const said = `key: ${key.toLowerCase()} oldValue: nil newValue: { constraints: {} value: ${value} }`;
    expect(log, key).toContain(said);
  }
});

test('two servers on one database are refused', async () => {
  await start();
  await expect(start()).rejects.toThrow(/temporal\.db is in use by process \d+.*TEMPORAL_DB_FILE/);
});

test('a port that is taken is named, with the setting that changes it', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as { port: number };
  await expect(start(port)).rejects.toThrow(new RegExp(`port ${port} \\(TEMPORAL_PORT\\) is taken`));
  await expect(start(0, port)).rejects.toThrow(new RegExp(`port ${port} \\(TEMPORAL_UI_PORT\\) is taken`));
  await new Promise((resolve) => taken.close(resolve));
});

test('a Web UI comes with it', async () => {
  const { uiUrl } = await start(0, 0);
  const response = await fetch(uiUrl as string);
  expect(response.status).toBe(200);
  expect(await response.text()).toMatch(/<html/i);
  // Asked to decode where nobody serves that, it would show an error on every page.
  const settings = (await (await fetch(`${uiUrl}/api/v1/settings`)).json()) as { Codec: { Endpoint: string } };
  expect(settings.Codec.Endpoint).toBe('');
});

test('its Web UI has payloads decoded where it is told', async () => {
  const { uiUrl } = await start(0, 0, 'warn', 'http://127.0.0.1:8001/codec');
  const settings = (await (await fetch(`${uiUrl}/api/v1/settings`)).json()) as { Codec: { Endpoint: string } };
  expect(settings.Codec.Endpoint).toBe('http://127.0.0.1:8001/codec');
});
