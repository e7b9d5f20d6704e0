import type { GraphSignals } from '../../contract/graph.js';
import { jobIdOf } from '../../contract/ids.js';
import type { SignalOutcome } from '../../engine/graph-engine.js';
import { EngineError } from '../../errors/engine-error.js';
import type { GraphStore } from '../../store/graph-store.js';
import type { ApiDeps } from '../deps.js';
import { Pace, pause } from '../pause.js';
import { type GraphsReader, type GraphView, numbersAfter } from './graphs-reader.js';

/** The journal tells the end of a graph a moment before its run closes. */
const closingMs = 2000;
/** Job folders that are removed at the same time. */
const atOnce = 16;
/** Nodes that a graph is told of once more before it is closed. */
const toldAgain = 1000;

/** What can be done to a graph that is there. */
export class GraphCalls {
  readonly #deps: ApiDeps;
  readonly #store: GraphStore;
  readonly #reader: GraphsReader;

  constructor(deps: ApiDeps, store: GraphStore, reader: GraphsReader) {
    this.#deps = deps;
    this.#store = store;
    this.#reader = reader;
  }

  /** @throws EngineError CONFLICT when the graph has ended */
  async tell<N extends keyof GraphSignals>(graphId: string, name: N, ...args: GraphSignals[N]): Promise<void> {
    if ((await this.#deps.engine.ofGraphs.signal(graphId, name, ...args)) !== 'sent') throw ended(graphId);
  }

  async close({ header, fold, names }: GraphView): Promise<void> {
    const { graphId } = header;
    if (!header.open || fold.closed || fold.endedAt !== null) return;
    const { ofGraphs } = this.#deps.engine;
    // The API may have died between storing the last nodes and telling of them.
    const count = names.names.length - 1;
    const first = Math.max(1, count - toldAgain + 1);
    if (count > 0) await ofGraphs.signal(graphId, 'addNodes', { first, count: count - first + 1 });
    await ofGraphs.signal(graphId, 'closeGraph');
  }

  /** One that has ended is a success, too. @throws EngineError CONFLICT for one that nobody runs any more */
  async cancel(graphId: string): Promise<void> {
    if ((await this.#deps.engine.ofGraphs.cancel(graphId)) === 'sent') return;
    const { fold } = await this.waitForEnd(graphId, closingMs / 1000, new AbortController().signal, 50);
    if (fold.endedAt !== null) return;
    throw new EngineError('CONFLICT', `graph ${graphId} has no run that could be stopped: it can be deleted`);
  }

  async cancelNodes(view: GraphView, ids: readonly string[]): Promise<{ id: string; status: SignalOutcome }[]> {
    const told: { id: string; status: SignalOutcome }[] = [];
    for (const id of ids) told.push({ id, status: await this.#cancelNode(view, id) });
    return told;
  }

  async #cancelNode(view: GraphView, id: string): Promise<SignalOutcome> {
    const number = this.#reader.find(view, id);
    if (number === null) return 'unknown';
    if (hasEnded(view, number)) return 'already-ended';
    return this.#deps.engine.ofGraphs.signal(view.header.graphId, 'cancelNode', number, 'cancelled through the API');
  }

  async retryNode(view: GraphView, number: number): Promise<void> {
    const { state } = view.fold.node(number);
    const name = JSON.stringify(this.#reader.nameOf(view, number));
    if (!hasEnded(view, number)) throw new EngineError('CONFLICT', `node ${name} has not ended: it is ${state}`);
    if (state === 'succeeded') throw new EngineError('CONFLICT', `node ${name} has succeeded`);
    await this.tell(view.header.graphId, 'retryNode', number);
  }

  /** Waits until the graph has ended, or the time is over. */
  async waitForEnd(graphId: string, seconds: number, signal: AbortSignal, intervalMs: number): Promise<GraphView> {
    const deadline = performance.now() + seconds * 1000;
    const pace = new Pace(intervalMs);
    for (;;) {
      const view = await this.#reader.view(graphId);
      if (view.fold.endedAt !== null || performance.now() >= deadline || signal.aborted) return view;
      await pace.pause(signal);
    }
  }

  async remove(view: GraphView): Promise<void> {
    const { graphId } = view.header;
    await this.checkHasEnded(view, 'cancel it first');
    const { store } = this.#deps;
    let batch: string[] = [];
    const flush = async () => {
      await Promise.all(batch.map((jobId) => store.remove(jobId)));
      batch = [];
    };
    for (const number of numbersAfter(view, 0)) {
      batch.push(jobIdOf(graphId, number));
      if (batch.length >= atOnce) await flush();
    }
    await flush();
    // Last: as long as it is there, a removal that broke off can be asked for again.
    await this.#store.remove(graphId);
    this.#reader.forget(graphId);
  }

  /** @throws EngineError CONFLICT while anything of the graph may still write, or read what it has written */
  async checkHasEnded({ header, fold }: GraphView, advice: string): Promise<void> {
    const deadline = performance.now() + (fold.endedAt === null ? 0 : closingMs);
    for (;;) {
      if ((await this.#deps.engine.isOpen(header.graphId)) !== true) return;
      if (performance.now() >= deadline) {
        throw new EngineError('CONFLICT', `graph ${header.graphId} has not ended (${fold.state}): ${advice}`);
      }
      await pause(50, new AbortController().signal);
    }
  }
}

function hasEnded({ fold }: GraphView, number: number): boolean {
  const { state } = fold.node(number);
  return state !== 'waiting' && state !== 'queued';
}

export function ended(graphId: string): EngineError {
  return new EngineError('CONFLICT', `graph ${graphId} has ended`);
}
