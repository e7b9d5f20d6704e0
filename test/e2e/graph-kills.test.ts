import { mkdtempSync, rmSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { jobIdOf } from '../../src/contract/ids.js';
import type { JournalEntry } from '../../src/contract/journal.js';
import { journalStart, readJournal } from '../../src/store/journal-file.js';
import { graphBody } from '../support/graph-client.js';
import { ownServer } from '../support/own-server.js';
import { type PartUnderTest, startSystemUnderTest } from '../support/system.js';
import { waitFor } from '../support/wait-for.js';

// Whatever is killed, and whenever: the graph ends as if nothing had happened. `PIXYZ_TEST_KILLS=20` for the full number.

const kills = Number(process.env['PIXYZ_TEST_KILLS'] ?? 4);
const nodes = 300;
const layer = 20;
const prime = 1_000_000_007;

const cleanUps: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** Adds up what its dependencies hand on, takes a moment, and leaves a file that tells the same. */
const script = `
import random, time
def main(pc, params):
    time.sleep(random.uniform(0.01, 0.06))
    value = (sum(params["values"]) * 31 + params["index"]) % ${prime}
    with open(pc.get_output_dir("value.txt"), "a") as file:
        file.write(f"{value}\\n")
    time.sleep(random.uniform(0, 0.03))
    return value
`;

/** Layers of 20, each node after three of the layer before; the last waits for its whole last layer. */
function depsOf(index: number): number[] {
  if (index === nodes) return Array.from({ length: layer - 1 }, (_, at) => nodes - 1 - at);
  const row = Math.floor((index - 1) / layer);
  if (row === 0) return [];
  const start = (row - 1) * layer + 1;
  return [...new Set([index, index * 7, index * 13].map((salt) => start + (salt % layer)))].sort((a, b) => a - b);
}

function expectedValues(): number[] {
  const values = [0];
  for (let index = 1; index <= nodes; index++) {
    const sum = depsOf(index).reduce((total, dep) => total + (values[dep] as number), 0);
    values.push((sum * 31 + index) % prime);
  }
  return values;
}

const graph = {
  name: 'survivor',
  nodes: Array.from({ length: nodes }, (_, at) => ({
    id: `n${at + 1}`,
    script: 'add',
    queue: 'cpu',
    deps: depsOf(at + 1).map((dep) => `n${dep}`),
    params: { index: at + 1, values: depsOf(at + 1).map((dep) => `\${{ nodes.n${dep}.result }}`) },
  })),
};

/** Numbers from 0 to 1; a failure names the seed, so that the same kills can be tried again. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

it(`a graph of ${nodes} nodes ends as if undisturbed, although worker, server and API are killed at random moments`, {
  timeout: 120_000 + kills * 40_000,
}, async () => {
  const seed = Number(process.env['PIXYZ_TEST_SEED'] ?? Date.now() % 1_000_000);
  const random = randomOf(seed);
  const server = await ownServer();
  cleanUps.push(() => server.stop());
  await server.start();
  const share = join(mkdtempSync(join(tmpdir(), 'pixyz-survivor-')), 'share');
  cleanUps.push(() => rmSync(join(share, '..'), { recursive: true, force: true }));
  const under = await startSystemUnderTest({
    temporalAddress: server.address,
    namespace: server.namespace,
    worker: false,
    env: { SHARE_PATH: share },
  });
  cleanUps.push(() => under.stop());
  const workers: PartUnderTest[] = [await under.startWorker({ CONCURRENT_TASKS: '2' })];
  let api = under.apiPart;

  const { body } = graphBody(graph, { add: script });
  const headers = { 'x-api-key': under.api.token };
  const sent = await fetch(`${under.api.url}/graphs`, { method: 'POST', headers, body });
  if (!sent.ok) throw new Error(await sent.text());
  const { id } = (await sent.json()) as { id: string };
  const succeeded = async (): Promise<JournalEntry[]> => {
    const { entries } = await readJournal(join(share, id, 'events.jsonl'), journalStart);
    return entries.map(({ entry }) => entry).filter((entry) => entry.type === 'succeeded');
  };
  const done = async (): Promise<number> => (await succeeded()).length;

  let survived = 0;
  for (; survived < kills; survived++) {
    // At a moment that is some way further, not at a time: a slow machine is killed as often as a quick one.
    const goal = Math.min(nodes - 1, (await done()) + 1 + Math.floor(random() * (nodes / (kills + 2))));
    await waitFor(async () => (await done()) >= goal, { timeoutMs: 90_000 });
    await sleep(random() * 100);
    const target = (['worker', 'server', 'api'] as const)[Math.floor(random() * 3)];
    if (target === 'server') {
      await server.kill();
      await server.start();
    } else if (target === 'api') {
      api.kill('SIGKILL');
      await api.exited;
      api = await under.startApi();
    } else {
      const worker = workers.pop() as PartUnderTest;
      worker.kill('SIGKILL');
      await worker.exited;
      workers.push(await under.startWorker({ CONCURRENT_TASKS: '2' }));
    }
  }

  const state = await waitFor(
    async () => {
      const answer = (await (await under.api.get(`/graphs/${id}`)).json()) as { state: string };
      return answer.state !== 'running' && answer;
    },
    { timeoutMs: 120_000, intervalMs: 200 },
  );
  expect({ seed, survived, ...state }).toMatchObject({ seed, survived: kills, state: 'succeeded' });

  const expected = expectedValues();
  for (let index = 1; index <= nodes; index++) {
    const folder = join(share, jobIdOf(id, index));
    const record = JSON.parse(await readFile(join(folder, 'job.json'), 'utf8')) as Record<string, unknown>;
    expect({ seed, index, status: record['status'], result: record['result'] }).toEqual({
      seed,
      index,
      status: 'SUCCESS',
      result: expected[index],
    });
    expect(await readdir(join(folder, 'outputs'))).toEqual(['value.txt']);
    expect(await readFile(join(folder, 'outputs', 'value.txt'), 'utf8')).toBe(`${expected[index]}\n`);
  }
  const ends = (await succeeded()).map((entry) => Number(entry.node)).sort((a, b) => a - b);
  expect(ends).toEqual(Array.from({ length: nodes }, (_, at) => at + 1));
});
