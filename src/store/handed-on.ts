import type { JobRecord, JobSpec } from '../contract/job.js';
import type { Json } from '../contract/json.js';

/** What a job hands on, as JSON text: results never pass JavaScript's numbers on their way from script to script. */
export function handedOnText(record: JobRecord, form: NonNullable<JobSpec['handsOn']>, result: string): string {
  switch (form) {
    case 'value':
      return result;
    case 'wrapped':
      return `{"result":${result}}`;
    case 'record': {
      const meta = JSON.stringify({ ...recordMeta(record), progress: 100 });
      return `${meta.slice(0, -1)},"result":${result}}`;
    }
  }
}

/** The facts of a job as a Celery result store keeps them; the result comes on top. */
export function recordMeta(record: JobRecord): { [key: string]: Json } {
  return {
    ...record.meta,
    shadow_name: record.name,
    time_info: { ...record.timeInfo },
    progress: record.progress,
    steps: record.steps.map((step) => ({ ...step })),
    ...(record.retry > 0 ? { retry: record.retry } : {}),
  };
}
