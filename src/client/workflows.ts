import { randomUUID } from 'node:crypto';
import { bodyOf, type GraphFiles } from './graphs.js';
import { type CallOptions, type Http, jsonBody } from './http.js';
import type { SubmitOptions } from './jobs.js';
import type {
  DeletedSchedule,
  NewRun,
  RunRequest,
  Schedule,
  ScheduleList,
  ScheduleRequest,
  SignalSent,
  WorkflowFile,
  WorkflowList,
} from './types.js';

/** The calls below `/workflows`: programs that decide what runs. */
export class Workflows {
  readonly #http: Http;

  constructor(http: Http) {
    this.#http = http;
  }

  /** The workflow files of the server, with their problems. */
  list(options?: CallOptions): Promise<WorkflowList> {
    return this.#http.get('/workflows', {}, options);
  }

  /** One workflow file. */
  get(workflow: string, options?: CallOptions): Promise<WorkflowFile> {
    return this.#http.get(pathOf(workflow), {}, options);
  }

  /** Starts a run: a graph, for all calls of graphs. */
  async run(
    workflow: string,
    request: RunRequest = {},
    files: GraphFiles = {},
    { onProgress, idempotencyKey, signal }: SubmitOptions = {},
  ): Promise<NewRun> {
    return this.#http.post(pathOf(workflow), {
      body: await bodyOf('run', { ...request }, files, onProgress),
      headers: { 'idempotency-key': idempotencyKey ?? randomUUID() },
      signal,
      repeatable: true,
    });
  }

  /** To a run that waits for it; kept until it does. */
  signal(run: string, signal: string, args: readonly unknown[] = [], options?: CallOptions): Promise<SignalSent> {
    const path = `/graphs/${encodeURIComponent(run)}/signals/${encodeURIComponent(signal)}`;
    return this.#http.post(path, { ...options, body: jsonBody({ args }), repeatable: false });
  }

  /** Runs of a workflow by the clock, with when they start next and which were the last. */
  schedules(workflow: string, options?: CallOptions): Promise<ScheduleList> {
    return this.#http.get(`${pathOf(workflow)}/schedules`, {}, options);
  }

  /** Starts runs by the clock: `cron`, or `every` so many seconds. */
  schedule(workflow: string, request: ScheduleRequest, options?: CallOptions): Promise<Schedule> {
    return this.#http.post(`${pathOf(workflow)}/schedules`, {
      ...options,
      body: jsonBody({ ...request }),
      repeatable: false,
    });
  }

  /** Ends a schedule; runs that it has started go on. */
  unschedule(workflow: string, schedule: string, options?: CallOptions): Promise<DeletedSchedule> {
    return this.#http.delete(`${pathOf(workflow)}/schedules/${encodeURIComponent(schedule)}`, options);
  }
}

const pathOf = (workflow: string) => `/workflows/${encodeURIComponent(workflow)}`;
