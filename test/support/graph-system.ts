import { expect } from 'vitest';
import type { CallInit } from './api-under-test.js';
import { graphBody } from './graph-client.js';
import type { SystemUnderTest } from './system.js';
import { waitFor } from './wait-for.js';

// biome-ignore lint/suspicious/noExplicitAny: answers of many shapes
type Answer = any;

/** Graphs of a running system, as a client sees them. */
export class Graphs {
  readonly #system: SystemUnderTest;

  constructor(system: SystemUnderTest) {
    this.#system = system;
  }

  readonly call = (path: string, init: CallInit = {}): Promise<Response> => {
    const { url, token } = this.#system.api;
    return fetch(`${url}${path}`, { ...init, headers: { 'x-api-key': token, ...init.headers } });
  };

  async get(path: string): Promise<Answer> {
    const answer = await this.call(path);
    if (!answer.ok) throw new Error(`GET ${path} answered ${answer.status}: ${await answer.text()}`);
    return answer.json();
  }

  async post(
    path: string,
    body?: unknown,
    files?: Record<string, string>,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const sent = body === undefined ? { body: null, headers: {} } : graphBody(body, files);
    const answer = await this.call(path, { method: 'POST', body: sent.body, headers: { ...sent.headers, ...headers } });
    if (!answer.ok) throw new Error(`POST ${path} answered ${answer.status}: ${await answer.text()}`);
    return answer.json();
  }

  async create(graph: unknown, files?: Record<string, string>): Promise<string> {
    return (await this.post('/graphs', graph, files)).id;
  }

  /** Waits for a state of the graph. */
  async reached(graphId: string, test: (state: Answer) => boolean, timeoutMs = 60_000): Promise<Answer> {
    return waitFor(
      async () => {
        const state = await this.get(`/graphs/${graphId}`);
        if (test(state)) return state;
        throw new Error(
          `the graph is ${JSON.stringify(state)}: ${JSON.stringify(await this.get(`/graphs/${graphId}/nodes`))}`,
        );
      },
      { timeoutMs, intervalMs: 50 },
    );
  }

  async ended(graphId: string, timeoutMs?: number): Promise<Answer> {
    return this.reached(graphId, ({ time_info }) => time_info.stopped !== null, timeoutMs);
  }

  async run(
    graph: unknown,
    files?: Record<string, string>,
  ): Promise<{ id: string; state: Answer; states: Record<string, string> }> {
    const id = await this.create(graph, files);
    const state = await this.ended(id);
    return { id, state, states: await this.states(id) };
  }

  /** State of every node, by name. */
  async states(graphId: string): Promise<Record<string, string>> {
    const { nodes } = await this.get(`/graphs/${graphId}/nodes?limit=1000`);
    return Object.fromEntries(nodes.map(({ id, state }: Answer) => [id, state]));
  }

  async waitForStates(graphId: string, expected: Record<string, string>): Promise<void> {
    await waitFor(async () => expect(await this.states(graphId)).toMatchObject(expected), {
      timeoutMs: 60_000,
      intervalMs: 50,
    });
  }

  /** What a node returned. */
  async result(graphId: string, node: string): Promise<Answer> {
    const { job } = await this.get(`/graphs/${graphId}/nodes/${encodeURIComponent(node)}`);
    return (await this.get(`/jobs/${job}/details`)).result;
  }
}
