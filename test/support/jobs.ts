import { jobIdOf } from '../../src/contract/ids.js';
import type { JobSpec } from '../../src/contract/job.js';
import { newGraphId } from '../../src/contract/new-graph-id.js';

/** A job as the API would store it: a test names only what it is about. */
export function jobSpec(overrides: Partial<JobSpec> = {}): JobSpec {
  const graphId = newGraphId();
  const jobId = jobIdOf(graphId, 1);
  return {
    version: 1,
    jobId,
    graphId,
    name: 'bracket',
    process: 'custom',
    script: { share: `${jobId}/inputs/s.py` },
    entrypoint: 'main',
    data: null,
    paramsText: '{"x": 1}',
    queue: 'cpu',
    timeLimit: 60,
    rootFile: null,
    computeOnly: false,
    raw: false,
    context: {},
    timeRequest: '2026-11-21T11:49:05.570674',
    callback: null,
    retryOf: null,
    digest: null,
    ...overrides,
  };
}
