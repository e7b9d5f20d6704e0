import { executeChild, proxyActivities, workflowInfo } from '@temporalio/workflow';
import { type LaunchActivities, type ScheduledLaunch } from '../contract/workflow-files.js';
import { launchQueue, versionQueue } from '../contract/workflow-queues.js';

/**
 * What a schedule starts: makes the graph, with the newest version of the file, and runs it. It lives as long as the run, so
 * that the schedule sees when one is still at work.
 */
export async function launchScheduled(launch: ScheduledLaunch): Promise<string> {
  const { prepareScheduledRun } = proxyActivities<LaunchActivities>({
    taskQueue: launchQueue,
    startToCloseTimeout: '1 minute',
    // Not for ever: a file that is gone, or broken, must not pile up launches.
    scheduleToCloseTimeout: '1 hour',
    retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
    summary: launch.workflow,
  });
  const { workflow, input } = await prepareScheduledRun(launch, workflowInfo().workflowId);
  await executeChild(workflow, {
    workflowId: input.graphId,
    taskQueue: versionQueue(workflow, input.version),
    args: [input],
    memo: { nodes: 0, graph: true },
    searchAttributes: {
      PixyzGraph: ['workflow'],
      PixyzProcess: [workflow],
      ...(launch.name === null ? {} : { PixyzName: [launch.name] }),
    },
    staticSummary: launch.name ?? workflow,
    parentClosePolicy: 'REQUEST_CANCEL',
  });
  return input.graphId;
}
