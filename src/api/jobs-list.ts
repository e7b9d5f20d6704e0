import { isTerminal, type JobRecord, type RecordStatus } from '../contract/job.js';
import type { ListQuery, RunSummary } from '../engine/engine.js';
import { errorCode } from '../store/atomic.js';
import type { ApiDeps, Request } from './deps.js';
import type { JobsReader } from './jobs-reader.js';
import { presentState, unreadableState } from './presenters/job-state.js';
import type { JobListQuery, JobState } from './schemas/jobs.js';

type ListedState = ListQuery['states'][number];

/** Records read at the same time. */
const readers = 32;
/** A filter that hardly anything passes ends a page early rather than walk the whole history in one request. */
const maxPasses = 20;

/**
 * Pages of jobs, newest request first. Which jobs there are, and their order, is what Temporal's visibility says; what
 * each is doing is in its record. Jobs whose files and record have been deleted are left out.
 */
export class JobsList {
  readonly #deps: ApiDeps;
  readonly #reader: JobsReader;

  constructor(deps: ApiDeps, reader: JobsReader) {
    this.#deps = deps;
    this.#reader = reader;
  }

  async page(query: JobListQuery, request: Request): Promise<{ jobs: JobState[]; next: string | null }> {
    const jobs: JobState[] = [];
    let cursor = query.cursor;
    for (let pass = 0; pass < maxPasses; pass++) {
      const page = await this.#deps.engine.list(toEngine(query, query.limit - jobs.length, cursor));
      jobs.push(...(await this.#statesOf(page.runs, query.status, request)));
      if (page.next === null) return { jobs, next: null };
      cursor = page.next;
      if (jobs.length >= query.limit) break;
    }
    return { jobs, next: cursor ?? null };
  }

  async #statesOf(
    runs: readonly RunSummary[],
    wanted: readonly RecordStatus[] | undefined,
    request: Request,
  ): Promise<JobState[]> {
    const ids = runs.flatMap((run) => run.jobIds);
    const states = await mapInBatches(ids, readers, (jobId) => this.#stateOf(jobId, request));
    return states
      .filter((state) => state !== null)
      .filter((state) => wanted === undefined || (wanted as readonly string[]).includes(state.status));
  }

  async #stateOf(jobId: string, request: Request): Promise<JobState | null> {
    let record: JobRecord | null;
    try {
      record = await this.#reader.record(jobId);
    } catch (error) {
      request.log.error({ err: error, code: errorCode(error), jobId }, 'a record cannot be read');
      return unreadableState(jobId);
    }
    return record === null ? null : presentState(record);
  }
}

function toEngine(query: JobListQuery, limit: number, cursor: string | undefined): ListQuery {
  const { queue, name, process, since, until } = query;
  return {
    states: query.status === undefined ? [] : [...new Set(query.status.map(listedState))],
    limit,
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

async function mapInBatches<T, R>(items: readonly T[], size: number, task: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += size) {
    results.push(...(await Promise.all(items.slice(at, at + size).map(task))));
  }
  return results;
}
