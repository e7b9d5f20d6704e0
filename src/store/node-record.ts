import type { GraphHeader, NodeSpec } from '../contract/graph-document.js';
import { graphIdOf, jobIdOf, nodeIndexOf } from '../contract/ids.js';
import type { JobError, JobRecord } from '../contract/job.js';
import { utcWithOffset } from '../contract/time.js';
import type { GraphFold, NodeFold } from './graph-fold.js';
import type { GraphShare } from './graph-share.js';
import type { JobStore } from './job-store.js';

/** How far back the failed task of a chord is looked for: a header member may be a chain, or a chord itself. */
const mostLooks = 200;

/**
 * The state of a node's job that has no record: nobody has begun it. Told in the form of a record, from the journal and
 * the document, so that every id of a graph answers from the moment the graph is there.
 */
export class NodeRecords {
  readonly #jobs: JobStore;
  readonly #graphs: GraphShare;

  constructor(jobs: JobStore, graphs: GraphShare) {
    this.#jobs = jobs;
    this.#graphs = graphs;
  }

  /** null when the id is of no node of a graph on the share. */
  async record(jobId: string): Promise<JobRecord | null> {
    const index = nodeIndexOf(jobId);
    if (index === 0) return null;
    const graphId = graphIdOf(jobId);
    const header = await this.#graphs.documents.header(graphId);
    if (header === null || header.graphId !== graphId) return null;
    const fold = await this.#graphs.reader.fold(graphId);
    const item = fold.itemOf(index);
    const node = await this.#graphs.documents.node(graphId, item?.map ?? index);
    const told = fold.node(index);
    if (node === null && told.queuedAt === null && told.endedAt === null) return null;
    const bare = bareRecord(jobId, header, node, told, item?.at ?? null);
    switch (told.state) {
      case 'waiting':
      case 'queued':
        return bare;
      case 'succeeded':
        return { ...ended(bare, told), status: 'SUCCESS', progress: 100 };
      case 'failed':
        return { ...ended(bare, told), status: 'FAILURE', error: failure(told) };
      case 'revoked':
        return { ...ended(bare, told), status: 'REVOKED', result: told.message ?? 'cancelled' };
      case 'skipped':
        return this.#skipped(bare, header, node, told, fold);
    }
  }

  /**
   * Scripts know canvases from Celery: later links of a failed chain stay `PENDING`, the callback of a chord fails and names the
   * task that was to blame.
   */
  async #skipped(
    bare: JobRecord,
    header: GraphHeader,
    node: NodeSpec | null,
    told: NodeFold,
    fold: GraphFold,
  ): Promise<JobRecord> {
    if (header.front !== 'script')
      return { ...ended(bare, told), status: 'REVOKED', result: told.message ?? 'not run' };
    const isCallback = node !== null && (node.params.kind === 'values' || node.deps.length > 1);
    if (!isCallback) return bare;
    const blamed = await this.#blamed(header.graphId, node.deps, fold);
    if (blamed === null) return bare;
    const jobId = jobIdOf(header.graphId, blamed);
    const error = (await this.#jobs.readRecord(jobId))?.error ?? failure(fold.node(blamed));
    const message = `Dependency ${jobId} raised ${error.type}(${JSON.stringify(error.message)})`;
    return {
      ...ended(bare, told),
      status: 'FAILURE',
      error: {
        kind: 'exception',
        type: 'ChordError',
        module: 'celery.exceptions',
        message,
        traceback: `ChordError: ${message}`,
      },
    };
  }

  /** The first node behind these that did not succeed by itself: through others that were skipped because of it. */
  async #blamed(graphId: string, deps: readonly number[], fold: GraphFold): Promise<number | null> {
    const waiting = [...deps];
    for (let looks = 0; looks < mostLooks; looks += 1) {
      const next = waiting.shift();
      if (next === undefined) return null;
      const { state } = fold.node(next);
      if (state === 'failed' || state === 'revoked') return next;
      if (state === 'skipped') waiting.unshift(...((await this.#graphs.documents.node(graphId, next))?.deps ?? []));
    }
    return null;
  }
}

function bareRecord(
  jobId: string,
  header: GraphHeader,
  node: NodeSpec | null,
  told: NodeFold,
  at: number | null,
): JobRecord {
  const name = node === null ? told.label : node.name;
  return {
    version: 1,
    jobId,
    graphId: header.graphId,
    name: name === null || at === null ? name : `${name} [${at}]`,
    process: node?.process ?? 'custom',
    queue: told.queue ?? node?.queue ?? '',
    raw: node?.raw ?? false,
    status: 'PENDING',
    progress: null,
    steps: [],
    timeInfo: { request: header.timeRequest, started: null, stopped: null },
    retry: 0,
    error: null,
    result: null,
    resultFile: null,
    meta: {},
    attempts: [],
    owner: 0,
    retryOf: null,
    cleanedAt: null,
  };
}

function ended(record: JobRecord, { endedAt }: NodeFold): JobRecord {
  const stopped = endedAt === null ? null : utcWithOffset(Date.parse(endedAt));
  return { ...record, timeInfo: { ...record.timeInfo, stopped } };
}

function failure({ fault, message }: NodeFold): JobError {
  const kind = fault ?? 'lost';
  const type = kind === 'lost' ? 'WorkerLost' : 'PixyzExecutionFault';
  const text = message ?? 'the node failed before it was begun';
  return { kind, type, module: 'pixyz_worker.exception', message: text, traceback: `${type}: ${text}` };
}
