import type { ListQuery } from './engine.js';
import { quoted } from './visibility.js';

/** Runs that have jobs: the interpreter's, and those of workflow files. */
export const isRun = `(WorkflowType = 'pixyzGraph' OR PixyzGraph = 'workflow')`;

/** The visibility query of a list. */
export function listFilter(query: Omit<ListQuery, 'limit' | 'cursor'>): string {
  const parts = [isRun];
  if (query.graphs !== undefined) parts.push(`PixyzGraph IS ${query.graphs ? 'NOT ' : ''}NULL`);
  // A graph that has failed has jobs that succeeded: the states of its jobs are looked at one by one.
  if (query.states.length > 0 && query.graphs !== true) {
    const states = query.states.map((state) => `(${stateFilter[state]})`);
    // Without graphs the server finds by state alone, and looks at no other run.
    parts.push(`(${[...states, ...(query.graphs === false ? [] : ['PixyzGraph IS NOT NULL'])].join(' OR ')})`);
  }
  if (query.queue !== undefined) parts.push(`PixyzQueue = ${quoted(query.queue)}`);
  if (query.queuesBeside !== undefined) parts.push(`PixyzQueue NOT IN (${query.queuesBeside.map(quoted).join(', ')})`);
  if (query.name !== undefined) parts.push(`PixyzName = ${quoted(query.name)}`);
  if (query.process !== undefined) parts.push(`PixyzProcess = ${quoted(query.process)}`);
  if (query.since !== undefined) parts.push(`StartTime >= '${query.since.toISOString()}'`);
  if (query.until !== undefined) parts.push(`StartTime <= '${query.until.toISOString()}'`);
  return parts.join(' AND ');
}

export const stateFilter: Readonly<Record<ListQuery['states'][number], string>> = {
  OPEN: `ExecutionStatus = 'Running'`,
  SUCCESS: `ExecutionStatus = 'Completed'`,
  FAILURE: `(ExecutionStatus = 'Failed' AND PixyzState IS NULL) OR ExecutionStatus = 'TimedOut'`,
  REVOKED: `ExecutionStatus = 'Canceled' OR ExecutionStatus = 'Terminated' OR (ExecutionStatus = 'Failed' AND PixyzState = 'REVOKED')`,
};
