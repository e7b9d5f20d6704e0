import { proxyActivities } from '@temporalio/workflow';
import type { ServiceActivities } from '../activities/index.js';

/** Makes the archive of a job's outputs on queue `zip`. Its id names the job and the state of the outputs: made once. */
export async function zipOutputs(jobId: string): Promise<void> {
  const { zipOutputs: zip } = proxyActivities<ServiceActivities>({
    taskQueue: 'zip',
    startToCloseTimeout: '6 hours',
    heartbeatTimeout: '10 seconds',
    retry: { maximumAttempts: 5, initialInterval: '1 second' },
    summary: jobId,
  });
  await zip(jobId);
}
