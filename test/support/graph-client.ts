import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JournalEntry } from '../../src/contract/journal.js';
import type { ApiUnderTest } from './api-under-test.js';

/** A graph as JSON, or as a form with files beside it: contents by the name of the part. */
export function graphBody(
  graph: unknown,
  files?: Record<string, string>,
): { body: FormData | string; headers: Record<string, string> } {
  if (files === undefined) {
    const body = typeof graph === 'string' ? graph : JSON.stringify(graph);
    return { body, headers: { 'content-type': 'application/json' } };
  }
  const form = new FormData();
  form.set('graph', new Blob([JSON.stringify(graph)], { type: 'application/json' }), 'graph.json');
  for (const [name, content] of Object.entries(files)) form.set(name, new Blob([content]), `${name}.py`);
  return { body: form, headers: {} };
}

export async function send(
  api: Pick<ApiUnderTest, 'call'>,
  path: string,
  graph: unknown,
  files?: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Response> {
  const { body, headers: own } = graphBody(graph, files);
  return api.call(path, { method: 'POST', body, headers: { ...own, ...headers } });
}

/** Makes a graph that is accepted, and returns its id. */
export async function createGraph(
  api: Pick<ApiUnderTest, 'call'>,
  graph: unknown,
  files?: Record<string, string>,
): Promise<string> {
  const answer = await send(api, '/graphs', graph, files);
  if (answer.status !== 200) throw new Error(`POST /graphs answered ${answer.status}: ${await answer.text()}`);
  return ((await answer.json()) as { id: string }).id;
}

/** Plays the interpreter: writes what it would have decided. */
export function journal(
  api: ApiUnderTest,
  graphId: string,
  ...entries: (Omit<JournalEntry, 'at'> & { at?: string })[]
): void {
  const lines = entries.map((entry) => `${JSON.stringify({ at: '2026-11-21T11:49:07.102Z', ...entry })}\n`);
  appendFileSync(join(api.store.root, graphId, 'events.jsonl'), lines.join(''));
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
export async function json(answer: Promise<Response> | Response): Promise<any> {
  return (await answer).json();
}
