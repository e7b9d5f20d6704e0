import { readFile } from 'node:fs/promises';
import { BroadcastChannel, setEnvironmentData } from 'node:worker_threads';
import type { Logger } from 'pino';
import { endLostRun, type LostRunDeps } from '../activities/end-lost-run.js';
import { type CutOff, type CutOffFrame, type CutOffVerdict, cutOffChannel, cutOffRuns } from '../contract/cut-off.js';
import type { WorkflowFileEngine } from '../engine/workflow-file-engine.js';
import type { GraphStore } from '../store/graph-store.js';
import type { Catalogue } from './catalogue.js';
import { sourcePlaces } from './source-place.js';

/**
 * Runs whose code computes without a pause. Their threads are cut off (`src/engine/cut-off-thread.ts`), Temporal has the step
 * tried again, by whatever process, and after a few times the run is to fail: nothing of it would ever come to an end. One that
 * was cancelled, and does not heed it, is ended at once.
 *
 * Each process decides for itself, by what its own threads tell and by Temporal's count of attempts at the step, which outlives
 * them all. Cut-offs for want of CPU time, on a busy machine, do not count.
 */
export interface CutOffsOptions {
  readonly engine: Pick<WorkflowFileEngine, 'step'>;
  readonly catalogue: Catalogue;
  readonly documents: GraphStore;
  readonly lost: LostRunDeps;
  readonly logger: Pick<Logger, 'warn' | 'error'>;
}

/** A step that computes for less never fails its run, however busy the machine is. Less than what its thread is given of the clock. */
const mostCpuMs = 2000;
/** So often it is tried; and some times more until one process has seen it twice, and so where the code is. */
const fewestCutOffs = 3;
const mostCutOffs = 6;
/** Runs that are remembered. */
const mostRuns = 500;

export class CutOffs {
  readonly #options: CutOffsOptions;
  readonly #channel = new BroadcastChannel(cutOffChannel);
  /** How often, by graph; the first is the next to go. */
  readonly #counts = new Map<string, number>();
  /** As threads are told; see `CutOffRuns`. */
  readonly #verdicts = new Map<string, CutOffVerdict>();
  /** Runs that are to end, and why, as their journals have to tell. */
  readonly #ending = new Map<string, string>();
  #work: Promise<void> = Promise.resolve();

  constructor(options: CutOffsOptions) {
    this.#options = options;
    this.#channel.unref();
    this.#channel.onmessage = (event) => {
      this.#work = this.#work
        .then(() => this.#take((event as { data: CutOff }).data))
        .catch((error: unknown) => options.logger.error({ err: error }, 'a cut-off could not be looked into'));
    };
  }

  /** Resolves when new threads are told of all that is known by now. */
  settled(): Promise<void> {
    return this.#work;
  }

  /** Ends the journals of runs that have ended so. */
  async endJournals(): Promise<void> {
    const { documents, lost } = this.#options;
    for (const [graphId, why] of this.#ending) {
      const isGone = (await documents.header(graphId)) === null;
      const isOver = isGone || (await endLostRun(lost, graphId, await documents.count(graphId), why));
      if (isOver) this.#ending.delete(graphId);
    }
  }

  stop(): void {
    this.#channel.close();
  }

  async #take({ graphId, cpuMs, frames }: CutOff): Promise<void> {
    const { engine, documents, logger } = this.#options;
    const { attempts, isCancelled } = await engine.step(graphId).catch(() => ({ attempts: 0, isCancelled: false }));
    // Who has cancelled it waits for its end, not for what it may still do.
    if (cpuMs < mostCpuMs && !isCancelled) {
      logger.warn({ graphId, cpuMs }, 'a step of a workflow file got too little CPU time: it is tried again');
      return;
    }
    const header = await documents.header(graphId);
    if (header === null || header.workflow == null || header.workflowVersion == null) return;
    const { workflow, workflowVersion } = header;
    const own = (this.#counts.get(graphId) ?? 0) + 1;
    this.#counts.delete(graphId);
    this.#counts.set(graphId, own);
    const count = Math.max(own, attempts);
    const place = await this.#placeOf(workflow, workflowVersion, frames).catch(() => null);
    logger.warn({ graphId, workflow, place, cpuMs, count }, 'the code of a workflow file was cut off');
    if (isCancelled) this.#judge(graphId, 'cancel', cancelledSentence);
    else if (count < (place === null ? mostCutOffs : fewestCutOffs)) this.#judge(graphId, 'watch', null);
    else {
      const failure = sentence(workflow, place, count);
      this.#judge(graphId, { failure }, failure);
    }
  }

  #judge(graphId: string, verdict: CutOffVerdict, why: string | null): void {
    this.#verdicts.set(graphId, verdict);
    if (why !== null) this.#ending.set(graphId, why);
    const [oldest] = this.#counts.keys();
    if (this.#counts.size > mostRuns && oldest !== undefined) {
      this.#counts.delete(oldest);
      this.#verdicts.delete(oldest);
    }
    setEnvironmentData(cutOffRuns, this.#verdicts);
  }

  /** `file:line` of the innermost call that stands in a file of the user. */
  async #placeOf(name: string, version: string, frames: readonly CutOffFrame[]): Promise<string | null> {
    if (frames.length === 0) return null;
    const { catalogue } = this.#options;
    const bundle = catalogue.bundlePath(name, version);
    const places = sourcePlaces(await readFile(bundle, 'utf8'));
    const sources = (await catalogue.about(name, version))?.sources ?? [];
    for (const { url, line, column, name: called } of frames) {
      const place = url.endsWith(bundle) ? places(line, column) : null;
      const source = sources.find((one) => place?.file.endsWith(`/${one}`) === true);
      if (place !== null && source !== undefined)
        return `${source}:${place.line}${called === '' ? '' : `, in ${called}`}`;
    }
    return null;
  }
}

const cancelledSentence = 'cancelled: its code did not heed it, and was cut off';

function sentence(workflow: string, place: string | null, count: number): string {
  const where = place === null ? '' : ` (${place})`;
  return (
    `its code${where} computed without a pause and was cut off, ${count} times: a workflow decides, tasks compute. ` +
    `End the loop, or move the work to a task, and start it again with POST /workflows/${workflow}`
  );
}
