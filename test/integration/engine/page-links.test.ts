import { Client } from '@temporalio/client';
import { expect, inject, test } from 'vitest';
import { newGraphId } from '../../../src/contract/new-graph-id.js';
import { connectEngine } from '../../../src/engine/temporal-engine.js';
import { node } from '../../support/graphs.js';

test('a run tells where the page shows it: a graph as one, a single job as its job', async () => {
  const namespace = inject('temporalNamespace');
  const address = inject('temporalAddress');
  const engine = await connectEngine({ address, namespace, apiUrl: 'https://farm.example/' });
  const client = new Client({ connection: engine.connection, namespace });
  const labels = { name: 'n', queue: 'nobody', process: 'custom' };
  const [graph, job] = [newGraphId(), newGraphId()];
  await engine.startGraph({ graphId: graph, nodes: [node(1), node(2)] }, { ...labels, front: 'rest' });
  // With a callback it needs a run of its own.
  await engine.startGraph({ graphId: job, nodes: [{ ...node(1), hasCallback: true }] }, labels);
  const detailsOf = async (id: string) => (await client.workflow.getHandle(id).describe()).staticDetails();
  expect(await detailsOf(graph)).toBe(`[Show this graph on the page](https://farm.example/ui/graphs/${graph})`);
  const jobPage = `https://farm.example/ui/jobs/${job.replace(/0$/, '1')}`;
  expect(await detailsOf(job)).toBe(`[Show this job on the page](${jobPage})`);
  for (const id of [graph, job]) await client.workflow.getHandle(id).terminate();
  await engine.close();
});
