import { realpath } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { AttemptInput } from '../contract/graph.js';
import type { NodeFile, NodeSpec } from '../contract/graph-document.js';
import { graphIdOf, jobIdOf, nodeIndexOf } from '../contract/ids.js';
import { type FileRef, type JobRecord, type JobSpec, newRecord } from '../contract/job.js';
import { preciseNow, utcWithoutOffset } from '../contract/time.js';
import { inGraph } from '../contract/trace.js';
import { isMissing } from '../store/atomic.js';
import { ExpressionError } from '../store/expressions.js';
import { walk } from '../store/fingerprint.js';
import type { GraphShare } from '../store/graph-share.js';
import type { JobStore } from '../store/job-store.js';
import type { Place } from '../store/node-values.js';
import { unlinked } from '../store/unlinked.js';
import { resolveCommand, resolveParams, resolveText } from './resolve-params.js';
import { fault } from './script-fault.js';

/** A job, ready for an attempt. */
export interface ReadyJob {
  readonly spec: JobSpec;
  readonly record: JobRecord;
  /** The attempt has made the job's folder just now: nobody has begun before it. */
  readonly fresh: boolean;
  /** Why it cannot be run as it is asked for; its record is to say so. */
  readonly problem: string | null;
  /** An earlier job's outputs and result may be taken instead. */
  readonly reuse: boolean;
  /** The job of the graph before that did this one's part, if any: it is not done again when it was asked for the same. */
  readonly before: string | null;
}

/**
 * The job of an attempt. That of a node gets its folder from its first attempt: 10,000 nodes cost one file when they are sent.
 * What comes from other nodes is asked for anew by each attempt: a node that runs again may have got other values.
 */
export async function readyJob(store: JobStore, graphs: GraphShare, input: AttemptInput): Promise<ReadyJob> {
  if (input.graph !== true) {
    const found = await readJob(store, input.jobId);
    if (found !== null) return { ...found, fresh: false, reuse: false, before: null };
    throw fault(
      'invalid',
      `the folder of job ${input.jobId} is not on the share: it was deleted, or SHARE_PATH of this worker (${store.root}) is not the API's`,
    );
  }
  const graphId = graphIdOf(input.jobId);
  const node = await graphs.documents.node(graphId, input.item?.map ?? nodeIndexOf(input.jobId));
  if (node === null) {
    throw fault(
      'invalid',
      `the document of graph ${graphId} is not on the share: it was deleted, or SHARE_PATH of this worker (${store.root}) is not the API's`,
    );
  }
  const { reuse } = node;
  const before = itemBefore(node, input);
  const asked = await specOf(store, graphs, input, node);
  // The first attempt nearly always finds nothing, so it does not look before it makes the folder.
  const found = input.attempt === 1 ? null : await readJob(store, input.jobId);
  if (found === null && (await store.create(asked.spec)))
    return { ...asked, record: newRecord(asked.spec), fresh: true, reuse, before };
  const { spec, record, problem } = found ?? (await readJob(store, input.jobId)) ?? missing(input.jobId);
  const { paramsText, data, command } = asked.spec;
  return {
    spec: { ...spec, paramsText, data, ...(command === undefined ? {} : { command }) },
    record,
    fresh: false,
    problem: problem ?? asked.problem,
    reuse,
    before,
  };
}

function itemBefore({ itemsBefore }: NodeSpec, { item }: AttemptInput): string | null {
  if (itemsBefore === undefined || item === undefined || item.at >= itemsBefore.count) return null;
  return jobIdOf(itemsBefore.graphId, itemsBefore.first + item.at);
}

function missing(jobId: string): never {
  throw fault('lost', `the folder of job ${jobId} is there, but not its spec.json`);
}

/** Spec and record as they lie on the share; a spec that nobody can read is a problem of the job. */
async function readJob(
  store: JobStore,
  jobId: string,
): Promise<{ readonly spec: JobSpec; readonly record: JobRecord; readonly problem: string | null } | null> {
  const [spec, record] = await Promise.all([
    store.readSpec(jobId).catch((error: unknown) => (isUnreadable(error) ? error : Promise.reject(error))),
    store.readRecord(jobId).catch((error: unknown) => {
      if (!isUnreadable(error)) throw error;
      throw fault('invalid', `job.json of job ${jobId} cannot be read: ${firstLine(error)}`);
    }),
  ]);
  if (spec === null || record === null) return null;
  if (!(spec instanceof Error)) return { spec, record, problem: null };
  return { spec: unreadable(record), record, problem: `spec.json of the job cannot be read: ${firstLine(spec)}` };
}

/** Broken content, as opposed to a share that is away: trying again reads the same. */
function isUnreadable(error: unknown): error is Error {
  return error instanceof SyntaxError || (error instanceof Error && error.name.includes('ZodError'));
}

function firstLine(error: Error): string {
  return error.message.replace(/\s+/g, ' ').slice(0, 300);
}

/** Stands for a spec that is lost, so that the attempt can write the job's end. */
function unreadable(record: JobRecord): JobSpec {
  const { jobId, graphId, name, process, queue, raw, retryOf } = record;
  return {
    version: 1,
    jobId,
    graphId,
    name,
    process,
    queue,
    raw,
    retryOf,
    script: { path: '' },
    entrypoint: 'main',
    data: null,
    paramsText: 'null',
    timeLimit: null,
    rootFile: null,
    computeOnly: true,
    context: {},
    timeRequest: record.timeInfo.request ?? '',
    callback: null,
    digest: null,
  };
}

/** What the job is to do. Where that cannot be found out, the reason. */
async function specOf(
  store: JobStore,
  graphs: GraphShare,
  input: AttemptInput,
  node: NodeSpec,
): Promise<{ readonly spec: JobSpec; readonly problem: string | null }> {
  const { jobId } = input;
  const graphId = graphIdOf(jobId);
  const header = await graphs.documents.headerOnce(graphId);
  const bare: JobSpec = {
    version: 1,
    jobId,
    graphId,
    name: input.item === undefined || node.name === null ? node.name : `${node.name} [${input.item.at}]`,
    process: node.process,
    script: node.script ?? { path: '' },
    entrypoint: node.entrypoint,
    handsOn: node.handsOn,
    data: node.data === null || 'node' in node.data ? null : node.data,
    paramsText: 'null',
    queue: node.queue,
    timeLimit: node.timeLimit,
    rootFile: node.rootFile,
    computeOnly: node.computeOnly,
    raw: node.raw,
    context: node.context,
    timeRequest: header?.timeRequest ?? utcWithoutOffset(preciseNow()),
    callback: node.callback,
    retryOf: null,
    dispatch: {
      countdown: node.countdown,
      expires: node.expires,
      priority: node.priority,
      maxRetries: node.retry.maxRetries,
    },
    digest: null,
    ...(header?.trace === undefined ? {} : { trace: inGraph(header.trace, graphId) }),
  };
  const place: Place = { graphId, node, item: input.item };
  try {
    const [paramsText, data, command] = await Promise.all([
      resolveParams(graphs.values, node.params, place),
      node.data === null ? null : inputFile(store, graphs, node.data, place),
      node.command === null ? null : resolveCommand(graphs.values, node.command, place),
    ]);
    return { spec: { ...bare, paramsText, data, ...(command === null ? {} : { command }) }, problem: null };
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return { spec: bare, problem: error.message };
  }
}

/** @throws ExpressionError when the node it comes from has no such output */
async function inputFile(store: JobStore, graphs: GraphShare, file: NodeFile, place: Place): Promise<FileRef> {
  if (!('node' in file)) return file;
  const output = await resolveText(graphs.values, file.output, place);
  const { outputs } = store.paths(jobIdOf(place.graphId, file.node));
  const full = join(outputs, output);
  try {
    const root = await unlinked(store.root, outputs);
    // A link out of the outputs could mean any file of this host.
    if ((await realpath(full)).startsWith(root + sep)) return { share: relative(store.root, full) };
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const there: string[] = [];
  for await (const entry of walk(outputs)) if (entry.kind === 'file' && there.length < 20) there.push(entry.path);
  const from = (await graphs.documents.node(place.graphId, file.node))?.id ?? file.node;
  throw new ExpressionError(
    `node "${from}" has no output "${output}": ${there.length === 0 ? 'it has none' : `it has ${there.join(', ')}`}`,
  );
}
