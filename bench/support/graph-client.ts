import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchNode } from './shapes.js';

/** Sends graphs and scripts over REST and follows them. */
export class GraphClient {
  readonly #base: string;
  readonly #headers: Record<string, string>;

  constructor(base: string, token: string) {
    this.#base = base;
    this.#headers = { 'x-api-key': token };
  }

  /** @returns the graph's id */
  async send(graph: { readonly name: string; readonly nodes: readonly BenchNode[] }): Promise<string> {
    const init = { method: 'POST', body: JSON.stringify(graph) };
    const { id } = await this.#call<{ id: string }>('/graphs', init, 'application/json');
    return id;
  }

  state(id: string): Promise<{ readonly state: string; readonly message: string | null }> {
    return this.#call(`/graphs/${id}`, {});
  }

  /** Runs a script as a job on queue `control`; resolves with its result. */
  async runScript(script: string, params: unknown): Promise<unknown> {
    const form = new FormData();
    form.set('process', 'custom');
    form.set('params', JSON.stringify(params));
    form.set('config', JSON.stringify({ queue: 'control', raw: true }));
    form.set('script', new Blob([script]), 'canvas.py');
    const { uuid } = await this.#call<{ uuid: string }>('/jobs', { method: 'POST', body: form });
    for (;;) {
      const job = await this.#call<{ status: string; error: string | null; result: unknown }>(
        `/jobs/${uuid}/details`,
        {},
      );
      if (job.status === 'SUCCESS') return job.result;
      if (job.status === 'FAILURE' || job.status === 'REVOKED') throw new Error(`${job.status}: ${job.error}`);
      await sleep(20);
    }
  }

  async #call<T>(path: string, init: RequestInit, type?: string): Promise<T> {
    const headers = { ...this.#headers, ...(type === undefined ? {} : { 'content-type': type }) };
    const answer = await fetch(this.#base + path, { ...init, headers });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${text.slice(0, 1000)}`);
    return JSON.parse(text) as T;
  }
}
