import { isTerminal, type JobRecord } from '../../contract/job.js';
import type { Json } from '../../contract/json.js';
import { recordMeta } from '../../store/handed-on.js';
import type { JsonText } from '../http/json-text.js';
import type { TaskMeta } from '../schemas/jobs.js';

/** The record as a Celery result store would keep it, for programs that read that form. */
export function presentTaskMeta(
  record: JobRecord,
  result: Json | JsonText,
  family: { readonly children: Json[]; readonly parentId: string | null },
): TaskMeta {
  const failed = record.status === 'FAILURE' || record.status === 'RETRY';
  return {
    status: record.status,
    result: resultOf(record, result),
    traceback: failed ? (record.error?.traceback ?? null) : null,
    children: family.children,
    parent_id: family.parentId,
    task_id: record.status === 'PENDING' ? null : record.jobId,
    date_done: isTerminal(record.status) ? record.timeInfo.stopped : null,
  };
}

export const unknownTaskMeta: TaskMeta = {
  status: 'PENDING',
  result: null,
  traceback: null,
  children: [],
  parent_id: null,
  task_id: null,
  date_done: null,
};

function resultOf(record: JobRecord, result: Json | JsonText): unknown {
  switch (record.status) {
    case 'RUNNING':
      return recordMeta(record);
    case 'SUCCESS':
      return record.raw ? result : { ...recordMeta(record), progress: 100, result };
    case 'FAILURE':
      return exception(record.error?.type ?? 'Exception', record.error?.message ?? '', record.error?.module);
    case 'REVOKED':
      return exception(
        'TaskRevokedError',
        typeof result === 'string' ? result : (record.error?.message ?? 'cancelled'),
        'celery.exceptions',
      );
    case 'PENDING':
    case 'RETRY':
      return null;
  }
}

function exception(type: string, message: string, module = 'builtins'): Json {
  return { exc_type: type, exc_message: message === '' ? [] : [message], exc_module: module };
}
