import { isTerminal, type JobRecord, type JobSpec } from '../contract/job.js';
import { EngineError } from '../errors/engine-error.js';
import type { ApiDeps } from './deps.js';
import type { JobsReader } from './jobs-reader.js';
import { repeatJob } from './submission/repeat-job.js';
import type { Submitter } from './submission/submitter.js';

/** What can be done to a job that is there, for one or many. */
export class JobCalls {
  readonly #deps: ApiDeps;
  readonly #reader: JobsReader;
  readonly #submitter: Submitter;

  constructor(deps: ApiDeps, reader: JobsReader, submitter: Submitter) {
    this.#deps = deps;
    this.#reader = reader;
    this.#submitter = submitter;
  }

  /**
   * Stops it. Cancelling a cancelled job is a success.
   * @returns its record as known now
   * @throws EngineError NOT_FOUND, CONFLICT for one that has ended otherwise
   */
  async cancel(jobId: string): Promise<JobRecord> {
    const record = await this.#reader.required(jobId);
    if (record.status === 'REVOKED') return record;
    if (isTerminal(record.status)) throw alreadyEnded(record);
    const outcome = await this.#deps.engine.cancelJob(jobId, 'cancelled through the API');
    if (outcome === 'cancelling') return record;
    const now = await this.#reader.required(jobId);
    if (now.status === 'REVOKED') return now;
    if (isTerminal(now.status)) throw alreadyEnded(now);
    throw new EngineError('CONFLICT', `job ${jobId} has no run that could be stopped: it can be deleted`);
  }

  /** Runs it again, as a new job. @throws EngineError NOT_FOUND, CONFLICT while it runs, or when its files are gone */
  async retry(jobId: string): Promise<JobSpec> {
    const record = await this.#reader.required(jobId);
    if (!isTerminal(record.status)) {
      throw new EngineError('CONFLICT', `job ${jobId} has not ended (${record.status}): cancel it first, or wait`);
    }
    if (record.cleanedAt !== null) {
      throw new EngineError('CONFLICT', `the files of job ${jobId} were deleted at ${record.cleanedAt}: send it anew`);
    }
    return repeatJob(this.#deps.store, this.#submitter, jobId);
  }
}

function alreadyEnded(record: JobRecord): EngineError {
  return new EngineError('CONFLICT', `job ${record.jobId} has already ended: its status is ${record.status}`);
}
