import { RequestError } from './errors.js';
import { Graphs } from './graphs.js';
import { type CallOptions, Http, jsonBody } from './http.js';
import { Jobs } from './jobs.js';
import type { RetryOptions } from './retry.js';
import { httpTransport, type Transport } from './transport.js';
import type { Queue, QueueList, WorkerList, WorkerState } from './types.js';
import { Workflows } from './workflows.js';

export interface ClientOptions {
  /** Address of the API, such as `http://127.0.0.1:8001`. */
  readonly url: string;
  readonly token?: string | null;
  readonly retry?: RetryOptions;
  /** For tests, or another way to the API. */
  readonly transport?: Transport;
}

export interface Readiness {
  readonly ready: boolean;
  readonly parts: Readonly<Record<'temporal' | 'share' | 'workers', { readonly ok: boolean; readonly detail: string }>>;
}

/** The whole REST API. Holds no connection that would keep a process alive. */
export class PixyzClient {
  readonly url: string;
  readonly jobs: Jobs;
  readonly graphs: Graphs;
  readonly workflows: Workflows;
  readonly #http: Http;

  constructor({ url, token = null, retry = {}, transport }: ClientOptions) {
    this.url = url;
    this.#http = new Http(transport ?? httpTransport(url, token), retry);
    this.jobs = new Jobs(this.#http);
    this.graphs = new Graphs(this.#http);
    this.workflows = new Workflows(this.#http);
  }

  /** Names of the shipped processes. */
  async processes(options?: CallOptions): Promise<readonly string[]> {
    return (await this.#http.get<{ processes: string[] }>('/processes', {}, options)).processes;
  }

  /** What a process does and takes. */
  async processDoc(name: string, options?: CallOptions): Promise<string> {
    return (await this.#http.get<{ doc: string }>(`/processes/${encodeURIComponent(name)}`, {}, options)).doc;
  }

  /** What waits in each queue, and who serves it. */
  queues(options?: CallOptions): Promise<QueueList> {
    return this.#http.get('/queues', {}, options);
  }

  /** Hands out nothing more of a queue until it is resumed; what runs goes on, what comes waits. */
  pauseQueue(queue: string, reason?: string, options?: CallOptions): Promise<Queue> {
    const body = jsonBody(reason === undefined ? {} : { reason });
    return this.#http.post(`/queues/${encodeURIComponent(queue)}/pause`, { body, repeatable: true, ...options });
  }

  resumeQueue(queue: string, options?: CallOptions): Promise<Queue> {
    return this.#http.post(`/queues/${encodeURIComponent(queue)}/resume`, { repeatable: true, ...options });
  }

  /** Lets a worker finish what it runs and end. */
  drainWorker(name: string, options?: CallOptions): Promise<WorkerState> {
    return this.#http.post(`/workers/${encodeURIComponent(name)}/drain`, { repeatable: true, ...options });
  }

  /** The workers that are alive. */
  workers(options?: CallOptions): Promise<WorkerList> {
    return this.#http.get('/workers', {}, options);
  }

  /**
   * Whether jobs can be accepted, and what is missing; answers also when they cannot.
   * @throws RequestError when it is another program that answers
   */
  async ready(options?: CallOptions): Promise<Readiness> {
    const text = await this.#http.textOfAny('/readyz', options);
    try {
      const { ready, parts } = JSON.parse(text) as Partial<Readiness>;
      if (typeof ready === 'boolean' && parts !== undefined) return { ready, parts };
    } catch {
      // told below
    }
    throw new RequestError(`${this.url}: something else than the API answers there`);
  }

  /** Text for Prometheus. */
  metrics(options?: CallOptions): Promise<string> {
    return this.#http.text('/metrics', {}, options);
  }
}
