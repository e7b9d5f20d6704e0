import { proxyActivities } from '@temporalio/workflow';
import type { ServiceActivities } from '../activities/index.js';

/** One sweep over the share on queue `clean`, started by a schedule. */
export async function retention(): Promise<void> {
  const { cleanShare } = proxyActivities<ServiceActivities>({
    taskQueue: 'clean',
    startToCloseTimeout: '6 hours',
    heartbeatTimeout: '1 minute',
    retry: { maximumAttempts: 3, initialInterval: '10 seconds' },
  });
  await cleanShare();
}
