import { randomUUID } from 'node:crypto';
import { bodyOf, type GraphFiles } from './graphs.js';
import type { CallOptions, Http } from './http.js';
import type { SubmitOptions } from './jobs.js';
import type { NewRun, RunRequest, WorkflowList } from './types.js';

/** The calls below `/workflows`: programs that decide what runs. */
export class Workflows {
  readonly #http: Http;

  constructor(http: Http) {
    this.#http = http;
  }

  list(options?: CallOptions): Promise<WorkflowList> {
    return this.#http.get('/workflows', {}, options);
  }

  async run(
    workflow: string,
    request: RunRequest = {},
    files: GraphFiles = {},
    { onProgress, idempotencyKey, signal }: SubmitOptions = {},
  ): Promise<NewRun> {
    return this.#http.post(`/workflows/${encodeURIComponent(workflow)}`, {
      body: await bodyOf('run', { ...request }, files, onProgress),
      headers: { 'idempotency-key': idempotencyKey ?? randomUUID() },
      signal,
      repeatable: true,
    });
  }
}
