import { graphIdOf, nodeIndexOf } from './ids.js';

/**
 * The fields by which every part's log calls the same things: `job`, `graph`, `node`, `attempt`, `request`. One search over
 * the logs of all machines then finds all that was said of a job, and of the graph that it belongs to.
 */
export interface JobFields {
  readonly job: string;
  readonly graph: string;
  /** The number of its node; 1 for a job that was sent alone. */
  readonly node: number;
}

export function jobFields(jobId: string): JobFields {
  return { job: jobId, graph: graphIdOf(jobId), node: nodeIndexOf(jobId) };
}

/** @param attemptId `<job>:<attempt>` */
export function attemptFields(attemptId: string): JobFields & { readonly attempt: number } {
  const [jobId = '', attempt = ''] = attemptId.split(':');
  return { ...jobFields(jobId), attempt: Number(attempt) };
}
