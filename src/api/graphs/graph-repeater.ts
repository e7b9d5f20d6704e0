import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { GraphHeader, NodeFile, NodeSpec } from '../../contract/graph-document.js';
import { jobIdOf } from '../../contract/ids.js';
import type { FileRef, JobRecord } from '../../contract/job.js';
import { preciseNow, utcWithoutOffset } from '../../contract/time.js';
import { EngineError } from '../../errors/engine-error.js';
import { isMissing } from '../../store/atomic.js';
import type { GraphStore } from '../../store/graph-store.js';
import { linkFile, linkTree, movedRef } from '../../store/link-tree.js';
import type { ApiDeps } from '../deps.js';
import type { GraphSubmitter } from './graph-submitter.js';
import type { GraphView } from './graphs-reader.js';
import { topologyOf } from './topology.js';

/** Folders of jobs that are linked at the same time. */
const atOnce = 16;

/**
 * Makes and starts a new graph like one that has ended. What has to run again: nodes that did not succeed, those whose files
 * are gone, and everything that waits for one of them. The others are kept: their jobs' folders are linked into the new
 * graph, where they have succeeded from the start. Links cost no room, and the old graph can be deleted.
 */
export class GraphRepeater {
  readonly #deps: ApiDeps;
  readonly #store: GraphStore;
  readonly #submitter: GraphSubmitter;

  constructor(deps: ApiDeps, store: GraphStore, submitter: GraphSubmitter) {
    this.#deps = deps;
    this.#store = store;
    this.#submitter = submitter;
  }

  /** @returns the new graph, and how many nodes are kept */
  async repeat(view: GraphView, newId: string): Promise<{ header: GraphHeader; nodes: number; kept: number }> {
    const { graphId } = view.header;
    const specs = await this.#store.nodes(graphId, 1, view.names.names.length - 1);
    if (specs.length === 0) {
      throw new EngineError('CONFLICT', `graph ${graphId} was made by a workflow file: start its workflow again`);
    }
    const records = await this.#records(view, specs);
    const kept = keptNodes(view, specs, records);
    if (kept.size === specs.length) {
      throw new EngineError('CONFLICT', `all nodes of graph ${graphId} have succeeded: there is nothing to run again`);
    }
    const header: GraphHeader = {
      ...view.header,
      graphId: newId,
      open: false,
      retryOf: graphId,
      timeRequest: utcWithoutOffset(preciseNow()),
      digest: null,
    };
    const nodes = specs.map((spec): NodeSpec => {
      const { kept: _before, ...moved } = { ...spec, script: refOf(spec.script), data: fileOf(spec.data) };
      // Whoever asks for a retry means now, whatever delay the first one had.
      return kept.has(spec.index) ? { ...moved, kept: true } : { ...moved, countdown: 0 };
    });
    const incoming = await this.#store.receive();
    try {
      await linkTree(this.#store.paths(graphId).inputs, incoming.inputs);
      const jobs = [...kept].flatMap((number) => {
        const record = records.get(number);
        return record === undefined ? [] : [{ number, record }];
      });
      for (let at = 0; at < jobs.length; at += atOnce) {
        await Promise.all(jobs.slice(at, at + atOnce).map((job) => this.#keep(job.record, newId, job.number)));
      }
      // The same retry again, after a crash in the middle: the first one's document stands.
      await incoming.commit(header, nodes);
    } finally {
      await incoming.discard();
    }
    await this.#submitter.start(header, nodes);
    return { header, nodes: nodes.length, kept: kept.size };

    function refOf(ref: FileRef | null): FileRef | null {
      return ref === null ? null : movedRef(ref, graphId, newId);
    }
    function fileOf(file: NodeFile | null): NodeFile | null {
      return file === null || 'node' in file ? file : movedRef(file, graphId, newId);
    }
  }

  async #records({ header, fold }: GraphView, specs: readonly NodeSpec[]): Promise<Map<number, JobRecord>> {
    const records = new Map<number, JobRecord>();
    for (let at = 0; at < specs.length; at += atOnce) {
      await Promise.all(
        specs.slice(at, at + atOnce).map(async ({ index }) => {
          if (fold.node(index).state !== 'succeeded') return;
          const record = await this.#deps.store.readRecord(jobIdOf(header.graphId, index));
          if (record !== null) records.set(index, record);
        }),
      );
    }
    return records;
  }

  async #keep(record: JobRecord, newGraphId: string, number: number): Promise<void> {
    const { store } = this.#deps;
    const jobId = jobIdOf(newGraphId, number);
    const spec = await store.readSpec(record.jobId);
    if (spec === null || (await store.exists(jobId))) return;
    const incoming = await store.receive();
    try {
      const from = store.paths(record.jobId);
      const folder = dirname(incoming.inputs);
      await linkTree(from.inputs, incoming.inputs);
      for (const [source, name] of [
        [from.outputs, 'outputs'],
        [from.logs, 'logs'],
      ] as const) {
        await mkdir(join(folder, name));
        await linkTree(source, join(folder, name));
      }
      if (record.resultFile !== null) {
        await linkFile(join(from.folder, record.resultFile.file), join(folder, record.resultFile.file));
        // Of few results there is an exact form as well.
        await linkFile(from.exact, join(folder, 'exact.json')).catch((error: unknown) => {
          if (!isMissing(error)) throw error;
        });
      }
      const place = { jobId, graphId: newGraphId, retryOf: record.jobId };
      const script = movedRef(movedRef(spec.script, record.jobId, jobId), record.graphId, newGraphId);
      const data =
        spec.data === null ? null : movedRef(movedRef(spec.data, record.jobId, jobId), record.graphId, newGraphId);
      if (await incoming.commit({ ...spec, ...place, script, data })) await store.writeRecord({ ...record, ...place });
    } finally {
      await incoming.discard();
    }
  }
}

/** Numbers of the nodes whose results stay. */
function keptNodes(
  { fold }: GraphView,
  specs: readonly NodeSpec[],
  records: ReadonlyMap<number, JobRecord>,
): ReadonlySet<number> {
  const { order } = topologyOf(specs.map(({ deps }) => deps.map((dep) => dep - 1)));
  const kept = new Set<number>();
  for (const at of order) {
    const { index, kind, deps, map } = specs[at] as NodeSpec;
    // The jobs of a map have numbers that the new run will give anew.
    if (fold.node(index).state !== 'succeeded' || map !== null) continue;
    const record = records.get(index);
    const isThere = kind === 'barrier' || (record?.status === 'SUCCESS' && record.cleanedAt === null);
    if (isThere && deps.every((dep) => kept.has(dep))) kept.add(index);
  }
  return kept;
}
