import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { jobIdOf } from '../../../src/contract/ids.js';
import { newRecord } from '../../../src/contract/job.js';
import { newGraphId } from '../../../src/contract/new-graph-id.js';
import { JobStore } from '../../../src/store/job-store.js';
import { claim, claimedBy } from '../../../src/store/ownership.js';
import { jobSpec } from '../../support/jobs.js';

let root: string;
let store: JobStore;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pixyz-store-'));
  store = new JobStore(root);
  await store.open();
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe('the job store', () => {
  it('a job appears whole, with its inputs, its spec and a record that waits', async () => {
    const incoming = await store.receive();
    await writeFile(join(incoming.inputs, 's.py'), 'x');
    const asked = jobSpec();
    expect(await store.readRecord(asked.jobId)).toBe(null);
    expect(await incoming.commit(asked)).toBe(true);
    expect(await readFile(join(store.paths(asked.jobId).inputs, 's.py'), 'utf8')).toBe('x');
    expect(await store.readSpec(asked.jobId)).toEqual(asked);
    expect(await store.readRecord(asked.jobId)).toEqual(newRecord(asked));
  });

  it('a repeated request does not replace the job it made the first time', async () => {
    const asked = jobSpec();
    const first = await store.receive();
    await first.commit(asked);
    await store.writeRecord({ ...newRecord(asked), status: 'SUCCESS' });
    const second = await store.receive();
    expect(await second.commit(asked)).toBe(false);
    await second.discard();
    expect((await store.readRecord(asked.jobId))?.status).toBe('SUCCESS');
    expect(await readdir(join(root, '.incoming'))).toEqual([]);
  });

  it('a discarded upload leaves nothing', async () => {
    const incoming = await store.receive();
    await writeFile(join(incoming.inputs, 'big.step'), 'x');
    await incoming.discard();
    expect(await readdir(join(root, '.incoming'))).toEqual([]);
  });

  it('reading creates nothing', async () => {
    const jobId = jobIdOf(newGraphId(), 1);
    expect(await store.readRecord(jobId)).toBe(null);
    expect(await store.readSpec(jobId)).toBe(null);
    expect(await store.exists(jobId)).toBe(false);
    await expect(stat(join(root, jobId))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('nothing but a UUID becomes a path', () => {
    for (const id of ['..', 'x', '../../etc', '.incoming', ''])
      expect(() => store.paths(id)).toThrow(/is not a job id/);
  });

  it('a record written after the job was deleted does not bring it back', async () => {
    const asked = jobSpec();
    await (await store.receive()).commit(asked);
    await store.remove(asked.jobId);
    await store.writeRecord(newRecord(asked));
    expect(await store.exists(asked.jobId)).toBe(false);
  });

  it('cleaning keeps the record, which says when; cleaning again is a success', async () => {
    const asked = jobSpec();
    const incoming = await store.receive();
    await writeFile(join(incoming.inputs, 's.py'), 'x');
    await incoming.commit(asked);
    await store.removeFiles(newRecord(asked), '2026-11-22T00:00:00+00:00');
    await store.removeFiles(newRecord(asked), '2026-11-22T00:00:00+00:00');
    expect((await store.readRecord(asked.jobId))?.cleanedAt).toBe('2026-11-22T00:00:00+00:00');
    expect((await readdir(store.paths(asked.jobId).folder)).sort()).toEqual(['job.json', 'spec.json']);
  });

  it('a share that cannot be written is told with the setting to check', async () => {
    const file = join(root, 'file');
    await writeFile(file, '');
    await expect(new JobStore(join(file, 'share')).open()).rejects.toThrow(/SHARE_PATH/);
  });
});

describe('ownership of a job', () => {
  it('belongs to the first attempt until a later one claims it, and never goes back', async () => {
    const { jobId } = jobSpec();
    const asked = jobSpec({ jobId });
    await (await store.receive()).commit(asked);
    expect(await claimedBy(store, jobId)).toBe(1);
    expect(await claim(store, jobId, 1)).toBe(true);
    expect(await claim(store, jobId, 3)).toBe(true);
    expect(await claim(store, jobId, 2)).toBe(false);
    expect(await claimedBy(store, jobId)).toBe(3);
  });
});
