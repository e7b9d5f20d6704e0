import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { Problem } from '../setup/tools.js';

export interface JobDetails {
  readonly uuid: string;
  readonly name: string;
  readonly status: string;
  readonly progress: number | null;
  readonly error: unknown;
  readonly steps: readonly { readonly info: string }[] | null;
  readonly links: { readonly temporal?: string };
}

export interface GraphState {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly message: string | null;
  readonly counts: Readonly<Record<'total' | 'succeeded' | 'running', number>>;
  readonly time_info: { readonly stopped: string | null };
  readonly links: { readonly temporal?: string };
}

export interface JobOrder {
  readonly process: string;
  readonly name: string;
  readonly params: unknown;
}

/** What the demonstration asks of the public API. */
export class DemoClient {
  readonly unwanted: AbortSignal;
  readonly #url: string;
  readonly #headers: Record<string, string>;

  constructor(url: string, token: string, unwanted: AbortSignal) {
    this.#url = url;
    this.#headers = { 'x-api-key': token };
    this.unwanted = unwanted;
  }

  async submit(order: JobOrder, file: string): Promise<string> {
    const form = new FormData();
    form.set('process', order.process);
    form.set('name', order.name);
    form.set('params', JSON.stringify(order.params));
    form.set('file', ...fileOf(file));
    const { uuid } = (await this.#call('/jobs', { method: 'POST', body: form })) as { uuid: string };
    return uuid;
  }

  async submitGraph(graph: unknown, files: Readonly<Record<string, string>>): Promise<string> {
    const form = new FormData();
    form.set('graph', JSON.stringify(graph));
    for (const [name, file] of Object.entries(files)) form.set(name, ...fileOf(file));
    const { id } = (await this.#call('/graphs', { method: 'POST', body: form })) as { id: string };
    return id;
  }

  async details(id: string): Promise<JobDetails> {
    return (await this.#call(`/jobs/${id}/details`)) as JobDetails;
  }

  async outputs(id: string): Promise<readonly string[]> {
    return [...((await this.#call(`/jobs/${id}/outputs`)) as { outputs: string[] }).outputs].sort();
  }

  async graph(id: string): Promise<GraphState> {
    return (await this.#call(`/graphs/${id}`)) as GraphState;
  }

  async nodes(
    id: string,
  ): Promise<readonly { readonly id: string; readonly job: string | null; readonly state: string }[]> {
    return ((await this.#call(`/graphs/${id}/nodes`)) as { nodes: { id: string; job: string | null; state: string }[] })
      .nodes;
  }

  async #call(path: string, init: RequestInit = {}): Promise<unknown> {
    const response = await fetch(`${this.#url}${path}`, { ...init, headers: this.#headers, signal: this.unwanted });
    const text = await response.text();
    if (!response.ok) throw new Problem(`${init.method ?? 'GET'} ${path} answered ${response.status}: ${text}`);
    return JSON.parse(text);
  }
}

function fileOf(path: string): [Blob, string] {
  return [new Blob([readFileSync(path)]), basename(path)];
}
