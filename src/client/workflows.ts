import { randomUUID } from 'node:crypto';
import { bodyOf, type GraphFiles } from './graphs.js';
import { type CallOptions, type Http, jsonBody } from './http.js';
import type { SubmitOptions } from './jobs.js';
import type { NewRun, RunRequest, SignalSent, WorkflowList } from './types.js';

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

  /** To a run that waits for it; kept until it does. */
  signal(run: string, signal: string, args: readonly unknown[] = [], options?: CallOptions): Promise<SignalSent> {
    const path = `/graphs/${encodeURIComponent(run)}/signals/${encodeURIComponent(signal)}`;
    return this.#http.post(path, { ...options, body: jsonBody({ args }), repeatable: false });
  }
}
