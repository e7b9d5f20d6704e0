import { NativeConnection, Worker } from '@temporalio/worker';
import type { ScriptActivities } from '../../src/activities/index.js';

/**
 * A worker whose attempts do nothing and take no time: what is left is what the engine costs.
 *
 *     node null-worker.js ADDRESS NAMESPACE QUEUE
 */
const [address = '', namespace = '', taskQueue = ''] = process.argv.slice(2);

const activities: ScriptActivities = {
  runScript: async () => ({ result: null, resultFile: null, tookMs: 0 }),
  runScripts: async ({ inputs }) => ({
    jobs: inputs.map(({ jobId, attempt }) => ({ jobId, attempt, outcome: { kind: 'succeeded', tookMs: 0 } })),
  }),
};

const connection = await NativeConnection.connect({ address });
const worker = await Worker.create({
  connection,
  namespace,
  taskQueue,
  activities,
  maxConcurrentActivityTaskExecutions: 200,
  maxConcurrentActivityTaskPolls: 10,
});
process.on('SIGTERM', () => worker.shutdown());
await worker.run();
await connection.close();
