import { join } from 'node:path';
import { isUuid, nodeIndexOf } from '../contract/ids.js';
import type { FileRef } from '../contract/job.js';
import { EngineError } from '../errors/engine-error.js';

/**
 * The share:
 *
 *     <root>/<job id>/inputs/            the uploaded script and input
 *                     outputs/           written by the attempt that owns the job
 *                     archives/<id>.zip  made on request
 *                     archives/<id>.json which outputs it holds: {"fingerprint": …}
 *                     logs/<n>.log       stdout and stderr of attempt n
 *                     spec.json          what was asked for
 *                     job.json           what came of it
 *                     result.json        a result too large for job.json, or that JavaScript would change
 *                     exact.json         the same with types that JSON has not (times, bytes …), for other jobs
 *                     canvases.jsonl     the graphs that its script has sent
 *                     owner              which attempt may write, once it is not the first
 *     <root>/<graph id>/…                a graph's own files: see {@link GraphPaths}
 *     <root>/.incoming/                  uploads that are not jobs or graphs yet
 *     <root>/.workers/                   what each worker says of itself
 *     <root>/.workflows/                 versions of workflow files: see `src/workflow-files/catalogue.ts`
 */
export interface JobPaths {
  readonly folder: string;
  readonly inputs: string;
  readonly outputs: string;
  readonly archives: string;
  readonly logs: string;
  readonly spec: string;
  readonly record: string;
  readonly result: string;
  readonly exact: string;
  readonly canvases: string;
}

/** Paths of a job. @throws EngineError BAD_REQUEST when the id is not one: nothing but a UUID becomes a path. */
export function jobPaths(root: string, jobId: string): JobPaths {
  if (!isUuid(jobId)) throw new EngineError('BAD_REQUEST', `"${jobId}" is not a job id`);
  const folder = join(root, jobId);
  return {
    folder,
    inputs: join(folder, 'inputs'),
    outputs: join(folder, 'outputs'),
    archives: join(folder, 'archives'),
    logs: join(folder, 'logs'),
    spec: join(folder, 'spec.json'),
    record: join(folder, 'job.json'),
    result: join(folder, 'result.json'),
    exact: join(folder, 'exact.json'),
    canvases: join(folder, 'canvases.jsonl'),
  };
}

export function logFileOf(paths: JobPaths, attempt: number): string {
  return join(paths.logs, `${attempt}.log`);
}

/** The archive of a job's outputs, and beside it the note that says which outputs it holds. */
export function archiveFilesOf(paths: JobPaths, jobId: string): { readonly zip: string; readonly stamp: string } {
  return { zip: join(paths.archives, `${jobId}.zip`), stamp: join(paths.archives, `${jobId}.json`) };
}

/** The absolute path of a file of a job on this machine. */
export function resolveFileRef(ref: FileRef, places: { readonly share: string; readonly processes: string }): string {
  if ('share' in ref) return join(places.share, ref.share);
  if ('process' in ref) return join(places.processes, `${ref.process}.py`);
  return ref.path;
}

/**
 * A graph of several nodes:
 *
 *     <root>/<graph id>/graph.json         what was asked for of the graph as a whole
 *                       nodes/<n>.jsonl    what was asked for of nodes n (8 digits) and on: written once
 *                       maps/<n>.jsonl     the items that node n has been expanded to, one a line: written once
 *                       inputs/            files that came with it
 *                       events.jsonl       its journal
 *                       run.json           of a workflow file: what its run was given
 *                       result.json        of a workflow file: what it returned
 */
export interface GraphPaths {
  readonly folder: string;
  readonly header: string;
  readonly nodes: string;
  readonly maps: string;
  readonly inputs: string;
  readonly journal: string;
  readonly run: string;
  readonly result: string;
}

/** Paths of a graph. @throws EngineError BAD_REQUEST when the id is not one */
export function graphPaths(root: string, graphId: string): GraphPaths {
  if (!isUuid(graphId) || nodeIndexOf(graphId) !== 0)
    throw new EngineError('BAD_REQUEST', `"${graphId}" is not a graph id`);
  const folder = join(root, graphId);
  return {
    folder,
    header: join(folder, 'graph.json'),
    nodes: join(folder, 'nodes'),
    maps: join(folder, 'maps'),
    inputs: join(folder, 'inputs'),
    journal: join(folder, 'events.jsonl'),
    run: join(folder, 'run.json'),
    result: join(folder, 'result.json'),
  };
}

/** The file of a chunk of nodes, or of a node's items, in its folder. */
export function numberedFile(folder: string, number: number): string {
  return join(folder, `${String(number).padStart(8, '0')}.jsonl`);
}
