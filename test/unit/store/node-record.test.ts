import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GraphHeader } from '../../../src/contract/graph-document.js';
import { firstItemNumber, jobIdOf } from '../../../src/contract/ids.js';
import { newRecord } from '../../../src/contract/job.js';
import type { JournalEntry } from '../../../src/contract/journal.js';
import { newGraphId } from '../../../src/contract/new-graph-id.js';
import { type GraphShare, openGraphs } from '../../../src/store/graph-share.js';
import { JobStore } from '../../../src/store/job-store.js';
import { JournalWriter } from '../../../src/store/journal-file.js';
import { NodeRecords } from '../../../src/store/node-record.js';
import { graphHeader, nodeSpec } from '../../support/graph-documents.js';
import { jobSpec } from '../../support/jobs.js';

let root: string;
let jobs: JobStore;
let graphs: GraphShare;
let graphId: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pixyz-node-records-'));
  jobs = new JobStore(root);
  await jobs.open();
  graphs = openGraphs(jobs);
  graphId = newGraphId();
});
afterEach(() => rm(root, { recursive: true, force: true }));

const at = '2026-11-21T11:49:05.570Z';
const create = (front: GraphHeader['front'], ...nodes: Parameters<typeof nodeSpec>[]) =>
  graphs.documents.create(
    graphHeader({ graphId, front }),
    nodes.map((node) => nodeSpec(...node)),
  );
const journal = (...entries: Omit<JournalEntry, 'at'>[]) =>
  new JournalWriter(root).append(
    graphId,
    entries.map((entry) => ({ at, ...entry })),
  );
const record = (index: number) => new NodeRecords(jobs, graphs).record(jobIdOf(graphId, index));

describe('a job that nobody has begun', () => {
  it('waits, from the moment its graph is there, with all that is known of it', async () => {
    await create('rest', [1, { name: 'one', queue: 'gpu', process: 'convert_file', raw: false }]);
    expect(await record(1)).toMatchObject({
      jobId: jobIdOf(graphId, 1),
      graphId,
      name: 'one',
      process: 'convert_file',
      queue: 'gpu',
      raw: false,
      status: 'PENDING',
      timeInfo: { request: '2026-11-21T11:49:05.570674', started: null, stopped: null },
    });
    await journal({ type: 'queued', node: 1, attempt: 1, queue: 'gpuhigh' });
    expect(await record(1)).toMatchObject({ status: 'PENDING', queue: 'gpuhigh' });
  });

  it('is unknown outside of graphs', async () => {
    await create('rest', [1, {}]);
    expect(await record(2)).toBe(null);
    expect(await new NodeRecords(jobs, graphs).record(graphId)).toBe(null);
    expect(await new NodeRecords(jobs, graphs).record(jobIdOf(newGraphId(), 1))).toBe(null);
  });

  it('tells its end where it had one', async () => {
    await create('rest', [1, {}], [2, {}], [3, {}], [4, { kind: 'barrier', script: null }]);
    await journal(
      { type: 'revoked', node: 1, message: 'cancelled by hand' },
      { type: 'skipped', node: 2, message: 'not run: when is false' },
      { type: 'failed', node: 3, fault: 'invalid', message: 'when: No such key: y' },
      { type: 'succeeded', node: 4 },
    );
    const stopped = '2026-11-21T11:49:05.570000+00:00';
    expect(await record(1)).toMatchObject({ status: 'REVOKED', result: 'cancelled by hand', timeInfo: { stopped } });
    expect(await record(2)).toMatchObject({ status: 'REVOKED', result: 'not run: when is false' });
    expect(await record(3)).toMatchObject({
      status: 'FAILURE',
      error: { kind: 'invalid', message: 'when: No such key: y' },
    });
    expect(await record(4)).toMatchObject({ status: 'SUCCESS', progress: 100 });
  });

  it('of a map is called after its node and its place', async () => {
    await create('rest', [1, { name: 'each', map: { over: '[1]', max: 5 } }]);
    await journal({ type: 'mapped', node: 1, first: firstItemNumber, count: 2 });
    expect(await record(firstItemNumber + 1)).toMatchObject({ name: 'each [1]', status: 'PENDING' });
    expect(await record(firstItemNumber + 2)).toBe(null);
  });

  it('of a workflow file is known by its journal', async () => {
    await create('workflow');
    await journal({ type: 'queued', node: 1, attempt: 1, queue: 'cpu', label: 'convert' });
    expect(await record(1)).toMatchObject({ name: 'convert', status: 'PENDING', queue: 'cpu' });
  });
});

describe('a canvas of a script', () => {
  it('leaves the later links of a failed chain pending', async () => {
    await create('script', [1, {}], [2, { deps: [1], params: { kind: 'value', of: 1 } }], [3, { deps: [2] }]);
    await journal(
      { type: 'failed', node: 1, fault: 'exception' },
      { type: 'skipped', node: 2 },
      { type: 'skipped', node: 3 },
    );
    expect(await record(2)).toMatchObject({ status: 'PENDING', timeInfo: { stopped: null } });
    expect(await record(3)).toMatchObject({ status: 'PENDING' });
  });

  it('fails the callback of a chord with the task to blame, also where that is deep in the header', async () => {
    await create(
      'script',
      [1, {}],
      [2, { deps: [1], params: { kind: 'value', of: 1 } }],
      [3, {}],
      [4, { deps: [3, 2], params: { kind: 'values', of: [3, 2] } }],
      [5, { deps: [4], params: { kind: 'value', of: 4 } }],
    );
    const spec = jobSpec({ graphId, jobId: jobIdOf(graphId, 1) });
    await jobs.create(spec);
    const error = {
      kind: 'exception',
      type: 'ValueError',
      module: 'builtins',
      message: 'boom',
      traceback: '',
    } as const;
    await jobs.writeRecord({ ...newRecord(spec), status: 'FAILURE', error });
    await journal(
      { type: 'succeeded', node: 3 },
      { type: 'failed', node: 1, fault: 'exception' },
      { type: 'skipped', node: 2 },
      { type: 'skipped', node: 4 },
      { type: 'skipped', node: 5 },
    );
    expect(await record(4)).toMatchObject({
      status: 'FAILURE',
      error: {
        type: 'ChordError',
        module: 'celery.exceptions',
        message: `Dependency ${jobIdOf(graphId, 1)} raised ValueError("boom")`,
      },
    });
    expect(await record(5)).toMatchObject({ status: 'PENDING' });
  });
});
