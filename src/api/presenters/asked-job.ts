import { posix } from 'node:path';
import { nodeIndexOf } from '../../contract/ids.js';
import type { FileRef, JobSpec } from '../../contract/job.js';
import type { AskedJob } from '../schemas/jobs.js';

export function presentAsked(spec: JobSpec, isNode: boolean): AskedJob {
  const { command } = spec;
  return {
    uuid: spec.jobId,
    process: spec.process,
    script: spec.process === 'custom' && command === undefined ? nameOf(spec.script) : null,
    entrypoint: spec.entrypoint,
    params: command === undefined ? spec.paramsText : null,
    command: command === undefined ? null : [command.program, ...command.args],
    input: spec.data === null ? null : nameOf(spec.data),
    root_file: spec.rootFile,
    queue: spec.queue,
    time_limit: spec.timeLimit,
    compute_only: spec.computeOnly,
    graph: isNode ? spec.graphId : null,
    node: isNode ? nodeIndexOf(spec.jobId) : null,
  };
}

function nameOf(file: FileRef): string {
  return posix.basename('share' in file ? file.share : 'process' in file ? file.process : file.path);
}
