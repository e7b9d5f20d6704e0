import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { journalStart, readJournal } from '../../src/store/journal-file.js';
import { Graphs } from '../support/graph-system.js';
import { ownServer } from '../support/own-server.js';
import { startSystemUnderTest } from '../support/system.js';
import { waitFor } from '../support/wait-for.js';

// A program in TypeScript goes on where it was, whatever is killed under it.

const cleanUps: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const rounds = 8;
const prime = 1_000_003;

const program = `
import { group, task } from 'pixyz-temporal-scheduler/workflow';

export default async function rounds({ rounds }: { readonly rounds: number }): Promise<number> {
  let total = 1;
  for (let round = 1; round <= rounds; round++) {
    const parts = [1, 2, 3].map((part) => task<number>({ id: round + '-' + part, script: 'part.py', params: { total, part } }));
    total = (await group(parts)).reduce((sum, part) => (sum * 31 + part) % ${prime}, total);
  }
  return total;
}
`;

const script = `
import random, time
def main(pc, params):
    time.sleep(random.uniform(0.05, 0.15))
    value = (params["total"] * 7 + params["part"]) % ${prime}
    with open(pc.get_output_dir("value.txt"), "a") as file:
        file.write(f"{value}\\n")
    return value
`;

it('a run of a workflow file ends as if undisturbed, although worker, server and API are killed under it', {
  timeout: 300_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pixyz-workflow-kills-'));
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'rounds.ts'), program);
  writeFileSync(join(folder, 'part.py'), script);
  const server = await ownServer();
  cleanUps.push(() => server.stop());
  await server.start();
  const system = await startSystemUnderTest({
    temporalAddress: server.address,
    namespace: server.namespace,
    worker: false,
    env: { WORKFLOWS_PATH: folder },
  });
  cleanUps.push(() => system.stop());
  const worker = await system.startWorker({ CONCURRENT_TASKS: '2' });
  const graphs = new Graphs(system);
  await waitFor(async () => expect(await graphs.get('/workflows/rounds')).toMatchObject({ usable: true }), {
    timeoutMs: 120_000,
    intervalMs: 100,
  });
  const started = await graphs.call('/workflows/rounds', {
    method: 'POST',
    body: JSON.stringify({ input: { rounds } }),
    headers: { 'content-type': 'application/json' },
  });
  const { id } = (await started.json()) as { id: string };
  const succeeded = async (): Promise<number[]> => {
    const { entries } = await readJournal(join(system.share, id, 'events.jsonl'), journalStart);
    return entries.map(({ entry }) => entry).flatMap(({ type, node }) => (type === 'succeeded' ? [Number(node)] : []));
  };
  const reached = (count: number) =>
    waitFor(async () => (await succeeded()).length >= count, { timeoutMs: 90_000, intervalMs: 10 });

  await reached(5);
  worker.kill('SIGKILL');
  await worker.exited;
  await system.startWorker({ CONCURRENT_TASKS: '2' });
  await reached(11);
  await server.kill();
  await server.start();
  await reached(17);
  system.apiPart.kill('SIGKILL');
  await system.apiPart.exited;
  await system.startApi();

  let total = 1;
  const values: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    const parts = [1, 2, 3].map((part) => (total * 7 + part) % prime);
    values.push(...parts);
    total = parts.reduce((sum, part) => (sum * 31 + part) % prime, total);
  }
  const ended = await waitFor(
    async () => {
      const graph = await graphs.get(`/graphs/${id}`);
      return graph.state !== 'running' && graph;
    },
    { timeoutMs: 120_000, intervalMs: 100 },
  );
  expect(ended).toMatchObject({ state: 'succeeded', workflow: { result: total } });
  expect((await succeeded()).sort((a, b) => a - b)).toEqual(values.map((_, at) => at + 1));
  const { nodes } = await graphs.get(`/graphs/${id}/nodes?limit=100`);
  expect(nodes).toHaveLength(values.length);
  for (const { job, id: name } of nodes as { job: string; id: string }[]) {
    const [round, part] = name.split('-').map(Number) as [number, number];
    const outputs = join(system.share, job, 'outputs');
    expect(await readdir(outputs)).toEqual(['value.txt']);
    expect(await readFile(join(outputs, 'value.txt'), 'utf8')).toBe(`${values[(round - 1) * 3 + part - 1]}\n`);
  }
});
