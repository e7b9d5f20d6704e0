import { jobIdOf, maxNodes } from '../contract/ids.js';
import { isTerminal, type RecordStatus } from '../contract/job.js';
import { jobFields } from '../contract/log-fields.js';
import type { ListQuery, RunSummary } from '../engine/engine.js';
import { EngineError } from '../errors/engine-error.js';
import { errorCode } from '../store/atomic.js';
import type { NodeState } from '../store/graph-fold.js';
import type { ApiDeps, Request } from './deps.js';
import { type GraphsReader, numbersAfter } from './graphs/graphs-reader.js';
import type { JobsReader } from './jobs-reader.js';
import { presentRow, presentState, unreadableState } from './presenters/job-state.js';
import type { JobListQuery, JobRow, JobState } from './schemas/jobs.js';

type ListedState = ListQuery['states'][number];

/** Records read at the same time. */
const readers = 32;
/** A filter that hardly anything passes ends a page early rather than walk the whole history in one request. */
const maxLooks = 20;
/** The same for a part of a name, which Temporal cannot look for: names come with its list, so they cost little to look at. */
const maxNames = 3000;
/** Runs on a page of the engine while names are looked at. */
const namesPage = 1000;

/** How far a listing has come. */
interface Place {
  /** When its first page was asked for, in milliseconds. */
  readonly began: number;
  /** The page of the engine. */
  readonly cursor: string | null;
  /** Where the run stands on it, and the last of its nodes that was looked at. */
  readonly place: string;
  readonly number: number;
}

interface Candidate extends Place {
  /** null: nothing was found up to here, and it was enough to look at. */
  readonly jobId: string | null;
  readonly isGraph: boolean;
}

interface Row {
  readonly at: Candidate;
  readonly state: JobRow | JobState | null;
}

/**
 * Pages of jobs: of open runs, newest first, then of ended ones, last ended first. Which runs there are, and their order, is
 * what Temporal's visibility says; which jobs a graph has, and what each is doing, is on the share. Jobs whose files and
 * record have been deleted are left out.
 */
export class JobsList {
  readonly #deps: ApiDeps;
  readonly #reader: JobsReader;
  readonly #graphs: GraphsReader;

  constructor(deps: ApiDeps, reader: JobsReader, graphs: GraphsReader) {
    this.#deps = deps;
    this.#reader = reader;
    this.#graphs = graphs;
  }

  async page(query: JobListQuery, request: Request): Promise<{ jobs: (JobState | JobRow)[]; next: string | null }> {
    const jobs: (JobState | JobRow)[] = [];
    const listed = new Set<string>();
    const candidates = this.#candidates(query);
    let looks = 0;
    for (;;) {
      const batch = await take(candidates, readers);
      const rows = await Promise.all(batch.map((candidate) => this.#rowOf(candidate, query, request)));
      for (const [number, { at, state }] of rows.entries()) {
        if (at.jobId === null) return { jobs, next: encode(at) };
        if (state === null || (query.status !== undefined && !(query.status as string[]).includes(state.status)))
          continue;
        // One that ends, or changes its form, while its page is made is met in two places.
        if (listed.has(state.uuid)) continue;
        listed.add(state.uuid);
        jobs.push(state);
        if (jobs.length < query.limit) continue;
        const isLast = number === batch.length - 1 && (await candidates.next()).done === true;
        return { jobs, next: isLast ? null : encode(at) };
      }
      if (batch.length < readers) return { jobs, next: null };
      looks += batch.length;
      if (looks >= query.limit * maxLooks) return { jobs, next: encode(batch.at(-1) as Candidate) };
    }
  }

  /** Every job from the cursor on. */
  async *#candidates(query: JobListQuery): AsyncGenerator<Candidate, undefined> {
    const start = query.cursor === undefined ? null : decode(query.cursor);
    const wanted = query.name_contains?.toLowerCase();
    const began = start?.began ?? Date.now();
    let cursor = start?.cursor ?? null;
    let names = 0;
    for (;;) {
      const page = await this.#deps.engine.list(toEngine(query, cursor ?? undefined, new Date(began)));
      for (const run of page.runs) {
        const { place, isGraph } = run;
        // Runs that came since push the others on; they are no part of this listing.
        if (start !== null && place < start.place) continue;
        const after = place === start?.place ? start.number : 0;
        if (wanted !== undefined && run.name?.toLowerCase().includes(wanted) !== true) {
          names += 1;
          if (names < maxNames) continue;
          yield { began, cursor, place, number: maxNodes, jobId: null, isGraph };
          return undefined;
        }
        for await (const { jobId, number } of this.#jobsOf(run, after, query.status)) {
          yield { began, cursor, place, number, jobId, isGraph };
        }
      }
      if (page.next === null) return undefined;
      cursor = page.next;
    }
  }

  async *#jobsOf(
    run: RunSummary,
    after: number,
    wanted: readonly RecordStatus[] | undefined,
  ): AsyncGenerator<{ jobId: string; number: number }> {
    for (const [at, jobId] of run.jobIds.entries()) if (at + 1 > after) yield { jobId, number: at + 1 };
    const view = run.isGraph ? await this.#graphs.viewIfThere(run.graphId) : null;
    if (view === null) return;
    const numbers: number[] = [];
    for (const number of numbersAfter(view, after)) {
      // What the journal says of the end is enough to pass by most of a large graph.
      if (wanted === undefined || wanted.some((status) => statesOf[status].includes(view.fold.node(number).state))) {
        numbers.push(number);
      }
    }
    for (let at = 0; at < numbers.length; at += readers) {
      for (const number of await this.#graphs.withJobs(view, numbers.slice(at, at + readers))) {
        yield { jobId: jobIdOf(run.graphId, number), number };
      }
    }
  }

  async #rowOf(at: Candidate, { view, status }: JobListQuery, request: Request): Promise<Row> {
    const { jobId } = at;
    if (jobId === null) return { at, state: null };
    try {
      const record = await this.#reader.record(jobId);
      if (record === null) return { at, state: null };
      const isWanted = status === undefined || status.includes(record.status);
      if (view !== 'table' || !isWanted) return { at, state: presentState(record) };
      return { at, state: presentRow(record, at.isGraph, await this.#reader.links(record)) };
    } catch (error) {
      request.log.error({ err: error, code: errorCode(error), ...jobFields(jobId) }, 'a record cannot be read');
      return { at, state: unreadableState(jobId) };
    }
  }
}

/** What the journal may say of a job whose record says this; a record is ahead of it. */
const open: readonly NodeState[] = ['waiting', 'queued'];
const statesOf: Readonly<Record<RecordStatus, readonly NodeState[]>> = {
  PENDING: [...open, 'skipped'],
  RUNNING: open,
  RETRY: open,
  SUCCESS: [...open, 'succeeded'],
  FAILURE: [...open, 'failed', 'skipped'],
  REVOKED: [...open, 'revoked', 'skipped'],
};

function toEngine(query: JobListQuery, cursor: string | undefined, began: Date): ListQuery {
  const { queue, name, process, since, until } = query;
  return {
    states: query.status === undefined ? [] : [...new Set(query.status.map(listedState))],
    limit: query.name_contains === undefined ? query.limit : namesPage,
    began,
    ...(query.in_graphs === undefined ? {} : { graphs: query.in_graphs === 'true' }),
    ...(cursor === undefined ? {} : { cursor }),
    ...(queue === undefined ? {} : { queue }),
    ...(name === undefined ? {} : { name }),
    ...(process === undefined ? {} : { process }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  };
}

/** Temporal knows four states; which of the open ones a job is in, its record tells. */
function listedState(status: RecordStatus): ListedState {
  return isTerminal(status) ? (status as ListedState) : 'OPEN';
}

async function take<T>(from: AsyncGenerator<T, undefined>, count: number): Promise<T[]> {
  const taken: T[] = [];
  while (taken.length < count) {
    const { value, done } = await from.next();
    if (done === true) break;
    taken.push(value as T);
  }
  return taken;
}

function encode({ began, cursor, place, number }: Place): string {
  return Buffer.from(JSON.stringify([cursor, place, number, began])).toString('base64url');
}

/** @throws EngineError BAD_REQUEST when it is not a cursor of ours */
function decode(text: string): Place {
  try {
    const [cursor, place, number, began] = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as unknown[];
    if (cursor !== null && typeof cursor !== 'string') throw new TypeError('page');
    if (typeof place !== 'string' || typeof number !== 'number') throw new TypeError('run');
    if (typeof began !== 'number') throw new TypeError('time');
    return { began, cursor, place, number };
  } catch (error) {
    throw new EngineError('BAD_REQUEST', 'cursor: must be the text of "next" of the page before', {}, { cause: error });
  }
}
