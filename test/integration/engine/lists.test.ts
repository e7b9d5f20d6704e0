import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { ApiDeps, Request } from '../../../src/api/deps.js';
import type { GraphsReader } from '../../../src/api/graphs/graphs-reader.js';
import { JobsList } from '../../../src/api/jobs-list.js';
import type { JobsReader } from '../../../src/api/jobs-reader.js';
import type { GraphInput } from '../../../src/contract/graph.js';
import { jobIdOf } from '../../../src/contract/ids.js';
import { newRecord } from '../../../src/contract/job.js';
import { newGraphId } from '../../../src/contract/new-graph-id.js';
import { connectEngine, type TemporalEngine } from '../../../src/engine/temporal-engine.js';
import { node } from '../../support/graphs.js';
import { jobSpec } from '../../support/jobs.js';
import { waitFor } from '../../support/wait-for.js';

/** Lists of a real server, of jobs that nobody runs. */

let engine: TemporalEngine;
beforeAll(async () => {
  engine = await connectEngine({ address: inject('temporalAddress'), namespace: inject('temporalNamespace') });
});
afterAll(() => engine.close());

test('a job that the interpreter takes over between two pages is on one of the pages that follow', async () => {
  const queue = `lists-${randomUUID().slice(0, 8)}`;
  const labels = { name: null, queue, process: 'custom' };
  const inputs: GraphInput[] = [];
  for (let count = 0; count < 3; count++) {
    const input: GraphInput = { graphId: newGraphId(), nodes: [{ ...node(1), queue }] };
    await engine.startGraph(input, labels);
    inputs.push(input);
  }
  const [oldest] = inputs as [GraphInput];
  const all = inputs.map((input) => jobIdOf(input.graphId, 1)).reverse();
  const list = new JobsList(
    { engine } as unknown as ApiDeps,
    { record: async (jobId: string) => newRecord(jobSpec({ jobId })) } as unknown as JobsReader,
    {} as GraphsReader,
  );
  const page = (limit: number, cursor?: string | null) =>
    list.page({ queue, limit, view: 'short', ...(cursor == null ? {} : { cursor }) }, {} as Request);
  const listed = async (limit: number) => (await page(limit)).jobs.map(({ uuid }) => uuid);
  await waitFor(async () => expect(await listed(10)).toEqual(all));

  const first = await page(1);
  await engine.continueAsGraph(oldest, labels);
  // A list that begins now has the run, which is the newest.
  await waitFor(async () => expect((await listed(10))[0]).toBe(jobIdOf(oldest.graphId, 1)));
  const uuids = first.jobs.map(({ uuid }) => uuid);
  await waitFor(async () => {
    const rest: string[] = [];
    for (let { next } = first; next !== null; ) {
      const { jobs, next: after } = await page(1, next);
      rest.push(...jobs.map(({ uuid }) => uuid));
      next = after;
    }
    expect([...uuids, ...rest]).toEqual(all);
  });
  await engine.cancelJob(jobIdOf(oldest.graphId, 1), 'the test is over');
});
