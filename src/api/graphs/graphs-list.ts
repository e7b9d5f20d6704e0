import type { GraphQuery } from '../../engine/graph-engine.js';
import { errorCode } from '../../store/atomic.js';
import type { ApiDeps, Request } from '../deps.js';
import type { GraphListQuery, GraphState } from '../schemas/graphs.js';
import type { GraphsReader } from './graphs-reader.js';

/** Graphs whose documents are read at the same time. */
const readers = 16;
/** Deleted graphs leave pages with holes: so many pages of Temporal are looked at for one of ours. */
const maxPasses = 10;
/** The same for a part of a name, which Temporal cannot look for: what does not have it costs nothing but its line. */
const maxNamePasses = 100;
/** And for labels, which stand in the document of each graph. */
const maxLabelPasses = 20;

const engineStates = { open: 'OPEN', succeeded: 'SUCCESS', failed: 'FAILURE', revoked: 'REVOKED' } as const;

/** Pages of graphs, newest first: which there are tells Temporal, what each is doing tells the share. */
export class GraphsList {
  readonly #deps: ApiDeps;
  readonly #reader: GraphsReader;

  constructor(deps: ApiDeps, reader: GraphsReader) {
    this.#deps = deps;
    this.#reader = reader;
  }

  async page(query: GraphListQuery, request: Request): Promise<{ graphs: GraphState[]; next: string | null }> {
    const graphs: GraphState[] = [];
    const wanted = query.name_contains?.toLowerCase();
    const labels = query.label ?? [];
    const passes = labels.length > 0 ? maxLabelPasses : wanted === undefined ? maxPasses : maxNamePasses;
    let cursor = query.cursor;
    for (let pass = 0; pass < passes; pass++) {
      const page = await this.#deps.engine.ofGraphs.list(toEngine(query, query.limit - graphs.length, cursor));
      const found = page.graphIds.filter(
        (_, at) => wanted === undefined || page.names[at]?.toLowerCase().includes(wanted) === true,
      );
      for (let at = 0; at < found.length; at += readers) {
        const ids = found.slice(at, at + readers);
        const states = await Promise.all(ids.map((graphId) => this.#stateOf(graphId, labels, request)));
        for (const state of states) if (state !== null) graphs.push(state);
      }
      if (page.next === null) return { graphs, next: null };
      cursor = page.next;
      if (graphs.length >= query.limit) break;
    }
    return { graphs, next: cursor ?? null };
  }

  /** null: it is not there, or lacks one of the labels. */
  async #stateOf(graphId: string, labels: readonly string[], request: Request): Promise<GraphState | null> {
    try {
      const known = labels.length === 0 ? {} : await this.#reader.labels(graphId);
      if (known === null || !labels.every((label) => hasLabel(known, label))) return null;
      return await this.#reader.listed(graphId);
    } catch (error) {
      request.log.error({ err: error, code: errorCode(error), graph: graphId }, 'a graph cannot be read');
      return null;
    }
  }
}

/** Keys and values may hold colons themselves. */
function hasLabel(labels: Readonly<Record<string, string>>, wanted: string): boolean {
  return Object.entries(labels).some(([key, value]) => wanted === key || wanted === `${key}:${value}`);
}

function toEngine({ name, front, since, until, state }: GraphListQuery, limit: number, cursor?: string): GraphQuery {
  return {
    states: state === undefined ? [] : [...new Set(state.map((one) => engineStates[one]))],
    limit,
    ...(cursor === undefined ? {} : { cursor }),
    ...(name === undefined ? {} : { name }),
    ...(front === undefined ? {} : { front }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  };
}
