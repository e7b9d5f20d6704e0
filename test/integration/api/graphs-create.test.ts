import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { NodeSpec } from '../../../src/contract/graph-document.js';
import { GraphStore } from '../../../src/store/graph-store.js';
import { type ApiUnderTest, startApi, writeOutput } from '../../support/api-under-test.js';
import { createGraph, journal, json, send } from '../../support/graph-client.js';

const script = 'def main(params, pc):\n    return 1\n\ndef other(params, pc):\n    return 2\n';
const chain = {
  name: 'two steps',
  labels: { show: 'alpha' },
  nodes: [
    { id: 'a', script: 'steps', params: { n: 1 } },
    { id: 'b', script: 'steps', entrypoint: 'other', params: { from: '${{ nodes.a.result }}' } },
  ],
};

async function specs(api: ApiUnderTest, graphId: string): Promise<NodeSpec[]> {
  const store = new GraphStore(api.store.root);
  return store.nodes(graphId, 1, await store.count(graphId));
}

describe('POST /graphs', () => {
  it('stores the graph with its files and starts it', async () => {
    const api = await startApi();
    const answer = await send(api, '/graphs', chain, { steps: script });
    expect(answer.status).toBe(200);
    const body = await json(answer);
    expect(body).toEqual({
      id: expect.any(String),
      name: 'two steps',
      mode: 'closed',
      nodes: 2,
      retry_of: null,
      links: {},
    });
    const nodes = await specs(api, body.id);
    expect(nodes.map(({ id, index, deps }) => [id, index, deps])).toEqual([
      ['a', 1, []],
      ['b', 2, [1]],
    ]);
    expect(nodes[0]?.script).toEqual({ share: `${body.id}/inputs/steps/steps.py` });
    expect(await readFile(join(api.store.root, `${body.id}/inputs/steps/steps.py`), 'utf8')).toBe(script);
    const run = api.engine.graphs.get(body.id);
    expect(run?.input).toMatchObject({ graphId: body.id, journal: true, onFailure: 'finish' });
    expect(run?.labels).toEqual({ name: 'two steps', queue: 'cpu', process: 'graph', front: 'rest' });
  });

  it('takes plain JSON, too, and keeps numbers as they were written', async () => {
    const api = await startApi();
    await writeOutput({ paths: () => ({ outputs: api.processes }) } as never, '', 'sleep.py', script);
    const id = await createGraph(
      api,
      '{"nodes": [{"id": "a", "process": "sleep", "params": {"big": 12345678901234567890}}]}',
    );
    expect((await specs(api, id))[0]?.params).toEqual({ kind: 'text', text: '{"big": 12345678901234567890}' });
  });

  it('keeps numbers in a part of a form that calls itself JSON', async () => {
    const api = await startApi();
    const form = new FormData();
    form.set('graph', new Blob(['{"nodes":[{"id":"a","script":"s","params":1.0}]}'], { type: 'application/json' }));
    form.set('s', new Blob([script]), 's.py');
    const { id } = await json(api.call('/graphs', { method: 'POST', body: form }));
    expect((await specs(api, id))[0]?.params).toEqual({ kind: 'text', text: '1.0' });
  });

  it('refuses a bad graph as a whole, tells every problem, and keeps nothing', async () => {
    const api = await startApi();
    const answer = await send(
      api,
      '/graphs',
      {
        nodes: [
          { id: 'a', script: 'steps', entrypoint: 'nope' },
          { id: 'a', process: 'nothing', deps: ['x'] },
          { id: 'b', script: 'gone', params: ['${{ nodes.a }}'], when: 'true &&' },
          { id: 'c', script: 'steps', deps: ['d'] },
          { id: 'd', script: 'steps', deps: ['c'], queue: 'a b' },
        ],
      },
      { steps: script },
    );
    expect(answer.status).toBe(400);
    const body = await json(answer);
    expect(body).toMatchObject({ code: 'INVALID_GRAPH', retryable: false });
    const told = body.problems.map(({ code, path }: { code: string; path: string }) => `${code} ${path}`);
    expect(new Set(told)).toEqual(
      new Set([
        'bad-script nodes[0].entrypoint',
        'duplicate-id nodes[1].id',
        'unknown-process nodes[1].process',
        'unknown-node nodes[1].deps[0]',
        'unknown-file nodes[2].script',
        'bad-template nodes[2].params[0]',
        'bad-template nodes[2].when',
        'cycle nodes[3].deps',
        'malformed nodes[4].queue',
      ]),
    );
    expect(body.problem_count).toBe(told.length);
    expect(await api.leftovers()).toEqual([]);
    expect(api.engine.starts).toBe(0);
  });

  it.each([
    ['JSON that is none', '{', 'BAD_REQUEST', 'not JSON'],
    ['a list', '[]', 'BAD_REQUEST', 'must be a JSON object'],
    ['nothing', '', 'BAD_REQUEST', 'not JSON'],
    ['no nodes', '{}', 'INVALID_GRAPH', 'needs nodes'],
  ])('refuses %s', async (_, text, code, said) => {
    const api = await startApi();
    const answer = await send(api, '/graphs', text);
    expect(answer.status).toBe(400);
    expect(await json(answer)).toMatchObject({ code, message: expect.stringContaining(said), retryable: false });
    expect(await api.leftovers()).toEqual([]);
  });

  it('refuses a form without a graph, a body that is no graph, and a file that is none', async () => {
    const api = await startApi();
    const form = new FormData();
    form.set('steps', new Blob([script]), 's.py');
    expect(await json(api.call('/graphs', { method: 'POST', body: form }))).toMatchObject({
      code: 'BAD_REQUEST',
      message: expect.stringContaining('"graph"'),
    });
    const text = await api.call('/graphs', { method: 'POST', body: 'x', headers: { 'content-type': 'text/plain' } });
    expect(text.status).toBe(400);
    expect(await json(text)).toMatchObject({ message: expect.stringContaining('application/json') });
    const bad = new FormData();
    bad.set('graph', JSON.stringify(chain));
    bad.set('steps', 'no file');
    bad.set('../steps', new Blob([script]), 's.py');
    const refused = await json(api.call('/graphs', { method: 'POST', body: bad }));
    expect(refused.problems.map(({ path }: { path: string }) => path)).toEqual(
      expect.arrayContaining(['files.steps', 'files["../steps"]']),
    );
    expect(await api.leftovers()).toEqual([]);
  });

  it('looks at each function once, however many nodes call it', async () => {
    const seen: string[] = [];
    const api = await startApi({
      inspector: {
        inspect: async (_path, entrypoint) => {
          seen.push(entrypoint);
          return { ok: true, settings: { queue: 'gpu' }, doc: null };
        },
      },
    });
    const nodes = Array.from({ length: 500 }, (_, at) => ({
      id: `n${at}`,
      entrypoint: at % 2 === 0 ? 'main' : 'other',
    }));
    const id = await createGraph(api, { defaults: { script: 'steps' }, nodes }, { steps: script });
    expect(seen.sort()).toEqual(['main', 'other']);
    expect(new Set((await specs(api, id)).map(({ queue }) => queue))).toEqual(new Set(['gpu']));
  });

  it('takes the graph back when Temporal cannot be reached, and says when to come again', async () => {
    const api = await startApi();
    api.engine.down = true;
    const answer = await send(api, '/graphs', chain, { steps: script });
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(await json(answer)).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    expect(await api.leftovers()).toEqual([]);
  });

  it('needs the token, and says so in its own shape', async () => {
    const api = await startApi();
    const answer = await send(api, '/graphs', chain, { steps: script }, { 'x-api-key': 'wrong' });
    expect(answer.status).toBe(401);
    expect(await json(answer)).toEqual({ code: 'UNAUTHORIZED', message: 'Invalid token', retryable: false });
    expect((await api.call('/graphs/validate')).status).toBe(400);
    const other = await api.call('/graphs/nowhere/at/all');
    expect(other.status).toBe(404);
    expect(await json(other)).toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('the same Idempotency-Key', () => {
  const key = { 'idempotency-key': 'order 1' };

  it('gets the same graph for the same request, also when they come together', async () => {
    const api = await startApi();
    const bodies = await Promise.all(
      Array.from({ length: 4 }, () => json(send(api, '/graphs', chain, { steps: script }, key))),
    );
    for (const body of bodies) expect(body).toEqual(bodies[0]);
    expect(api.engine.graphs.size).toBe(1);
    expect(await api.leftovers()).toHaveLength(1);
  });

  it('gets the graph whose start arrived although nobody heard of it', async () => {
    const api = await startApi();
    api.engine.losesAnswers = true;
    expect((await send(api, '/graphs', chain, { steps: script }, key)).status).toBe(503);
    api.engine.losesAnswers = false;
    const { id } = await json(send(api, '/graphs', chain, { steps: script }, key));
    expect([...api.engine.graphs.keys()]).toEqual([id]);
    expect((await api.call(`/graphs/${id}`)).status).toBe(200);
  });

  it('is refused for another graph, or other files', async () => {
    const api = await startApi();
    await send(api, '/graphs', chain, { steps: script }, key);
    for (const other of [
      send(api, '/graphs', { ...chain, name: 'x' }, { steps: script }, key),
      send(api, '/graphs', chain, { steps: `${script}#` }, key),
    ]) {
      const answer = await other;
      expect(answer.status).toBe(409);
      expect(await json(answer)).toMatchObject({ code: 'CONFLICT' });
    }
    expect(api.engine.graphs.size).toBe(1);
  });

  it('is not that of a job', async () => {
    const api = await startApi();
    const form = new FormData();
    form.set('script', new Blob([script]), 's.py');
    expect((await api.post(form, key)).status).toBe(200);
    expect((await send(api, '/graphs', chain, { steps: script }, key)).status).toBe(200);
  });

  it('starts the graph when the API died between commit and start', async () => {
    const api = await startApi();
    const { id } = await json(send(api, '/graphs', chain, { steps: script }, key));
    api.engine.graphs.clear();
    expect((await send(api, '/graphs', chain, { steps: script }, key)).status).toBe(200);
    expect(api.engine.graphs.has(id)).toBe(true);
  });
});

describe('POST /graphs/validate', () => {
  it('tells the plan and keeps nothing', async () => {
    const api = await startApi();
    api.engine.stats.set('gpu', { pollers: 0 });
    const answer = await send(
      api,
      '/graphs/validate',
      {
        nodes: [
          { id: 'z', barrier: true, deps: ['b', 'c'] },
          { id: 'b', script: 'steps', deps: ['a'], queue: 'gpu' },
          { id: 'c', command: ['true'] },
          { id: 'a', script: 'steps' },
        ],
      },
      { steps: script },
    );
    expect(await json(answer)).toEqual({
      valid: true,
      problems: [],
      problem_count: 0,
      plan: {
        nodes: 4,
        dependencies: 3,
        levels: 3,
        widest: 2,
        critical_path: ['a', 'b', 'z'],
        order: ['c', 'a', 'b', 'z'],
        waits_for: { b: ['a'], z: ['b', 'c'] },
        queues: [
          { queue: 'gpu', nodes: 1, served: false },
          { queue: 'cpu', nodes: 2, served: true },
        ],
      },
    });
    expect(await api.leftovers()).toEqual([]);
    expect(api.engine.starts).toBe(0);
  });

  it('lets other requests have their turn while it checks a large graph', async () => {
    const api = await startApi();
    const nodes = Array.from({ length: 20_000 }, (_, at) => ({
      id: `n${at}`,
      command: ['echo', `${at}`],
      tags: { a: 'b' },
    }));
    const body = JSON.stringify({ nodes });
    let last = performance.now();
    let longest = 0;
    let done = false;
    const watch = (): void => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
      if (!done) setImmediate(watch);
    };
    const begin = performance.now();
    setImmediate(watch);
    expect(await json(send(api, '/graphs/validate', body))).toMatchObject({ valid: true });
    done = true;
    expect(longest).toBeLessThan((performance.now() - begin) / 3);
  });

  it('tells the problems with status 200', async () => {
    const api = await startApi();
    const answer = await send(api, '/graphs/validate', { nodes: [{ id: 'a', deps: ['b'] }] });
    expect(answer.status).toBe(200);
    expect(await json(answer)).toMatchObject({ valid: false, problem_count: 2, plan: null });
  });
});

describe('an open graph', () => {
  const open = { mode: 'open', nodes: [{ id: 'a', script: 'steps' }] };

  it('takes nodes, each answered for itself, and tells the interpreter of the new ones', async () => {
    const api = await startApi();
    const id = await createGraph(api, open, { steps: script });
    expect(api.engine.graphs.get(id)?.input).toMatchObject({ open: true });
    const answer = await send(
      api,
      `/graphs/${id}/nodes`,
      {
        nodes: [
          { id: 'b', script: 'steps', deps: ['a'] },
          { id: 'bad', script: 'nope' },
          { id: 'behind', script: 'steps', deps: ['bad'] },
          { id: 'further', script: 'steps', deps: ['behind'] },
          { id: 'x', script: 'steps', deps: ['y'] },
          { id: 'y', script: 'steps', deps: ['x'] },
          { id: 'a', script: 'steps' },
          { id: 'c', script: 'more', params: { v: '${{ nodes.b.result }}' } },
        ],
      },
      { more: script },
    );
    expect(answer.status).toBe(200);
    const { nodes } = await json(answer);
    type Told = { id: string; status: string; number: number | null; problem: { code: string } | null };
    expect(
      nodes.map(({ id: node, status, number, problem }: Told) => [node, status, number, problem?.code ?? null]),
    ).toEqual([
      ['b', 'created', 2, null],
      ['bad', 'rejected', null, 'unknown-file'],
      ['behind', 'rejected', null, 'rejected-dependency'],
      ['further', 'rejected', null, 'rejected-dependency'],
      ['x', 'rejected', null, 'cycle'],
      ['y', 'rejected', null, 'rejected-dependency'],
      ['a', 'exists', 1, null],
      ['c', 'created', 3, null],
    ]);
    expect((await specs(api, id)).map(({ id: node, deps }) => [node, deps])).toEqual([
      ['a', []],
      ['b', [1]],
      ['c', [2]],
    ]);
    expect(api.engine.signals).toEqual([{ graphId: id, name: 'addNodes', args: [{ first: 1, count: 3 }] }]);
  });

  it('knows the same node again, and refuses another one of its id', async () => {
    const api = await startApi();
    const id = await createGraph(api, open, { steps: script });
    const add = (node: object) => json(send(api, `/graphs/${id}/nodes`, { nodes: [node] }));
    const b = { id: 'b', script: 'steps', deps: ['a'], params: { x: 1 }, tags: { t: '1' } };
    expect((await add(b)).nodes[0]).toMatchObject({ status: 'created', number: 2 });
    expect((await add(b)).nodes[0]).toMatchObject({ status: 'exists', number: 2 });
    expect((await add({ ...b, params: { x: 2 } })).nodes[0]).toMatchObject({
      status: 'rejected',
      problem: { code: 'duplicate-id' },
    });
    expect(await specs(api, id)).toHaveLength(2);
  });

  it('gives no number twice when many add at once', async () => {
    const api = await startApi();
    const id = await createGraph(api, open, { steps: script });
    await Promise.all(
      Array.from({ length: 10 }, (_, at) =>
        send(api, `/graphs/${id}/nodes`, {
          nodes: [
            { id: `n${at}`, script: 'steps' },
            { id: 'same', script: 'steps' },
          ],
        }),
      ),
    );
    const nodes = await specs(api, id);
    expect(nodes.map(({ index }) => index)).toEqual(nodes.map((_, at) => at + 1));
    expect(nodes.map(({ id: node }) => node).sort()).toEqual(
      ['a', ...Array.from({ length: 10 }, (_, at) => `n${at}`), 'same'].sort(),
    );
  });

  it('refuses a file that would take the place of another one, and knows the same one again', async () => {
    const api = await startApi();
    const id = await createGraph(api, open, { steps: script });
    const node = { nodes: [{ id: 'b', script: 'steps' }] };
    expect((await send(api, `/graphs/${id}/nodes`, node, { steps: script })).status).toBe(200);
    const refused = await send(api, `/graphs/${id}/nodes`, node, { steps: '#' });
    expect(refused.status).toBe(400);
    expect(await json(refused)).toMatchObject({ problems: [{ path: 'files.steps', code: 'bad-file' }] });
    expect(await readdir(join(api.store.root, id, 'inputs'))).toEqual(['steps']);
  });

  it('answers a repeated request with the same key from memory, and another one with 409', async () => {
    const api = await startApi();
    const id = await createGraph(api, open, { steps: script });
    const key = { 'idempotency-key': 'k' };
    const first = await json(
      send(api, `/graphs/${id}/nodes`, { nodes: [{ id: 'b', script: 'steps' }] }, undefined, key),
    );
    expect(first.nodes[0].status).toBe('created');
    const again = await json(
      send(api, `/graphs/${id}/nodes`, { nodes: [{ id: 'b', script: 'steps' }] }, undefined, key),
    );
    expect(again).toEqual(first);
    const other = await send(api, `/graphs/${id}/nodes`, { nodes: [{ id: 'c', script: 'steps' }] }, undefined, key);
    expect(other.status).toBe(409);
  });

  it('takes nothing once it is closed, has ended, or was never open', async () => {
    const api = await startApi();
    const more = { nodes: [{ id: 'b', script: 'steps' }] };
    const id = await createGraph(api, open, { steps: script });
    expect((await api.call(`/graphs/${id}/close`, { method: 'POST' })).status).toBe(200);
    expect(api.engine.signals.map(({ name }) => name)).toEqual(['addNodes', 'closeGraph']);
    journal(api, id, { type: 'started' }, { type: 'closed' });
    expect((await send(api, `/graphs/${id}/nodes`, more)).status).toBe(409);
    const other = await createGraph(api, open, { steps: script });
    journal(api, other, { type: 'started' }, { type: 'ended', state: 'revoked' });
    expect((await send(api, `/graphs/${other}/nodes`, more)).status).toBe(409);
    const closed = await createGraph(api, chain, { steps: script });
    expect((await send(api, `/graphs/${closed}/nodes`, more)).status).toBe(409);
    expect((await send(api, `/graphs/${'0'.repeat(8)}-0000-4000-8000-000000000000/nodes`, more)).status).toBe(404);
  });

  it('may be empty, and refuses more than a thousand nodes at once', async () => {
    const api = await startApi();
    const id = await createGraph(api, { mode: 'open' }, { steps: script });
    const nodes = Array.from({ length: 1001 }, (_, at) => ({ id: `n${at}`, script: 'steps' }));
    const answer = await send(api, `/graphs/${id}/nodes`, { nodes });
    expect(await json(answer)).toMatchObject({ problems: [{ code: 'too-many-nodes' }] });
    expect((await send(api, `/graphs/${id}/nodes`, { nodes: nodes.slice(1) })).status).toBe(200);
    expect(await specs(api, id)).toHaveLength(1000);
  });
});
