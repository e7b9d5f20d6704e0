import { jobIdOf } from '../../contract/ids.js';
import type { JobSpec } from '../../contract/job.js';
import { newGraphId } from '../../contract/new-graph-id.js';
import { preciseNow, utcWithoutOffset } from '../../contract/time.js';
import { EngineError } from '../../errors/engine-error.js';
import type { JobStore } from '../../store/job-store.js';
import { linkTree, movedRef } from '../../store/link-tree.js';
import { currentTrace } from '../../telemetry/current-trace.js';
import type { Submitter } from './submitter.js';

/**
 * Makes and starts a new job like an old one: same script, input, parameters and settings, and the old id in `retryOf`.
 * Inputs are hard links where the share can do that, so repeating a job with gigabytes of input takes no time and no
 * room; the old job can be deleted, the files live on.
 */
export async function repeatJob(store: JobStore, submitter: Submitter, jobId: string): Promise<JobSpec> {
  const spec = await store.readSpec(jobId);
  if (spec === null) throw new EngineError('NOT_FOUND', `there is no job ${jobId}`);
  const graphId = newGraphId();
  const newId = jobIdOf(graphId, 1);
  const { trace: _before, ...asked } = spec;
  const repeated: JobSpec = {
    ...asked,
    ...currentTrace(),
    jobId: newId,
    graphId,
    script: movedRef(spec.script, jobId, newId),
    data: spec.data === null ? null : movedRef(spec.data, jobId, newId),
    timeRequest: utcWithoutOffset(preciseNow()),
    retryOf: jobId,
    digest: null,
    // Whoever asks for a retry means now, whatever delay the first one had.
    ...(spec.dispatch === undefined ? {} : { dispatch: { ...spec.dispatch, countdown: 0 } }),
  };
  const incoming = await store.receive();
  try {
    await linkTree(store.paths(jobId).inputs, incoming.inputs);
    await incoming.commit(repeated);
  } finally {
    await incoming.discard();
  }
  await submitter.start(repeated);
  return repeated;
}
