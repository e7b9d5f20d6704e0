import { randomUUID } from 'node:crypto';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Downloaded, type DownloadOptions, download, downloadTo } from './download.js';
import { ApiError, RequestError } from './errors.js';
import { type FollowOptions, follow } from './event-stream.js';
import { type CallOptions, type Http, queryText } from './http.js';
import { type Field, multipartBody, type OnProgress } from './multipart.js';
import type {
  AskedJob,
  DeletedJob,
  JobDetails,
  JobList,
  JobQuery,
  JobRequest,
  JobState,
  LogList,
  OutputList,
  RetriedJob,
} from './types.js';

export interface SubmitOptions extends CallOptions {
  readonly onProgress?: OnProgress | undefined;
  /** The same key with the same request is the same job, however often it is sent. Default: one for this call. */
  readonly idempotencyKey?: string;
}

export interface LogPiece {
  readonly attempt: number;
  readonly text: string;
}

const endStates = new Set<string>(['SUCCESS', 'FAILURE', 'REVOKED']);

export function hasEnded(status: string): boolean {
  return endStates.has(status);
}

/** The calls below `/jobs`. */
export class Jobs {
  readonly #http: Http;

  constructor(http: Http) {
    this.#http = http;
  }

  /** Sends a job. */
  async submit(request: JobRequest, options: SubmitOptions = {}): Promise<JobState> {
    const text = (name: string, value: string | undefined): Field[] => (value === undefined ? [] : [{ name, value }]);
    const json = (name: string, value: unknown) => text(name, value === undefined ? undefined : JSON.stringify(value));
    const fields: Field[] = [
      ...text('process', request.process),
      ...json('params', request.params),
      ...json('config', request.config),
      ...text('name', request.name),
      ...(request.file === undefined ? [] : [{ name: 'file', value: { upload: request.file } }]),
      ...(request.script === undefined ? [] : [{ name: 'script', value: { upload: request.script } }]),
    ];
    return this.#http.post<JobState>('/jobs', {
      body: await multipartBody(fields, options.onProgress),
      headers: { 'idempotency-key': options.idempotencyKey ?? randomUUID() },
      signal: options.signal,
      repeatable: true,
    });
  }

  /** A page of jobs: open ones first. */
  list(query: JobQuery = {}, options?: CallOptions): Promise<JobList> {
    const { since, until, ...rest } = query;
    return this.#http.get('/jobs', { ...rest, since: moment(since), until: moment(until) }, options);
  }

  /** Short state; an unknown id is `PENDING`. */
  state(id: string, options?: CallOptions): Promise<JobState> {
    return this.#http.get(pathOf(id), {}, options);
  }

  /** Full state. */
  details(id: string, options?: CallOptions): Promise<JobDetails> {
    return this.#http.get(`${pathOf(id)}/details`, {}, options);
  }

  /** Process or script, parameters and settings. */
  request(id: string, options?: CallOptions): Promise<AskedJob> {
    return this.#http.get(`${pathOf(id)}/request`, {}, options);
  }

  /** Stops it. */
  cancel(id: string, options?: CallOptions): Promise<JobState> {
    return this.#http.post(`${pathOf(id)}/cancel`, { ...options, repeatable: true });
  }

  /** The same again, as a new job. */
  retry(id: string, options?: CallOptions): Promise<RetriedJob> {
    return this.#http.post(`${pathOf(id)}/retry`, { ...options, repeatable: false });
  }

  /** Removes a job that has ended, with all its files. */
  delete(id: string, options?: CallOptions): Promise<DeletedJob> {
    return this.#http.delete(pathOf(id), options);
  }

  /** @param options recursive: every file below, with size and time */
  outputs(id: string, { recursive, ...options }: CallOptions & { recursive?: boolean } = {}): Promise<OutputList> {
    return this.#http.get(`${pathOf(id)}/outputs`, { recursive }, options);
  }

  /** One output to a file; goes on where an earlier download was broken off. */
  async download(id: string, output: string, target: string, options?: DownloadOptions): Promise<Downloaded> {
    return download(this.#http, outputPath(id, output), target, options);
  }

  async downloadTo(id: string, output: string, sink: Writable, options?: DownloadOptions): Promise<void> {
    return downloadTo(this.#http, outputPath(id, output), sink, options);
  }

  /**
   * All outputs as a zip. Waits until it is made, which it is once the job has ended.
   * @throws ApiError 425 when it is not there after `waitMs`
   */
  archive(id: string, target: string, options: ArchiveOptions = {}): Promise<Downloaded> {
    return whenMade(options, () => download(this.#http, `${pathOf(id)}/outputs/archive`, target, options));
  }

  archiveTo(id: string, sink: Writable, options: ArchiveOptions = {}): Promise<void> {
    return whenMade(options, () => downloadTo(this.#http, `${pathOf(id)}/outputs/archive`, sink, options));
  }

  /** The attempts, with the sizes of their logs. */
  logs(id: string, options?: CallOptions): Promise<LogList> {
    return this.#http.get(`${pathOf(id)}/logs`, {}, options);
  }

  /** What an attempt printed, the last one unless another is asked for. */
  log(id: string, { attempt = 'last', tail }: LogChoice = {}, options?: CallOptions): Promise<string> {
    return this.#http.text(`${pathOf(id)}/logs`, { attempt, tail }, options);
  }

  /** What is printed, while it is; goes on with the next attempt, and ends with the job. */
  async *followLog(id: string, { attempt, tail }: LogChoice = {}, options?: FollowOptions): AsyncGenerator<LogPiece> {
    const path = `${pathOf(id)}/logs${queryText({ attempt, tail, follow: true })}`;
    for await (const { event, data } of follow(this.#http, path, ({ event: name }) => name === 'end', options)) {
      if (event === 'log') yield data as LogPiece;
    }
  }

  /** The details now, and at each change, until the job has ended. Ends early when the job is deleted. */
  async *watch(id: string, options?: FollowOptions): AsyncGenerator<JobDetails> {
    const isLast = ({ event, data }: { event: string; data: unknown }) =>
      event === 'deleted' || (event === 'state' && hasEnded((data as JobDetails).status));
    for await (const { event, data } of follow(this.#http, `${pathOf(id)}/events`, isLast, options)) {
      if (event === 'state') yield data as JobDetails;
    }
  }

  /** Waits for the end of a job. @throws Error when it is deleted meanwhile */
  async ended(id: string, options?: FollowOptions): Promise<JobDetails> {
    let last: JobDetails | null = null;
    for await (const details of this.watch(id, options)) last = details;
    if (last === null || !hasEnded(last.status)) throw new Error(`job ${id} was deleted before it had ended`);
    return last;
  }
}

export interface LogChoice {
  readonly attempt?: number | 'last' | undefined;
  /** Only so many lines from the end. */
  readonly tail?: number | undefined;
}

export interface ArchiveOptions extends DownloadOptions {
  /** Until it is made. Default 600,000. */
  readonly waitMs?: number;
  readonly onWait?: () => void;
}

async function whenMade<T>(options: ArchiveOptions, work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + (options.waitMs ?? 600_000);
  for (let pause = 100; ; pause = Math.min(1000, pause * 2)) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 425 || Date.now() + pause > deadline) throw error;
      options.onWait?.();
      await sleep(pause, undefined, options.signal === undefined ? {} : { signal: options.signal });
    }
  }
}

const pathOf = (id: string) => `/jobs/${encodeURIComponent(id)}`;

function outputPath(id: string, output: string): string {
  const names = output.split('/');
  // Whatever sends it would take them out of the address, and ask for something else.
  if (names.some((name) => name === '' || name === '.' || name === '..'))
    throw new RequestError(`"${output}" is not the path of an output file`);
  return `${pathOf(id)}/outputs/${names.map(encodeURIComponent).join('/')}`;
}

function moment(time: Date | string | undefined): string | undefined {
  return time instanceof Date ? time.toISOString() : time;
}
