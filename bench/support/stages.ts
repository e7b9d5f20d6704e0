import { Connection } from '@temporalio/client';
import type { JobStore } from '../../src/store/job-store.js';
import type { Timeline } from './system.js';

/**
 * Where the time of a job went, from the stamps that are there anyway: the client's, those of the standalone activity that carried it,
 * those of its record. All are of one clock, that of this machine. The last stage runs after the client has its answer.
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
      const { info } = await connection.workflowService.describeActivityExecution({ namespace, activityId: jobId });
      const record = await store.readRecord(jobId);
      const scriptFrom = epoch(record?.timeInfo.started);
      const scriptTo = epoch(record?.timeInfo.stopped);
      const stored = ms(info?.scheduleTime);
      const running = ms(info?.lastStartedTime);
      const rows: [string, number][] = [
        ['POST: receive, check, write files, start RPC (to: activity stored)', stored - sentAt],
        ['activity waits for the worker (to: started)', running - stored],
        ['worker reads spec, claims the job (to: record RUNNING)', scriptFrom - running],
        ['child: task over, script, result back (to: record stopped)', scriptTo - scriptFrom],
        ['record written, next poll (to: client sees SUCCESS)', seenAt - scriptTo],
        ['total that the client sees', seenAt - sentAt],
        ['(POST answered after)', answeredAt - sentAt],
        ['(afterwards: activity completed, since record stopped)', ms(info?.closeTime) - scriptTo],
      ];
      for (const [name, took] of rows) {
        stages[name] ??= [];
        stages[name].push(took);
      }
    }
  } finally {
    await connection.close();
  }
  return stages;
}

/** A stamp of Temporal as ms since the epoch. */
function ms(time: { seconds?: unknown; nanos?: number | null } | null | undefined): number {
  return time == null ? Number.NaN : Number(time.seconds ?? 0) * 1000 + (time.nanos ?? 0) / 1e6;
}

/** A record's stamp, which has microseconds, as ms since the epoch. */
function epoch(stamp: string | null | undefined): number {
  const found = /^(.*?)(?:\.(\d+))?(?:\+00:00|Z)?$/.exec(stamp ?? '');
  if (found === null || stamp == null) return Number.NaN;
  return Date.parse(`${found[1]}Z`) + Number(`0.${found[2] ?? '0'}`) * 1000;
}
