import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { projectRoot } from '../../../src/config/project-root.js';
import { freePorts } from '../../../src/server/free-ports.js';
import { processesWith } from '../../support/leftovers.js';
import { waitFor } from '../../support/wait-for.js';

/** `npm start` as a user runs it: a process, its terminal, its signals. */

let folder: string;
let started: Start[];
/** Waits for a server that is not there, for as long as a user would: while the other tests run. */
let unanswered: Start;
let unansweredFolder: string;

interface Start {
  readonly process: ChildProcess;
  readonly env: Record<string, string>;
  readonly ended: Promise<number | null>;
  output(): string;
  until(text: string | RegExp): Promise<string>;
}

beforeAll(async () => {
  folder = unansweredFolder = mkdtempSync(join(tmpdir(), 'pixyz-unanswered-'));
  started = [];
  const [port] = await freePorts(1);
  unanswered = npmStart({ ...(await settingsOf()), TEMPORAL_ADDRESS: `127.0.0.1:${port}` });
});

afterAll(() => {
  unanswered.process.kill('SIGKILL');
  rmSync(unansweredFolder, { recursive: true, force: true });
});

function newFolder(): void {
  folder = mkdtempSync(join(tmpdir(), 'pixyz-start-'));
  started = [];
}

async function cleanUp(): Promise<void> {
  for (const { process: child } of started) child.kill('SIGKILL');
  await waitFor(() => expect(processesWith(folder)).toEqual([]), { timeoutMs: 40_000 });
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

async function settingsOf(name = 'system'): Promise<Record<string, string>> {
  const [api, temporal, ui] = (await freePorts(3)) as [number, number, number];
  return {
    API_PORT: String(api),
    TEMPORAL_PORT: String(temporal),
    TEMPORAL_UI_PORT: String(ui),
    TEMPORAL_DB_FILE: join(folder, name, 'data', 'temporal.db'),
    SHARE_PATH: join(folder, name, 'share'),
  };
}

function npmStart(env: Record<string, string>, ...args: string[]): Start {
  const child = spawn(process.execPath, [join(projectRoot, 'tools', 'run.mjs'), 'start', ...args], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk));
  const start: Start = {
    process: child,
    env,
    ended: new Promise((resolve) => child.once('close', resolve)),
    output: () => output,
    until: async (text) => {
      await waitFor(() => expect(output).toMatch(text), { timeoutMs: 50_000 });
      return output;
    },
  };
  started.push(start);
  return start;
}

const ready = async (env: Record<string, string>) =>
  (await fetch(`http://127.0.0.1:${env['API_PORT']}/readyz`, { signal: AbortSignal.timeout(5000) })).status;

describe('npm start', () => {
  // One system goes from test to test: each start of a whole one takes seconds.
  beforeAll(newFolder);
  afterAll(cleanUp);
  let env: Record<string, string>;
  let token: string;
  let again: Start;

  test('brings everything up, says where it is, also twice side by side, and leaves nothing behind when it is told to stop', async () => {
    env = await settingsOf('one');
    const otherEnv = await settingsOf('two');
    const [start, other] = [npmStart(env), npmStart(otherEnv)];
    const output = await start.until(/^ready: .*$/m);
    expect(output).toContain(`API http://127.0.0.1:${env['API_PORT']} `);
    expect(output).toContain(`Temporal Web UI http://127.0.0.1:${env['TEMPORAL_UI_PORT']}`);
    for (const part of ['temporal', 'api', 'worker']) expect(output).toMatch(new RegExp(`^${part} +up`, 'm'));
    await other.until(/^ready: /m);
    expect(await Promise.all([ready(env), ready(otherEnv)])).toEqual([200, 200]);

    const tokenFile = join(folder, 'one', 'data', 'api-token');
    token = readFileSync(tokenFile, 'utf8').trim();
    expect(output).toContain(token);
    expect(statSync(tokenFile).mode & 0o077).toBe(0);
    const jobsOf = ({ API_PORT }: Record<string, string>) =>
      fetch(`http://127.0.0.1:${API_PORT}/jobs`, { headers: { 'x-api-key': token } });
    expect((await jobsOf(env)).status).toBe(200);
    // They know nothing of each other.
    expect((await jobsOf(otherEnv)).status).toBe(401);

    start.process.kill('SIGINT');
    other.process.kill('SIGTERM');
    expect(await Promise.all([start.ended, other.ended])).toEqual([0, 0]);
    expect(start.output()).toContain('stopped');
    expect(processesWith(folder)).toEqual([]);
  });

  test('shows the token once only, and keeps it', async () => {
    again = npmStart(env);
    expect(await again.until(/^ready: /m)).not.toContain(token);
    expect(readFileSync(join(folder, 'one', 'data', 'api-token'), 'utf8').trim()).toBe(token);
  });

  test('starts a part again that dies, and says so', async () => {
    const worker = processesWith(folder).find((line) => /^\d+ \S*node .*worker\/main\.js/.test(line)) as string;
    process.kill(Number.parseInt(worker, 10), 'SIGKILL');
    await again.until(/worker ended \(.*\); starting it again/);
    await again.until(/worker is up again/);
    expect(await ready(env)).toBe(200);
  });

  test('that is killed with SIGKILL takes everything with it', async () => {
    expect(processesWith(folder).length).toBeGreaterThan(3);
    again.process.kill('SIGKILL');
    await waitFor(() => expect(processesWith(folder)).toEqual([]), { timeoutMs: 30_000 });
  });
});

describe('npm start of a part', () => {
  beforeEach(newFolder);
  afterEach(cleanUp);

  test('starts that one, and tells of it', async () => {
    const env = await settingsOf();
    const server = npmStart(env, 'server');
    await server.until(/^ready: /m);
    const worker = npmStart(
      { ...env, QUEUE_NAME: 'wine', TEMPORAL_ADDRESS: `127.0.0.1:${env['TEMPORAL_PORT']}` },
      'worker',
    );
    expect(await worker.until(/^ready: /m)).toMatch(/worker +up +queues wine/);
    for (const start of [worker, server]) {
      start.process.kill('SIGTERM');
      expect(await start.ended).toBe(0);
    }
  });
});

describe('npm start says what is wrong, and starts nothing', () => {
  beforeEach(newFolder);
  afterEach(cleanUp);

  const hasFailed = async (start: Start, message: RegExp) => {
    expect(await start.ended).toBe(1);
    expect(start.output()).toMatch(message);
    // A sentence for the operator, not a stack.
    expect(start.output()).not.toMatch(/^\s+at .*\(/m);
  };

  const fails = async (env: Record<string, string>, message: RegExp, ...args: string[]) => {
    await hasFailed(npmStart(env, ...args), message);
    expect(processesWith(folder)).toEqual([]);
  };

  test.each(['API_PORT', 'TEMPORAL_PORT', 'TEMPORAL_UI_PORT'])('when %s is taken', async (name) => {
    const { createServer } = await import('node:net');
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const port = String((taken.address() as { port: number }).port);
    await fails({ ...(await settingsOf()), [name]: port }, new RegExp(`port ${port} \\(${name}\\) is taken`));
    await new Promise((resolve) => taken.close(resolve));
  });

  test('when the share is no folder', async () => {
    writeFileSync(join(folder, 'file'), '');
    const env = { ...(await settingsOf()), SHARE_PATH: join(folder, 'file') };
    await fails(env, /SHARE_PATH: the folder .*file cannot be written/);
  });

  test('when the share lies where no folder can be made', async () => {
    const env = { ...(await settingsOf()), SHARE_PATH: '/proc/pixyz/share' };
    await fails(env, /SHARE_PATH: the folder \/proc\/pixyz\/share cannot be written: ENOENT/);
  });

  test('when there are no processes', async () => {
    await fails({ ...(await settingsOf()), PROCESS_PATH: join(folder, 'nowhere') }, /PROCESS_PATH: there is no folder/);
  });

  test('when the interpreter is none', async () => {
    await fails({ ...(await settingsOf()), PYTHON: join(folder, 'nopython') }, /PYTHON: .*nopython is no Python/);
  });

  test('when there is no Python at all', async () => {
    const env = { ...(await settingsOf()), PATH: folder, PYTHON: '' };
    await fails(env, /Python 3\.11 or newer is needed and was not found on PATH/);
  });

  test('when there is neither a server nor a way to get one', async () => {
    const env = {
      ...(await settingsOf()),
      PATH: folder,
      PIXYZ_CACHE_PATH: join(folder, 'cache'),
      PYTHON: process.execPath,
    };
    await fails(env, /no Temporal server here[^]*install Go[^]*TEMPORAL_ADDRESS/);
  });

  test('when nobody answers at TEMPORAL_ADDRESS', async () => {
    await hasFailed(unanswered, /TEMPORAL_ADDRESS: no Temporal server answers/);
    expect(processesWith(unansweredFolder)).toEqual([]);
  });

  test('when the configuration is wrong: all of it at once', async () => {
    const env = { ...(await settingsOf()), API_PORT: 'http', LICENSE_PORT: '-1' };
    await fails(env, /2 problems[^]*API_PORT[^]*LICENSE_PORT/);
  });

  test('when a part is named that there is not', async () => {
    await fails(await settingsOf(), /there is no part "wurker"/, 'wurker');
  });
});
