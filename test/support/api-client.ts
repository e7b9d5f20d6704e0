import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { waitFor } from './wait-for.js';

/** JobDetails as a client sees it. */
export interface Details {
  readonly uuid: string;
  readonly name: string | null;
  readonly status: string;
  readonly progress: number | null;
  readonly error: string | null;
  readonly time_info: {
    readonly request: string | null;
    readonly started: string | null;
    readonly stopped: string | null;
  };
  readonly steps: { readonly duration: number; readonly info: string }[] | null;
  readonly retry: number;
  // biome-ignore lint/suspicious/noExplicitAny: a result is whatever the script returned
  readonly result: any;
  readonly queue?: string;
  readonly attempts?: {
    readonly attempt: number;
    readonly queue: string;
    readonly outcome: string | null;
    readonly worker: string;
    readonly pid: number | null;
  }[];
  readonly waiting?: string;
}

export interface JobRequest {
  readonly process?: string;
  /** Source text, or a path to send. */
  readonly script?: string;
  readonly file?: string | { readonly name: string; readonly content: Uint8Array | string };
  readonly params?: unknown;
  readonly name?: string;
  readonly config?: unknown;
}

/** A small HTTP client for tests, with the body that the real client sends. */
export class Api {
  readonly url: string;
  readonly token: string;

  constructor(url: string, token: string) {
    this.url = url;
    this.token = token;
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.url}${path}`, { headers: { 'x-api-key': this.token, ...headers } });
  }

  send(method: string, path: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.url}${path}`, { method, headers: { 'x-api-key': this.token, ...headers } });
  }

  post(request: JobRequest, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.url}/jobs`, {
      method: 'POST',
      headers: { 'x-api-key': this.token, ...headers },
      body: formOf(request),
    });
  }

  /** Submits a job and returns its id. */
  async submit(request: JobRequest): Promise<string> {
    const answer = await this.post(request);
    const body = (await answer.json()) as { uuid?: string };
    if (answer.status !== 200 || body.uuid === undefined)
      throw new Error(`POST /jobs answered ${answer.status}: ${JSON.stringify(body)}`);
    return body.uuid;
  }

  async details(jobId: string): Promise<Details> {
    const answer = await this.get(`/jobs/${jobId}/details`);
    if (answer.status !== 200) throw new Error(`details answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as Details;
  }

  /** Waits for the end of a job. */
  async ended(jobId: string, timeoutMs = 60_000): Promise<Details> {
    return waitFor(
      async () => {
        const details = await this.details(jobId);
        if (['SUCCESS', 'FAILURE', 'REVOKED'].includes(details.status)) return details;
        throw new Error(`the job is ${details.status}: ${JSON.stringify(details)}`);
      },
      { timeoutMs, intervalMs: 20 },
    );
  }

  async reached(jobId: string, status: string, timeoutMs = 30_000): Promise<Details> {
    return waitFor(
      async () => {
        const details = await this.details(jobId);
        if (details.status === status) return details;
        throw new Error(`the job is ${details.status}, not ${status}: ${JSON.stringify(details)}`);
      },
      { timeoutMs, intervalMs: 20 },
    );
  }

  async run(request: JobRequest, timeoutMs?: number): Promise<Details> {
    return this.ended(await this.submit(request), timeoutMs);
  }
}

function formOf(request: JobRequest): FormData {
  const form = new FormData();
  form.set('process', request.process ?? (request.script === undefined ? '' : 'custom'));
  form.set('params', request.params === undefined ? '{}' : JSON.stringify(request.params));
  form.set('config', request.config === undefined ? '{}' : JSON.stringify(request.config));
  form.set('name', request.name ?? '');
  if (request.file === undefined) form.set('file', '');
  else if (typeof request.file === 'string')
    form.set('file', new Blob([readFileSync(request.file)]), basename(request.file));
  else form.set('file', new Blob([request.file.content as never]), request.file.name);
  if (request.script === undefined) form.set('script', '');
  else form.set('script', new Blob([request.script]), 'script.py');
  return form;
}
