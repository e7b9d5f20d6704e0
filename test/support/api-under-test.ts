import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, onTestFinished } from 'vitest';
import type { z } from 'zod';
import { buildApp } from '../../src/api/app.js';
import type { ApiOptions, App } from '../../src/api/deps.js';
import { projectRoot } from '../../src/config/project-root.js';
import { graphIdOf } from '../../src/contract/ids.js';
import type { ScriptInspector } from '../../src/contract/inspection.js';
import type { JobRecord, JobSpec } from '../../src/contract/job.js';
import { newRecord } from '../../src/contract/job.js';
import { newGraphId } from '../../src/contract/new-graph-id.js';
import type { workerReportSchema } from '../../src/contract/worker-report.js';
import { createScriptInspector } from '../../src/runner/script-inspector.js';
import { JobStore } from '../../src/store/job-store.js';
import { FakeEngine } from './fake-engine.js';

export const token = 'open sesame';

/** One Python helper for all tests of a file. */
const inspector = createScriptInspector({ python: 'python3', pythonPath: [join(projectRoot, 'python')] });
afterAll(() => inspector.close());

export type CallInit = Omit<RequestInit, 'headers'> & { readonly headers?: Record<string, string> };

/** The real application on a free port, with a real store in a folder of its own, and an engine that runs nothing. */
export interface ApiUnderTest {
  readonly app: App;
  readonly url: string;
  readonly port: number;
  readonly store: JobStore;
  readonly engine: FakeEngine;
  /** The folder of the processes. */
  readonly processes: string;
  /** A call with the token. */
  readonly call: (path: string, init?: CallInit) => Promise<Response>;
  /** Posts a form with the token. */
  readonly post: (form: FormData, headers?: Record<string, string>) => Promise<Response>;
  /** Posts a job that is accepted, and returns its id. */
  readonly submit: (fields?: Record<string, string>, script?: string) => Promise<string>;
  /** A job that is there already, with a record as given. */
  readonly seed: (changes?: Partial<JobRecord>, spec?: Partial<JobSpec>) => Promise<JobRecord>;
  /** Names left in the share that are no jobs: what refused requests would leave. */
  readonly leftovers: () => Promise<string[]>;
}

export interface ApiTestOptions {
  /** Of another API, which works on the same jobs. */
  readonly share?: string;
  readonly options?: Partial<ApiOptions>;
  readonly inspector?: ScriptInspector;
  /** Of another API, as after a restart. */
  readonly engine?: FakeEngine;
  readonly logger?: Parameters<typeof buildApp>[0]['logger'];
}

export async function startApi(test: ApiTestOptions = {}): Promise<ApiUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), 'pixyz-api-'));
  const processes = join(folder, 'processes');
  await mkdir(processes);
  const store = new JobStore(test.share ?? join(folder, 'share'));
  await store.open();
  const engine = test.engine ?? new FakeEngine();
  const app = await buildApp({
    options: {
      tokenSha256: createHash('sha256').update(token).digest('hex'),
      maxUploadBytes: 2 ** 40,
      processPath: processes,
      retryTimeLimit: 3600,
      rescueWait: 60,
      temporalUi: null,
      watchIntervalMs: 10,
      keepAliveMs: 200,
      ...test.options,
    },
    store,
    engine,
    inspector: test.inspector ?? inspector,
    ...(test.logger === undefined ? {} : { logger: test.logger }),
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  onTestFinished(async () => {
    await app.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const { port } = app.server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const call = (path: string, init: CallInit = {}) =>
    fetch(`${url}${path}`, { redirect: 'manual', ...init, headers: { 'x-api-key': token, ...init.headers } });
  const post = (form: FormData, headers: Record<string, string> = {}) =>
    call('/jobs', { method: 'POST', body: form, headers });

  return {
    app,
    url,
    port,
    store,
    engine,
    processes,
    call,
    post,
    submit: async (fields = {}, script = 'def main(params, pc):\n    return 1\n') => {
      const form = new FormData();
      for (const [name, value] of Object.entries(fields)) form.set(name, value);
      form.set('script', new Blob([script]), 'script.py');
      const answer = await post(form);
      if (answer.status !== 200) throw new Error(`POST /jobs answered ${answer.status}: ${await answer.text()}`);
      return ((await answer.json()) as { uuid: string }).uuid;
    },
    seed: (changes, spec) => seedJob(store, changes, spec),
    leftovers: async () => {
      const names = await readdir(store.root);
      const jobs = names.filter((name) => !name.startsWith('.'));
      return [...jobs, ...(await readdir(join(store.root, '.incoming')))];
    },
  };
}

export async function seedJob(
  store: JobStore,
  changes: Partial<JobRecord> = {},
  specChanges: Partial<JobSpec> = {},
): Promise<JobRecord> {
  const jobId = changes.jobId ?? newGraphId().replace(/0$/, '1');
  const spec: JobSpec = {
    version: 1,
    jobId,
    graphId: graphIdOf(jobId),
    name: changes.name ?? null,
    process: 'custom',
    script: { share: `${jobId}/inputs/script.py` },
    entrypoint: 'main',
    data: null,
    paramsText: '{}',
    queue: changes.queue ?? 'cpu',
    timeLimit: 3600,
    rootFile: null,
    computeOnly: false,
    raw: changes.raw ?? false,
    context: {},
    timeRequest: '2026-11-21T11:49:05.570674',
    callback: null,
    retryOf: null,
    digest: null,
    ...specChanges,
  };
  const incoming = await store.receive();
  await writeFile(join(incoming.inputs, 'script.py'), 'def main(params, pc):\n    return 1\n');
  await incoming.commit(spec);
  const record: JobRecord = { ...newRecord(spec), ...changes };
  await store.writeRecord(record);
  return record;
}

/** What a live worker says of itself. */
export async function reportWorker(
  api: ApiUnderTest,
  name: string,
  changes: Partial<z.input<typeof workerReportSchema>> = {},
): Promise<string> {
  const file = join(api.store.root, '.workers', `${name}.json`);
  const now = new Date().toISOString();
  const report: z.input<typeof workerReportSchema> = {
    name,
    host: 'h',
    pid: 1,
    startedAt: now,
    at: now,
    queues: ['cpu', 'wine'],
    slots: { limit: 4, used: 3, lent: 1 },
    runner: { warm: 2, running: 3, residentBytes: 1000 },
    metrics: [],
    ...changes,
  };
  await writeFile(file, JSON.stringify(report));
  return file;
}

/** Writes an output file of a job. */
export async function writeOutput(
  store: JobStore,
  jobId: string,
  path: string,
  content: string | Buffer,
): Promise<string> {
  const file = join(store.paths(jobId).outputs, path);
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, content);
  return file;
}
