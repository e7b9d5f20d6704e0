import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jobIdOf } from '../../src/contract/ids.js';
import { type SystemUnderTest, startSystemUnderTest } from '../support/system.js';
import { waitFor } from '../support/wait-for.js';

// What nodes do with each other's results, through the real API, interpreter, workers and Python children.

let system: SystemUnderTest;
beforeAll(async () => {
  system = await startSystemUnderTest({ worker: { QUEUE_NAME: 'cpu,gpu,gpuhigh,control', CONCURRENT_TASKS: '2' } });
});
afterAll(() => system.stop());

interface Graph {
  readonly id: string;
  readonly state: string;
}

const script = `
def main(pc, params):
    return params

def reads(pc, params):
    return open(pc.get_input_file()).read()

def fails(pc, params):
    raise ValueError("boom")
`;

async function send(nodes: readonly object[], extra: object = {}): Promise<Graph> {
  const form = new FormData();
  form.append('graph', JSON.stringify({ name: 'nodes', defaults: { raw: true }, nodes, ...extra }));
  form.append('steps', new Blob([script]), 'steps.py');
  const answer = await fetch(`${system.api.url}/graphs`, {
    method: 'POST',
    headers: { 'x-api-key': system.api.token },
    body: form,
  });
  const body = (await answer.json()) as Graph;
  expect(answer.status, JSON.stringify(body)).toBe(200);
  return body;
}

async function end(graphId: string): Promise<Graph> {
  return waitFor(
    async () => {
      const graph = (await (await system.api.get(`/graphs/${graphId}`)).json()) as Graph;
      expect(graph.state).toMatch(/succeeded|failed|revoked|SUCCESS|FAILURE|REVOKED/);
      return graph;
    },
    { timeoutMs: 60_000, intervalMs: 50 },
  );
}

const details = (graphId: string, index: number) => system.api.details(jobIdOf(graphId, index));
const outputsOf = (graphId: string, index: number) => join(system.share, jobIdOf(graphId, index), 'outputs');

describe('nodes of a graph', () => {
  it('hand values, files and decisions to each other', async () => {
    const { id } = await send([
      { id: 'list', script: 'steps', params: { parts: ['a', 'b', 'c'], big: 3 } },
      { id: 'write', command: ['sh', '-c', 'echo hello > "$1"', 'sh', '${{ nodes.list.result.parts[0] }}.txt'] },
      {
        id: 'each',
        script: 'steps',
        map: { over: 'nodes.list.result.parts', max: 10 },
        params: {
          part: '${{ item }}',
          at: '${{ index }}',
          of: 'part ${{ item }} of ${{ nodes.list.result.parts.size() }}',
        },
      },
      {
        id: 'gather',
        script: 'steps',
        params: { all: '${{ nodes.each.result }}', file: '${{ nodes.write.outputs["a.txt"] }}' },
      },
      {
        id: 'read',
        script: 'steps',
        entrypoint: 'reads',
        data: { node: 'write', output: 'a.txt' },
      },
      { id: 'big', script: 'steps', when: 'nodes.list.result.big > 2', params: {} },
      { id: 'copy', command: ['cp', '${{ nodes.write.outputs["a.txt"] }}', '.'] },
      { id: 'small', script: 'steps', when: 'nodes.list.result.big <= 2', params: {} },
    ]);
    await end(id);
    const gathered = await details(id, 4);
    expect(gathered).toMatchObject({
      status: 'SUCCESS',
      result: {
        all: [
          { part: 'a', at: 0, of: 'part a of 3' },
          { part: 'b', at: 1, of: 'part b of 3' },
          { part: 'c', at: 2, of: 'part c of 3' },
        ],
        file: join(outputsOf(id, 2), 'a.txt'),
      },
    });
    expect((await details(id, 5)).result).toBe('hello\n');
    expect(await readdir(outputsOf(id, 7))).toEqual(['a.txt']);
    expect((await details(id, 6)).status).toBe('SUCCESS');
    expect(await details(id, 8)).toMatchObject({ status: 'REVOKED', name: 'small' });
  });

  it('tell of what failed, and of what therefore did not run', async () => {
    const { id } = await send([
      { id: 'bad', script: 'steps', entrypoint: 'fails' },
      { id: 'after', script: 'steps', deps: ['bad'] },
      {
        id: 'rescue',
        script: 'steps',
        trigger: 'any_failed',
        params: { why: '${{ nodes.bad.error.message }}', was: '${{ nodes.bad.result }}' },
      },
      { id: 'wrong', script: 'steps', params: { x: '${{ nodes.fine.result.nothing }}' } },
      { id: 'fine', script: 'steps', params: {} },
    ]);
    await end(id);
    expect((await details(id, 1)).status).toBe('FAILURE');
    expect((await details(id, 2)).status).toBe('REVOKED');
    expect(await details(id, 3)).toMatchObject({ status: 'SUCCESS', result: { why: 'boom', was: null } });
    expect(await details(id, 4)).toMatchObject({
      status: 'FAILURE',
      error: expect.stringContaining('No such key: nothing'),
    });
  });

  it('take the results of an earlier graph where that is asked for', async () => {
    const nodes = [
      { id: 'make', command: ['sh', '-c', 'date +%s%N > out.txt'], reuse: true },
      { id: 'use', script: 'steps', reuse: true, params: { file: '${{ nodes.make.outputs["out.txt"] }}' } },
    ];
    const first = await send(nodes);
    await end(first.id);
    const second = await send(nodes);
    await end(second.id);
    const texts = await Promise.all(
      [first, second].map(({ id }) => readFile(join(outputsOf(id, 1), 'out.txt'), 'utf8')),
    );
    expect(texts[1]).toBe(texts[0]);
    expect(await details(second.id, 2)).toMatchObject({ reused_from: jobIdOf(first.id, 2) });
  });

  it('answer by their ids before they are begun, and leave nothing half made', async () => {
    const { id } = await send([
      { id: 'hold', command: ['sh', '-c', 'while [ ! -e go ]; do sleep 0.05; done'] },
      { id: 'next', script: 'steps', deps: ['hold'], queue: 'gpu' },
    ]);
    expect(await details(id, 2)).toMatchObject({ status: 'PENDING', name: 'next', queue: 'gpu' });
    await waitFor(async () => (await readdir(join(system.share, jobIdOf(id, 1)))).includes('outputs'));
    await writeFile(join(outputsOf(id, 1), 'go'), '');
    await end(id);
    expect((await details(id, 2)).status).toBe('SUCCESS');
    expect(await readdir(join(system.share, '.incoming'))).toEqual([]);
  });

  it('of a chain of forty are done in order, each with a record', async () => {
    const nodes = Array.from({ length: 40 }, (_, at) => ({
      id: `n${at}`,
      script: 'steps',
      params: at === 0 ? { n: 0 } : { n: `\${{ nodes.n${at - 1}.result.n + 1 }}` },
    }));
    const began = performance.now();
    const { id } = await send(nodes);
    await end(id);
    const took = performance.now() - began;
    expect((await details(id, 40)).result).toEqual({ n: 39 });
    expect(took).toBeLessThan(30_000);
  });
});
