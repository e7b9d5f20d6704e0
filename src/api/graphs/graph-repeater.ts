import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { topologyOf } from '../../compile/topology.js';
import type { GraphHeader, NodeFile, NodeSpec } from '../../contract/graph-document.js';
import { jobIdOf } from '../../contract/ids.js';
import type { FileRef, JobRecord } from '../../contract/job.js';
import type { JournalEntry } from '../../contract/journal.js';
import { preciseNow, utcWithoutOffset } from '../../contract/time.js';
import { EngineError } from '../../errors/engine-error.js';
import { isMissing } from '../../store/atomic.js';
import type { GraphFold } from '../../store/graph-fold.js';
import type { GraphStore } from '../../store/graph-store.js';
import { linkFile, linkTree, movedRef } from '../../store/link-tree.js';
import { currentTrace } from '../../telemetry/current-trace.js';
import type { ApiDeps } from '../deps.js';
import type { GraphSubmitter } from './graph-submitter.js';
import type { GraphView } from './graphs-reader.js';

/** Folders of jobs that are linked at the same time. */
const atOnce = 16;
/**
 * Items of kept maps are numbered from here on: the interpreter numbers those of the maps that run again from
 * `firstItemNumber`, and never gets this far.
 */
const firstKeptItem = 0xf000_0000;

/** What is taken over from the old graph. */
interface Kept {
  /** Numbers of nodes. */
  readonly nodes: ReadonlySet<number>;
  /** Maps among them; their items get new numbers. */
  readonly maps: readonly { readonly node: number; readonly first: number; readonly count: number }[];
  /** Jobs with their records, and the number that each gets. */
  readonly jobs: readonly { readonly record: JobRecord; readonly number: number }[];
}

/**
 * Makes and starts a new graph like one that has ended. What has to run again: nodes that did not succeed, those whose files
 * are gone, and everything that waits for one of them. The others are kept: their jobs' folders are linked into the new
 * graph, where they have succeeded from the start. Links cost no room, and the old graph can be deleted. A map runs again as
 * a whole; its items that have succeeded with the same contents are taken over when their turn comes.
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
    if (view.header.workflow !== null) {
      const again = `POST /workflows/${view.header.workflow}`;
      throw new EngineError('CONFLICT', `graph ${graphId} is a run of a workflow: start the workflow again (${again})`);
    }
    const specs = await this.#store.nodes(graphId, 1, view.names.names.length - 1);
    const kept = await this.#kept(view, specs);
    if (kept.nodes.size === specs.length) {
      throw new EngineError('CONFLICT', `all nodes of graph ${graphId} have succeeded: there is nothing to run again`);
    }
    const { trace: _before, ...asked } = view.header;
    const header: GraphHeader = {
      ...asked,
      ...currentTrace(),
      graphId: newId,
      open: false,
      retryOf: graphId,
      timeRequest: utcWithoutOffset(preciseNow()),
      digest: null,
    };
    const nodes = specs.map((spec): NodeSpec => {
      const {
        kept: _kept,
        itemsBefore: _items,
        ...moved
      } = { ...spec, script: refOf(spec.script), data: fileOf(spec.data) };
      // Whoever asks for a retry means now, whatever delay the first one had.
      return kept.nodes.has(spec.index)
        ? { ...moved, kept: true }
        : { ...moved, countdown: 0, ...itemsBefore(view, spec) };
    });
    const isNew = await this.#write(view, header, nodes, kept);
    try {
      await this.#submitter.start(header, nodes);
    } catch (error) {
      // The same retry may have started it before.
      if (isNew) await this.#takeBack(newId, kept);
      throw error;
    }
    return { header, nodes: nodes.length, kept: kept.nodes.size };

    function refOf(ref: FileRef | null): FileRef | null {
      return ref === null ? null : movedRef(ref, graphId, newId);
    }
    function fileOf(file: NodeFile | null): NodeFile | null {
      return file === null || 'node' in file ? file : movedRef(file, graphId, newId);
    }
  }

  /** @returns false when the same retry has made it before; then its document stands */
  async #write(view: GraphView, header: GraphHeader, nodes: readonly NodeSpec[], kept: Kept): Promise<boolean> {
    const from = view.header.graphId;
    const to = header.graphId;
    const incoming = await this.#store.receive();
    try {
      await linkTree(this.#store.paths(from).inputs, incoming.inputs);
      for (let at = 0; at < kept.jobs.length; at += atOnce) {
        await Promise.all(kept.jobs.slice(at, at + atOnce).map(({ record, number }) => this.#keep(record, to, number)));
      }
      await writeFile(join(dirname(incoming.inputs), 'events.jsonl'), journalOf(kept, new Date().toISOString()));
      const isNew = await incoming.commit(header, nodes);
      for (const { node, first, count } of kept.maps) {
        const items = await inOrder(count, (at) => this.#store.item(from, node, at));
        await this.#store.writeItems(to, node, first, items);
      }
      return isNew;
    } finally {
      await incoming.discard();
    }
  }

  async #takeBack(graphId: string, { jobs }: Kept): Promise<void> {
    await this.#store.remove(graphId);
    for (const { number } of jobs) await this.#deps.store.remove(jobIdOf(graphId, number));
  }

  /** Nodes that have succeeded, whose files are there, and that wait for nobody who has to run again. */
  async #kept({ header, fold }: GraphView, specs: readonly NodeSpec[]): Promise<Kept> {
    const nodes = new Set<number>();
    const maps: Kept['maps'][number][] = [];
    const jobs: Kept['jobs'][number][] = [];
    let nextItem = firstKeptItem;
    const { order } = topologyOf(specs.map(({ deps }) => deps.map((dep) => dep - 1)));
    const records = await this.#records(
      header.graphId,
      order.map((at) => (specs[at] as NodeSpec).index),
      fold,
    );
    for (const at of order) {
      const { index, kind, deps, map } = specs[at] as NodeSpec;
      if (fold.node(index).state !== 'succeeded' || !deps.every((dep) => nodes.has(dep))) continue;
      if (map !== null) {
        const mapped = fold.mapped(index);
        if (mapped === null) continue;
        const numbers = Array.from({ length: mapped.count }, (_, item) => mapped.first + item);
        const items = await this.#records(header.graphId, numbers, fold);
        if (items.size < mapped.count) continue;
        maps.push({ node: index, first: nextItem, count: mapped.count });
        for (const [place, number] of numbers.entries()) {
          jobs.push({ record: items.get(number) as JobRecord, number: nextItem + place });
        }
        nextItem += mapped.count;
      } else if (kind !== 'barrier') {
        const record = records.get(index);
        if (record === undefined) continue;
        jobs.push({ record, number: index });
      }
      nodes.add(index);
    }
    return { nodes, maps, jobs };
  }

  /** Records of jobs that have succeeded and still have their files. */
  async #records(graphId: string, numbers: readonly number[], fold: GraphFold): Promise<Map<number, JobRecord>> {
    const succeeded = numbers.filter((number) => fold.node(number).state === 'succeeded');
    const records = new Map<number, JobRecord>();
    for (let at = 0; at < succeeded.length; at += atOnce) {
      await Promise.all(
        succeeded.slice(at, at + atOnce).map(async (number) => {
          const record = await this.#deps.store.readRecord(jobIdOf(graphId, number));
          if (record?.status === 'SUCCESS' && record.cleanedAt === null) records.set(number, record);
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

/** Where the items of a map are that runs again: those that have succeeded are taken over, one by one, when their turn comes. */
function itemsBefore({ header, fold }: GraphView, { index, map }: NodeSpec): Pick<NodeSpec, 'itemsBefore'> {
  const mapped = map === null ? null : fold.mapped(index);
  if (mapped === null) return {};
  return { itemsBefore: { graphId: header.graphId, first: mapped.first, count: mapped.count } };
}

/** The interpreter writes of nodes; of the items of kept maps it knows nothing. */
function journalOf({ maps }: Kept, at: string): string {
  const entries = maps.flatMap(({ node, first, count }): JournalEntry[] => [
    { at, type: 'mapped', node, first, count },
    ...Array.from({ length: count }, (_, item) => ({ at, type: 'succeeded' as const, node: first + item })),
  ]);
  return entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
}

async function inOrder(count: number, read: (at: number) => Promise<string | null>): Promise<string[]> {
  const items: string[] = [];
  for (let at = 0; at < count; at++) items.push((await read(at)) ?? 'null');
  return items;
}
