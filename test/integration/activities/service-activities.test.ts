import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createServiceActivities, type ServiceActivities } from '../../../src/activities/index.js';
import { keepForReuse } from '../../../src/activities/result-reuse.js';
import { jobIdOf } from '../../../src/contract/ids.js';
import { type JobRecord, type JobSpec, newRecord } from '../../../src/contract/job.js';
import type { JournalEntry } from '../../../src/contract/journal.js';
import { fingerprintOf } from '../../../src/store/fingerprint.js';
import { GraphStore } from '../../../src/store/graph-store.js';
import { JobStore } from '../../../src/store/job-store.js';
import { JournalWriter } from '../../../src/store/journal-file.js';
import { archiveFilesOf } from '../../../src/store/layout.js';
import { graphHeader, nodeSpec } from '../../support/graph-documents.js';
import { jobSpec } from '../../support/jobs.js';

// Archives and deletion on a real share, with the activity context of the SDK's own test environment.

/** Everything at or below a path that ends like this cannot be deleted; root may delete whatever permissions say. */
let failing: string | null = null;
vi.mock('node:fs/promises', async (load) => {
  const real = await load<typeof import('node:fs/promises')>();
  const rmOrFail: typeof real.rm = async (path, options) => {
    if (failing !== null && String(path).includes(failing)) {
      throw Object.assign(new Error(`EBUSY: resource busy or locked, rm '${String(path)}'`), { code: 'EBUSY' });
    }
    return real.rm(path, options);
  };
  return { ...real, rm: rmOrFail };
});

let folder: string;
let store: JobStore;
let graphs: GraphStore;
let services: ServiceActivities;
let open: boolean | null;
const environment = new MockActivityEnvironment();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pixyz-services-'));
  open = null;
  await use(join(folder, 'share'));
});
afterEach(() => {
  failing = null;
  return rm(folder, { recursive: true, force: true });
});

async function use(root: string): Promise<void> {
  store = new JobStore(root);
  await store.open();
  graphs = new GraphStore(root);
  services = createServiceActivities({
    store,
    cleanupDelay: 3600,
    recordRetention: 7200,
    isOpen: async () => open,
    logger: pino({ enabled: false }),
  });
}

/** A job with one input and one output, in a given state, whose record was last written so many seconds ago. */
async function job(change: Partial<JobRecord>, ageSeconds: number, own: Partial<JobSpec> = {}): Promise<string> {
  const spec = jobSpec(own);
  const incoming = await store.receive();
  await writeFile(join(incoming.inputs, 's.py'), '');
  await incoming.commit(spec);
  const paths = store.paths(spec.jobId);
  await mkdir(paths.outputs);
  await writeFile(join(paths.outputs, 'a.txt'), 'a');
  const at = new Date(Date.now() - ageSeconds * 1000);
  const stopped = change.status === 'SUCCESS' ? at.toISOString() : null;
  await store.writeRecord({ ...newRecord(spec), timeInfo: { request: null, started: null, stopped }, ...change });
  await utimes(paths.record, at, at);
  return spec.jobId;
}

const sweep = () => environment.run(() => services.cleanShare());
const zip = (jobId: string) => environment.run(() => services.zipOutputs(jobId));

describe('an archive', () => {
  it('holds the outputs with folders, says which state of them it holds, and leaves nothing half made', async () => {
    const jobId = await job({ status: 'SUCCESS' }, 0);
    const paths = store.paths(jobId);
    await mkdir(join(paths.outputs, 'sub', 'empty'), { recursive: true });
    await zip(jobId);
    const files = archiveFilesOf(paths, jobId);
    const content = await readFile(files.zip, 'latin1');
    for (const name of ['a.txt', 'sub/', 'sub/empty/']) expect(content).toContain(name);
    expect(JSON.parse(await readFile(files.stamp, 'utf8'))).toEqual({
      fingerprint: await fingerprintOf(paths.outputs),
    });
    expect((await readdir(paths.archives)).sort()).toEqual([`${jobId}.json`, `${jobId}.zip`]);
  });

  it('takes a link for the output it means, and leaves out one that leads elsewhere', async () => {
    const jobId = await job({ status: 'SUCCESS' }, 0);
    const paths = store.paths(jobId);
    await writeFile(join(folder, 'secret.txt'), 'not for you');
    await symlink(join(folder, 'secret.txt'), join(paths.outputs, 'out.txt'));
    await symlink('a.txt', join(paths.outputs, 'in.txt'));
    await symlink('nowhere', join(paths.outputs, 'dangling.txt'));
    await zip(jobId);
    const content = await readFile(archiveFilesOf(paths, jobId).zip, 'latin1');
    expect(content).toContain('in.txt');
    expect(content).not.toContain('out.txt');
    expect(content).not.toContain('dangling.txt');
  });

  it('is refused where a script has put a link in the place of the outputs', async () => {
    const jobId = await job({ status: 'SUCCESS' }, 0);
    const { outputs } = store.paths(jobId);
    await rm(outputs, { recursive: true });
    await symlink(folder, outputs);
    await expect(zip(jobId)).rejects.toThrow(/is a link/);
  });

  it('of a deleted job fails for good', async () => {
    const jobId = await job({ status: 'SUCCESS' }, 0);
    await store.remove(jobId);
    await expect(zip(jobId)).rejects.toMatchObject({ nonRetryable: true });
  });
});

describe('a sweep', () => {
  it('deletes the files of jobs that ended long enough ago, and later their records', async () => {
    const fresh = await job({ status: 'SUCCESS' }, 60);
    const due = await job({ status: 'SUCCESS' }, 4000);
    const old = await job({ status: 'SUCCESS' }, 8000);
    expect(await sweep()).toEqual({ cleaned: 1, removed: 1 });
    expect(await readdir(store.paths(fresh).folder)).toContain('outputs');
    expect((await readdir(store.paths(due).folder)).sort()).toEqual(['job.json', 'spec.json']);
    expect((await store.readRecord(due))?.cleanedAt).not.toBe(null);
    expect(await store.exists(old)).toBe(false);
    expect(await sweep(), 'cleaning what is clean changes nothing').toEqual({ cleaned: 0, removed: 0 });
  });

  it('counts from the end of a job, so one that has run for days is not touched', async () => {
    const running = await job({ status: 'RUNNING' }, 10 * 24 * 3600);
    const waiting = await job({ status: 'PENDING' }, 10 * 24 * 3600);
    open = true;
    expect(await sweep()).toEqual({ cleaned: 0, removed: 0 });
    expect(await store.exists(running)).toBe(true);
    expect(await store.exists(waiting)).toBe(true);
  });

  it('removes a job that was accepted and never started, when nobody can start it any more', async () => {
    const orphan = await job({ status: 'PENDING' }, 2 * 24 * 3600);
    expect(await sweep()).toEqual({ cleaned: 0, removed: 1 });
    expect(await store.exists(orphan)).toBe(false);
  });

  it('works where the share is a link', async () => {
    await symlink(join(folder, 'share'), join(folder, 'linked'));
    await use(join(folder, 'linked'));
    await job({ status: 'SUCCESS' }, 4000);
    expect(await sweep()).toEqual({ cleaned: 1, removed: 0 });
  });

  it('removes uploads that nobody finished', async () => {
    const incoming = await store.receive();
    const abandoned = join(incoming.inputs, '..');
    const at = new Date(Date.now() - 2 * 24 * 3600 * 1000);
    await utimes(abandoned, at, at);
    await sweep();
    expect(await readdir(join(store.root, '.incoming'))).toEqual([]);
  });
});

describe('a sweep that meets what it cannot delete', () => {
  function failsAt(name: string): () => void {
    failing = name;
    return () => {
      failing = null;
    };
  }
  const aged = async (jobId: string, seconds: number) => {
    const at = new Date(Date.now() - seconds * 1000);
    await utimes(store.paths(jobId).record, at, at);
  };

  it('cleans all others, and the next one goes on where it was broken off', async () => {
    const jobs = await Promise.all(Array.from({ length: 3 }, () => job({ status: 'SUCCESS' }, 4000)));
    const [stuck = '', ...others] = jobs;
    const old = await job({ status: 'SUCCESS' }, 8000);
    const repair = failsAt(join(stuck, 'outputs'));
    expect(await sweep()).toEqual({ cleaned: 2, removed: 1 });
    for (const jobId of others) {
      expect((await readdir(store.paths(jobId).folder)).sort()).toEqual(['job.json', 'spec.json']);
    }
    expect(await store.exists(old)).toBe(false);
    // Half cleaned, and said to be: nobody is to find half of the outputs.
    expect(await readdir(store.paths(stuck).folder)).toContain('outputs');
    expect((await store.readRecord(stuck))?.cleanedAt).not.toBe(null);

    repair();
    await aged(stuck, 4000);
    expect(await sweep()).toEqual({ cleaned: 1, removed: 0 });
    expect((await readdir(store.paths(stuck).folder)).sort()).toEqual(['job.json', 'spec.json']);
    expect(await sweep()).toEqual({ cleaned: 0, removed: 0 });
  });

  it('cleans the jobs also when an abandoned upload cannot be deleted', async () => {
    const upload = join((await store.receive()).inputs, '..');
    await utimes(upload, new Date(0), new Date(0));
    failsAt(upload);
    await job({ status: 'SUCCESS' }, 4000);
    expect(await sweep()).toEqual({ cleaned: 1, removed: 0 });
  });

  it('that is told to stop leaves the rest to the next one', async () => {
    await Promise.all(Array.from({ length: 4 }, () => job({ status: 'SUCCESS' }, 4000)));
    const stopped = new MockActivityEnvironment();
    stopped.on('heartbeat', () => stopped.cancel());
    expect(await stopped.run(() => services.cleanShare())).toEqual({ cleaned: 0, removed: 0 });
    expect(await sweep()).toEqual({ cleaned: 4, removed: 0 });
  });
});

describe('a sweep of graphs', () => {
  /** A graph with one input, whose journal says this; the times are seconds ago. */
  async function graph(...entries: { type: JournalEntry['type']; ago: number }[]): Promise<string> {
    const header = graphHeader();
    const incoming = await graphs.receive();
    await writeFile(join(incoming.inputs, 's.py'), '');
    await incoming.commit(header, [nodeSpec(1), nodeSpec(2)]);
    await new JournalWriter(store.root).append(
      header.graphId,
      entries.map(({ type, ago }) => ({ type, at: new Date(Date.now() - ago * 1000).toISOString() })),
    );
    return header.graphId;
  }
  const node = (graphId: string, index: number, ageSeconds: number, change: Partial<JobRecord> = {}) =>
    job({ status: 'SUCCESS', ...change }, ageSeconds, { graphId, jobId: jobIdOf(graphId, index) });

  it('touches nothing of one that is open, however long ago a node has ended', async () => {
    const silent = await graph({ type: 'started', ago: 3 * 24 * 3600 });
    const busy = await graph({ type: 'started', ago: 4000 });
    const jobs = [await node(silent, 1, 10_000), await node(busy, 1, 10_000)];
    open = true;
    expect(await sweep()).toEqual({ cleaned: 0, removed: 0 });
    open = null; // nobody has to be asked about one that was busy today
    await rm(store.paths(jobs[0] as string).folder, { recursive: true });
    await graphs.remove(silent);
    expect(await sweep()).toEqual({ cleaned: 0, removed: 0 });
  });

  it('counts from its end: files first, then records, document and journal', async () => {
    const due = await graph({ type: 'started', ago: 9000 }, { type: 'ended', ago: 4000 });
    const jobId = await node(due, 1, 8900);
    const old = await graph({ type: 'started', ago: 9000 }, { type: 'ended', ago: 8000 });
    const gone = [await node(old, 1, 8900), await node(old, 2, 8500, { status: 'RETRY' })];
    expect(await sweep()).toEqual({ cleaned: 2, removed: 3 });
    expect((await readdir(store.paths(jobId).folder)).sort()).toEqual(['job.json', 'spec.json']);
    expect((await readdir(graphs.paths(due).folder)).sort()).toEqual(['events.jsonl', 'graph.json', 'nodes']);
    for (const id of [old, ...gone]) expect(await readdir(store.root)).not.toContain(id);
    expect(await sweep(), 'cleaning what is clean changes nothing').toEqual({ cleaned: 0, removed: 0 });
  });

  it('ends one that was terminated by hand, a day after its last sign of life', async () => {
    const graphId = await graph({ type: 'started', ago: 2 * 24 * 3600 });
    await node(graphId, 1, 2 * 24 * 3600, { status: 'RUNNING' });
    open = false;
    expect(await sweep()).toEqual({ cleaned: 0, removed: 2 });
  });

  it('forgets what could be reused of a job that is gone', async () => {
    const kept = await job({ status: 'SUCCESS' }, 60);
    await keepForReuse(store, 'aa', kept);
    const lost = await job({ status: 'SUCCESS' }, 60);
    await keepForReuse(store, 'bb', lost);
    await store.remove(lost);
    await sweep();
    expect(await readdir(join(store.root, '.reuse'))).toEqual(['aa.json']);
  });
});
