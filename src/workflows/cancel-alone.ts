import { proxyActivities } from '@temporalio/workflow';
import type { RecordActivities } from '../activities/index.js';

/**
 * Stops a job that runs as a standalone activity, and sees to its record: a job that still waited in its queue, or whose
 * worker died while it was told to stop, has nobody who could write that it was revoked.
 */
export async function cancelAlone(jobId: string, reason: string): Promise<void> {
  const { endAlone } = proxyActivities<RecordActivities>({
    startToCloseTimeout: '1 minute',
    // Its process may die while it waits for the script's end: another one then goes on.
    heartbeatTimeout: '10 seconds',
    retry: { initialInterval: '1 second', maximumInterval: '10 seconds' },
    summary: reason,
  });
  await endAlone(jobId, reason);
}
