import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Graphs } from '../support/graph-system.js';
import { type PartUnderTest, type SystemUnderTest, startSystemUnderTest } from '../support/system.js';
import { waitFor } from '../support/wait-for.js';

/** Attempts that travel together, on one worker with one slot: what a batch that takes long, or dies, leaves to be done. */

let system: SystemUnderTest;
let graphs: Graphs;
let folder: string;
let worker: PartUnderTest;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pixyz-batches-'));
  system = await startSystemUnderTest({ worker: false });
  worker = await system.startWorker({ CONCURRENT_TASKS: '1' });
  graphs = new Graphs(system);
});
afterAll(async () => {
  await system?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Nodes `n1`… of one kind that the graph has not met yet: so many that they are taken for short, and cut into batches of five. */
const count = 20;
const size = 5;
const row = (params: object): object[] =>
  Array.from({ length: count }, (_, at) => ({ id: `n${at + 1}`, script: 'step', params: { at: at + 1, ...params } }));

/** Every begin of a script is a line. */
const told = (log: string): string[] => (existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(0, -1) : []);

async function batchesOf(graphId: string): Promise<number> {
  const connection = await Connection.connect({ address: system.temporalAddress });
  const { history } = await connection.workflowService.getWorkflowExecutionHistory({
    namespace: system.namespace,
    execution: { workflowId: graphId },
  });
  await connection.close();
  const types = (history?.events ?? []).map((event) => event.activityTaskScheduledEventAttributes?.activityType?.name);
  return types.filter((type) => type === 'runScripts').length;
}

describe('a batch', () => {
  it('that takes long gives back what goes on before its equals, and after what is urgent', async () => {
    const log = join(folder, 'order');
    const step = `
import time
def main(pc, params):
    with open(params["log"], "a") as file:
        file.write(f"{params['at']}\\n")
    time.sleep(0.4)
`;
    const id = await graphs.create({ nodes: row({ log }) }, { step });
    const sentAt = await waitFor(
      () => {
        expect(told(log)).not.toEqual([]);
        return told(log).length;
      },
      { intervalMs: 5 },
    );
    const urgent = { id: 'now', script: 'step', priority: 0, params: { at: 'urgent', log } };
    const other = await graphs.create({ nodes: [urgent] }, { step });
    await Promise.all([graphs.ended(id), graphs.ended(other)]);

    const order = told(log);
    expect([...order].sort()).toEqual([...row({}).map((_, at) => String(at + 1)), 'urgent'].sort());
    // One runs, the next may be in the worker's hand already, and a request takes its time.
    expect(order.indexOf('urgent'), order.join(' ')).toBeLessThan(sentAt + 4);
    // Were they to stand in line anew, the first of every batch would run before the second of any.
    const begun = new Map<number, number>();
    let mostOpen = 0;
    for (const at of order.filter((line) => line !== 'urgent').map(Number)) {
      const batch = Math.floor((at - 1) / size);
      begun.set(batch, (begun.get(batch) ?? 0) + 1);
      mostOpen = Math.max(mostOpen, [...begun.values()].filter((members) => members < size).length);
    }
    expect(mostOpen, order.join(' ')).toBeLessThan(count / size);
  });

  it('whose worker is killed runs on elsewhere: what had ended stays, nothing is done twice or lost', async () => {
    const log = join(folder, 'kill');
    const hang = join(folder, 'hang');
    const step = `
import os, time
def main(pc, params):
    with open(params["log"], "a") as file:
        file.write(f"{params['at']}\\n")
    with open(pc.get_output_dir("value.txt"), "a") as file:
        file.write(f"{params['at']}\\n")
    if params["at"] == 3 and not os.path.exists(params["hang"]):
        open(params["hang"], "w").close()
        time.sleep(600)
    return params["at"] * 10
`;
    const id = await graphs.create({ nodes: row({ log, hang }) }, { step });
    await waitFor(() => expect(existsSync(hang)).toBe(true), { intervalMs: 5, timeoutMs: 30_000 });
    worker.kill('SIGKILL');
    await worker.exited;
    worker = await system.startWorker({ CONCURRENT_TASKS: '1' });

    expect(await graphs.ended(id)).toMatchObject({ state: 'succeeded', counts: { total: count, succeeded: count } });
    expect(await batchesOf(id)).toBeGreaterThanOrEqual(count / size);
    const begun = told(log)
      .map(Number)
      .sort((a, b) => a - b);
    expect(begun, 'only the node that was under way begins twice').toEqual(
      [...Array.from({ length: count }, (_, at) => at + 1), 3].sort((a, b) => a - b),
    );
    const { events } = await graphs.get(`/graphs/${id}/events?limit=1000`);
    const ends = events.filter(({ type }: { type: string }) => type === 'succeeded');
    expect(ends.map(({ number }: { number: number }) => number).sort((a: number, b: number) => a - b)).toEqual(
      row({}).map((_, at) => at + 1),
    );
    const { nodes } = await graphs.get(`/graphs/${id}/nodes?limit=100&attempts=true`);
    for (const { number, job, attempts } of nodes) {
      expect(await graphs.result(id, `n${number}`)).toBe(number * 10);
      const value = readFileSync(join(system.share, job, 'outputs', 'value.txt'), 'utf8');
      expect(value).toBe(`${number}\n`);
      // One that is killed in its first moments has not said yet that it runs.
      const outcomes = attempts.map(({ outcome }: { outcome: string }) => outcome).join(' ');
      expect(outcomes).toMatch(number === 3 ? /^(lost )?succeeded$/ : /^succeeded$/);
    }
  });
});
