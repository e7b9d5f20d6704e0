import { constants } from 'node:fs';
import { copyFile, link, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { jobIdOf } from '../../contract/ids.js';
import type { FileRef, JobSpec } from '../../contract/job.js';
import { newGraphId } from '../../contract/new-graph-id.js';
import { preciseNow, utcWithoutOffset } from '../../contract/time.js';
import { EngineError } from '../../errors/engine-error.js';
import { walk } from '../../store/fingerprint.js';
import type { JobStore } from '../../store/job-store.js';
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
  const repeated: JobSpec = {
    ...spec,
    jobId: newId,
    graphId,
    script: moved(spec.script, jobId, newId),
    data: spec.data === null ? null : moved(spec.data, jobId, newId),
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

/** Files of the job itself move with it; those of other jobs and places stay where they are. */
function moved(ref: FileRef, from: string, to: string): FileRef {
  return 'share' in ref && ref.share.startsWith(`${from}/`) ? { share: `${to}${ref.share.slice(from.length)}` } : ref;
}

async function linkTree(source: string, target: string): Promise<void> {
  for await (const entry of walk(source)) {
    const to = join(target, entry.path);
    if (entry.kind === 'folder') await mkdir(to, { recursive: true });
    else if (entry.kind === 'file') await linkOrCopy(join(source, entry.path), to);
  }
}

async function linkOrCopy(source: string, target: string): Promise<void> {
  try {
    await link(source, target);
  } catch {
    // Some shares have no hard links; where the file system can, the copy shares its blocks.
    await copyFile(source, target, constants.COPYFILE_FICLONE);
  }
}
