import { proxyActivities } from '@temporalio/workflow';
import type { RecordActivities } from '../activities/index.js';

/**
 * Sends the signed notice of a job that has ended, until the receiver takes it: retried for a day with growing pauses.
 * A workflow of its own, so that the job's run is closed meanwhile.
 */
export async function deliverCallback(jobId: string): Promise<void> {
  const { sendCallback } = proxyActivities<RecordActivities>({
    startToCloseTimeout: '30 seconds',
    scheduleToCloseTimeout: '24 hours',
    retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '15 minutes' },
    summary: jobId,
  });
  await sendCallback(jobId);
}
