import { randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import { expect, inject, onTestFinished, test } from 'vitest';
import { jobIdOf } from '../../../src/contract/ids.js';
import { newGraphId } from '../../../src/contract/new-graph-id.js';
import { connectEngine } from '../../../src/engine/temporal-engine.js';
import { node } from '../../support/graphs.js';

test('a job that was terminated by hand is not open, and not unknown', async () => {
  const namespace = inject('temporalNamespace');
  const engine = await connectEngine({ address: inject('temporalAddress'), namespace });
  onTestFinished(() => engine.close());
  const queue = `by-hand-${randomUUID().slice(0, 8)}`;
  const graphId = newGraphId();
  const jobId = jobIdOf(graphId, 1);
  await engine.startGraph({ graphId, nodes: [{ ...node(1), queue }] }, { name: null, queue, process: 'custom' });
  expect(await engine.isOpen(jobId)).toBe(true);
  await new Client({ connection: engine.connection, namespace }).activity.getHandle(jobId).terminate('by hand');
  expect(await engine.isOpen(jobId)).toBe(false);
  expect(await engine.isOpen(jobIdOf(newGraphId(), 1))).toBeNull();
});
