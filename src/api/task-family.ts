import { graphIdOf, jobIdOf } from '../contract/ids.js';
import type { Json } from '../contract/json.js';
import { type GraphShare, openGraphs } from '../store/graph-share.js';
import type { JobStore } from '../store/job-store.js';
import { readSent } from '../store/sent-canvases.js';

/** Tasks that a script has started by itself, in the tuple form of Celery's results; a graph's other nodes follow from them. */
export class TaskFamily {
  readonly #store: JobStore;
  readonly #graphs: GraphShare;

  constructor(store: JobStore) {
    this.#store = store;
    this.#graphs = openGraphs(store);
  }

  async of(jobId: string): Promise<{ readonly children: Json[]; readonly parentId: string | null }> {
    const sent = await readSent(this.#store, jobId);
    const header = await this.#graphs.documents.headerOnce(graphIdOf(jobId));
    const parentId = header?.parent?.jobId ?? (await this.#store.readSpec(jobId))?.parent ?? null;
    const children = await Promise.all(
      sent.map(
        async ({ graphId, jobId: alone }): Promise<Json> =>
          alone === null ? this.#firstOf(graphId) : [[alone, null], null],
      ),
    );
    return { children: children.filter((child) => child !== null), parentId };
  }

  /** The nodes of a graph that wait for no other: a task, or a group of them. */
  async #firstOf(graphId: string): Promise<Json> {
    const { documents } = this.#graphs;
    const nodes = await documents.nodes(graphId, 1, await documents.count(graphId));
    const first = nodes
      .filter(({ deps }) => deps.length === 0)
      .map(({ index }) => [[jobIdOf(graphId, index), null], null]);
    return first.length === 1 ? (first[0] as Json) : [[graphId, null], first];
  }
}
