import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createGraphActivities, type GraphActivities } from '../../../src/activities/graph-activities.js';
import { createRecordActivities } from '../../../src/activities/index.js';
import { firstItemNumber, jobIdOf } from '../../../src/contract/ids.js';
import { type JobRecord, newRecord } from '../../../src/contract/job.js';
import type { JournalEntry } from '../../../src/contract/journal.js';
import { newGraphId } from '../../../src/contract/new-graph-id.js';
import { type GraphShare, openGraphs } from '../../../src/store/graph-share.js';
import { JobStore } from '../../../src/store/job-store.js';
import { JournalWriter } from '../../../src/store/journal-file.js';
import { NodeValues } from '../../../src/store/node-values.js';
import { graphHeader, nodeSpec } from '../../support/graph-documents.js';
import { jobSpec } from '../../support/jobs.js';

// What nodes tell each other, on a real share: records and journals are written as attempts and the interpreter do.

let root: string;
let jobs: JobStore;
let graphs: GraphShare;
let activities: GraphActivities;
let graphId: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pixyz-graph-activities-'));
  jobs = new JobStore(root);
  await jobs.open();
  graphs = openGraphs(jobs);
  activities = createGraphActivities(graphs);
  graphId = newGraphId();
});
afterEach(() => rm(root, { recursive: true, force: true }));

const create = (...nodes: Parameters<typeof nodeSpec>[]) =>
  graphs.documents.create(
    graphHeader({ graphId, labels: { show: 'alpha' } }),
    nodes.map((node) => nodeSpec(...node)),
  );

/** A job that has ended so. `text`: the result, too exact for JavaScript. */
async function ended(index: number, change: Partial<JobRecord>, text?: string): Promise<void> {
  const jobId = jobIdOf(graphId, index);
  const spec = jobSpec({ graphId, jobId });
  await (await jobs.receive()).commit(spec);
  if (text !== undefined) await writeFile(jobs.paths(jobId).result, text);
  const resultFile = text === undefined ? null : { file: 'result.json', sizeBytes: text.length };
  await jobs.writeRecord({ ...newRecord(spec), status: 'SUCCESS', resultFile, ...change });
}

const journal = (...entries: Omit<JournalEntry, 'at'>[]) =>
  new JournalWriter(root).append(
    graphId,
    entries.map((entry) => ({ at: '2026-11-21T11:49:05.570Z', ...entry })),
  );

const value = (index: number) => graphs.values.handedOn(graphId, index);

describe('the plan', () => {
  it('says what nodes have in common once', async () => {
    await create(
      [1, {}],
      [2, { deps: [1] }],
      [3, { deps: [1, 2], kind: 'barrier', script: null }],
      [4, { when: 'true', name: 'x' }],
    );
    const part = await activities.loadPlan(graphId, 2, 3);
    expect(part.first).toBe(2);
    expect(part.rows.map(([, label, deps]) => [label, deps])).toEqual([
      ['n2', [1]],
      ['n3', [1, 2]],
      ['x', []],
    ]);
    expect(part.templates.length).toBe(3);
    expect(part.templates[1]).toMatchObject({ kind: 'barrier' });
    expect(part.templates[2]).toMatchObject({ conditional: true, work: '/nowhere/s.py main' });
    expect((await activities.loadPlan(graphId, 1, 2)).templates.length).toBe(1);
  });

  it('of a deleted graph fails for good, of nodes that are not there yet it is asked again', async () => {
    await expect(activities.loadPlan(graphId, 1, 1)).rejects.toMatchObject({ nonRetryable: true });
    await create([1, {}]);
    await expect(activities.loadPlan(graphId, 1, 2)).rejects.toThrow(/no nodes from 2 on yet/);
  });
});

describe('what a node hands on', () => {
  it('is the return value, the record form, or the value wrapped', async () => {
    await create([1, {}], [2, { handsOn: 'wrapped' }], [3, { handsOn: 'record' }]);
    await ended(1, { result: { a: 1 } });
    await ended(2, { result: [1] });
    await ended(3, { steps: [{ duration: 1, info: 'read' }], name: 'x', meta: { seen: 1 } }, '12345678901234567890');
    expect(await value(1)).toBe('{"a":1}');
    expect(await value(2)).toBe('{"result":[1]}');
    const record = await value(3);
    expect(record).toContain('"result":12345678901234567890}');
    expect(JSON.parse(record)).toMatchObject({ shadow_name: 'x', progress: 100, steps: [{ info: 'read' }], seen: 1 });
  });

  it('is null where it did not succeed, whoever wrote that down', async () => {
    await create([1, {}], [2, {}], [3, {}]);
    await ended(1, { status: 'FAILURE', result: 'half' });
    await journal({ type: 'skipped', node: 2, message: 'not run' }, { type: 'revoked', node: 3, message: 'cancelled' });
    expect(await Promise.all([value(1), value(2), value(3)])).toEqual(['null', 'null', 'null']);
  });

  it('keeps every digit, through lists and barriers', async () => {
    await create([1, {}], [2, {}], [3, { kind: 'barrier', script: null, params: { kind: 'values', of: [2, 1] } }]);
    await ended(1, {}, '1.0');
    await ended(2, {}, '12345678901234567890');
    const place = { graphId, node: nodeSpec(4) };
    expect(await graphs.values.params({ kind: 'values', of: [1, 3] }, place, null)).toBe(
      '[1.0,[12345678901234567890,1.0]]',
    );
    expect(await graphs.values.params({ kind: 'value', of: 3 }, place, null)).toBe('[12345678901234567890,1.0]');
  });

  it('waits a moment for an end that only the interpreter knows of', async () => {
    await create([1, {}]);
    const waiting = value(1);
    await journal({ type: 'skipped', node: 1 });
    expect(await waiting).toBe('null');
  });

  it('brings types that JSON has not to scripts, and plain JSON to expressions', async () => {
    await create([1, {}]);
    await ended(1, {}, '"2026-11-21"');
    await writeFile(jobs.paths(jobIdOf(graphId, 1)).exact, '{"__type__":"date","__value__":"2026-11-21"}');
    expect(await value(1)).toBe('{"__type__":"date","__value__":"2026-11-21"}');
    const node = nodeSpec(2, { deps: [1] });
    const facts = { nodes: new Map([['n1', new Set(['result' as const])]]), item: false };
    expect((await graphs.values.scope({ graphId, node }, facts)).nodes).toEqual({ n1: { result: '2026-11-21' } });
  });

  it('is not made up while the share does not tell of an end', async () => {
    await create([1, {}]);
    await ended(1, { status: 'RUNNING' });
    await journal({ type: 'queued', node: 1, attempt: 1 });
    const hasty = new NodeValues(jobs, graphs.documents, graphs.reader, 30);
    await expect(hasty.handedOn(graphId, 1)).rejects.toThrow(/does not tell yet how node 1 has ended/);
  });

  it('is told as deleted when its file is', async () => {
    await create([1, {}]);
    await ended(1, { resultFile: { file: 'result.json', sizeBytes: 1 } });
    await expect(value(1)).rejects.toThrow(/has been deleted/);
  });
});

describe('a condition', () => {
  const when = async (expression: string) => {
    await graphs.documents.append(graphId, (first) => [nodeSpec(first, { deps: [1, 2], when: expression })]);
    return activities.evaluateWhen(graphId, await graphs.documents.count(graphId));
  };

  it('sees results, states, errors and files of other nodes, and the graph', async () => {
    await create([1, {}], [2, {}]);
    await ended(1, { result: { triangles: 600_000 } });
    await ended(2, {
      status: 'FAILURE',
      error: { kind: 'exit', type: 'PixyzExitFault', module: 'm', message: '3', traceback: '' },
    });
    const { outputs } = jobs.paths(jobIdOf(graphId, 1));
    await mkdir(join(outputs, 'sub'), { recursive: true });
    await writeFile(join(outputs, 'sub', 'a.glb'), '');
    for (const [expression, expected] of [
      ['nodes.n1.result.triangles > 500000', true],
      ['nodes.n1.status == "SUCCESS" && nodes.n2.state == "failed"', true],
      ['nodes.n1.error == null && nodes.n2.error.kind == "exit"', true],
      ['nodes.n2.result == null', true],
      ['"sub/a.glb" in nodes.n1.outputs', true],
      [`nodes.n1.outputs["sub/a.glb"] == "${join(outputs, 'sub', 'a.glb')}"`, true],
      ['nodes.n1.folder.endsWith("outputs")', true],
      [`nodes.n1.job == "${jobIdOf(graphId, 1)}"`, true],
      ['graph.labels.show == "beta"', false],
    ] as const)
      expect(await when(expression), expression).toBe(expected);
  });

  it('fails its node when it has no answer', async () => {
    await create([1, {}], [2, {}]);
    await ended(1, { result: { x: 1 } });
    const invalid = (message: RegExp) => ({
      nonRetryable: true,
      message: expect.stringMatching(message) as string,
      details: [expect.objectContaining({ kind: 'invalid' })],
    });
    await expect(when('nodes.n1.result.y > 1')).rejects.toMatchObject(invalid(/No such key: y/));
    await expect(when('nodes.n1.result.x')).rejects.toMatchObject(invalid(/is 1, not true or false/));
    await expect(when('nodes.zz.result')).rejects.toMatchObject(invalid(/no node "zz"/));
  });
});

describe('a map', () => {
  it('becomes its items, once, and hands on the list of what they do', async () => {
    await create(
      [1, {}],
      [2, { deps: [1], map: { over: 'nodes.n1.result', max: 3 } }],
      [3, { deps: [2], when: 'nodes.n2.result[2] == null' }],
    );
    await ended(1, {}, '["a", 1.0, 12345678901234567890]');
    expect(await activities.expandMap(graphId, 2, firstItemNumber)).toBe(3);
    expect(await activities.expandMap(graphId, 2, firstItemNumber)).toBe(3);
    expect(await graphs.documents.item(graphId, 2, 1)).toBe('1.0');
    const node = nodeSpec(2, { params: { kind: 'template', text: '{"at": "${{ index }}", "of": "${{ item }}"}' } });
    expect(
      await graphs.values.params(node.params, { graphId, node, item: { at: 2 } }, { nodes: new Map(), item: true }),
    ).toBe('{"at":2,"of":12345678901234567890}');
    await ended(firstItemNumber, { result: 'A' });
    await ended(firstItemNumber + 1, { result: 'B' });
    await ended(firstItemNumber + 2, { status: 'REVOKED' });
    expect(await value(2)).toBe('["A","B",null]');
    expect(await activities.evaluateWhen(graphId, 3)).toBe(true);
  });

  it('fails its node when it is no list, or too long', async () => {
    await create(
      [1, {}],
      [2, { deps: [1], map: { over: 'nodes.n1.result', max: 3 } }],
      [3, { deps: [1], map: { over: 'nodes.n1.result.size()', max: 3 } }],
    );
    await ended(1, { result: [1, 2, 3, 4] });
    await expect(activities.expandMap(graphId, 2, firstItemNumber)).rejects.toThrow(/4 items, more than its max of 3/);
    await expect(activities.expandMap(graphId, 3, firstItemNumber)).rejects.toThrow(/is 4, not a list/);
    expect(await graphs.documents.mapped(graphId, 2)).toBe(null);
  });
});

describe('the end of a job without an interpreter', () => {
  it('is waited for with signs of life, so that a dead process is noticed, and then written', async () => {
    const graph = newGraphId();
    const spec = jobSpec({ graphId: graph, jobId: jobIdOf(graph, 1) });
    await jobs.create(spec);
    const states = ['running', 'running', 'running', 'cancelled'];
    const records = createRecordActivities({
      store: jobs,
      pollers: async () => 0,
      alone: {
        cancel: async () => undefined,
        state: async () => states.shift() ?? 'cancelled',
        cancelRun: async () => 'unknown',
      },
      sent: {} as never,
      callbackSecret: undefined,
    });
    const environment = new MockActivityEnvironment();
    let beats = 0;
    environment.on('heartbeat', () => (beats += 1));
    await environment.run(() => records.endAlone(spec.jobId, 'not needed'));
    expect(beats).toBe(3);
    expect(await jobs.readRecord(spec.jobId)).toMatchObject({ status: 'REVOKED', result: 'not needed' });
  });
});

describe('the notice of a node that never began', () => {
  it('goes to the callback of its document, once the journal tells of its end', async () => {
    const heard: unknown[] = [];
    const server = createServer((request, response) => {
      request.setEncoding('utf8').on('data', (text: string) => heard.push(JSON.parse(text)));
      request.on('end', () => response.end());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    await create([1, { name: 'late', callback: { url: `http://127.0.0.1:${port}/` } }], [2, {}]);
    const records = createRecordActivities({
      store: jobs,
      pollers: async () => 0,
      alone: {} as never,
      sent: {} as never,
      callbackSecret: undefined,
    });
    await expect(records.sendCallback(jobIdOf(graphId, 1))).rejects.toThrow(/has not ended/);
    await journal({ type: 'skipped', node: 1, message: 'not run' });
    await records.sendCallback(jobIdOf(graphId, 1));
    await records.sendCallback(jobIdOf(graphId, 2));
    expect(heard).toMatchObject([{ event: 'job.ended', uuid: jobIdOf(graphId, 1), name: 'late', status: 'REVOKED' }]);
  });
});
