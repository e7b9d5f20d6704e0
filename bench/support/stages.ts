import { Connection } from '@temporalio/client';
import { graphIdOf } from '../../src/contract/ids.js';
import type { JobStore } from '../../src/store/job-store.js';
import type { Timeline } from './system.js';

/** Numbers of `temporal.api.enums.v1.EventType`. */
const eventType = {
  workflowStarted: 1,
  workflowCompleted: 2,
  workflowTaskCompleted: 7,
  activityScheduled: 10,
  activityStarted: 11,
  activityCompleted: 12,
} as const;

/**
 * Where the time of a job went, from the stamps that are there anyway: the client's, those of the events in its history,
 * those of its record. All are of one clock, that of this machine. The last two stages run after the client has its answer.
 */
export async function traceStages(
  timelines: readonly Timeline[],
  address: string,
  namespace: string,
  store: JobStore,
): Promise<Record<string, number[]>> {
  const stages: Record<string, number[]> = {};
  const connection = await Connection.connect({ address });
  try {
    for (const { jobId, sentAt, answeredAt, seenAt } of timelines) {
      const events = await eventsOf(connection, namespace, graphIdOf(jobId));
      const record = await store.readRecord(jobId);
      const at = (type: number): number => events.find((event) => event.type === type)?.at ?? Number.NaN;
      const scriptFrom = epoch(record?.timeInfo.started);
      const scriptTo = epoch(record?.timeInfo.stopped);
      const started = at(eventType.workflowStarted);
      const scheduled = at(eventType.activityScheduled);
      const running = at(eventType.activityStarted);
      const rows: [string, number][] = [
        ['POST: receive, check, write files, start RPC (to: workflow stored)', started - sentAt],
        ['first workflow task (to: activity scheduled)', scheduled - started],
        ['activity waits for the worker (to: started)', running - scheduled],
        ['worker reads spec, claims the job (to: record RUNNING)', scriptFrom - running],
        ['child: task over, script, result back (to: record stopped)', scriptTo - scriptFrom],
        ['record written, next poll (to: client sees SUCCESS)', seenAt - scriptTo],
        ['total that the client sees', seenAt - sentAt],
        ['(POST answered after)', answeredAt - sentAt],
        ['(afterwards: activity completed, since record stopped)', at(eventType.activityCompleted) - scriptTo],
        ['(afterwards: workflow completed, since record stopped)', at(eventType.workflowCompleted) - scriptTo],
      ];
      for (const [name, ms] of rows) {
        stages[name] ??= [];
        stages[name].push(ms);
      }
    }
  } finally {
    await connection.close();
  }
  return stages;
}

async function eventsOf(
  connection: Connection,
  namespace: string,
  workflowId: string,
): Promise<{ readonly type: number; readonly at: number }[]> {
  const answer = await connection.workflowService.getWorkflowExecutionHistory({ namespace, execution: { workflowId } });
  return (answer.history?.events ?? []).map((event) => ({
    type: event.eventType ?? 0,
    at: Number(event.eventTime?.seconds ?? 0) * 1000 + Number(event.eventTime?.nanos ?? 0) / 1e6,
  }));
}

/** A record's stamp, which has microseconds, as ms since the epoch. */
function epoch(stamp: string | null | undefined): number {
  const found = /^(.*?)(?:\.(\d+))?(?:\+00:00|Z)?$/.exec(stamp ?? '');
  if (found === null || stamp == null) return Number.NaN;
  return Date.parse(`${found[1]}Z`) + Number(`0.${found[2] ?? '0'}`) * 1000;
}
