import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type SystemUnderTest, startSystemUnderTest } from '../support/system.js';
import { waitFor } from '../support/wait-for.js';

// A job that has sent others loses its worker: W12 the hard way.

let system: SystemUnderTest;
beforeAll(async () => {
  system = await startSystemUnderTest({ worker: false });
});
afterAll(() => system.stop());

const script = `
import os, time
from pixyz_worker.script import *

def note(pc, params):
    with open(params['runs'], 'a') as f:
        f.write(str(params['n']) + '\\n')
    return params['n']

def last(pc, params):
    while not os.path.exists(pc['gate']):
        time.sleep(0.01)
    return sum(params)

@pixyz_schedule(queue='control', wait=True)
def main(pc, params):
    with open(params['starts'], 'a') as f:
        f.write(f"{pc['retry']}\\n")
    def fresh(name, **keys):
        return ProgramContext(script=pc['script'], entrypoint=name, raw=True, **keys)
    header = [pixyz_execute.s({**params, 'n': n}, fresh('note')).set(queue='cpu') for n in (1, 2, 3)]
    return chord(header)(pixyz_execute.s(pc=fresh('last', gate=params['gate'])).set(queue='cpu'))
`;

it('the script runs again elsewhere, meets the chord of its first attempt, and nothing of it runs twice', async () => {
  const [runs, starts, gate] = ['runs', 'starts', 'gate'].map((name) => join(system.folder, name)) as [
    string,
    string,
    string,
  ];
  const lines = (path: string): string[] => (existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : []);
  const waiting = await system.startWorker({ QUEUE_NAME: 'control', CONCURRENT_TASKS: '1' });
  await system.startWorker({ QUEUE_NAME: 'cpu', CONCURRENT_TASKS: '1' });
  const jobId = await system.api.submit({ script, params: { runs, starts, gate } });
  await waitFor(() => expect(lines(runs)).toHaveLength(3), { timeoutMs: 30_000 });
  waiting.kill('SIGKILL');
  await waiting.exited;
  await system.startWorker({ QUEUE_NAME: 'control', CONCURRENT_TASKS: '1' });
  await waitFor(() => expect(lines(starts)).toHaveLength(2), { timeoutMs: 30_000 });
  writeFileSync(gate, '');
  const details = await system.api.ended(jobId);
  expect(details).toMatchObject({ status: 'SUCCESS', result: 6, retry: 0 });
  // A lost worker is not the script's fault, and what it has sent goes on without it.
  expect(lines(starts)).toEqual(['0', '0']);
  expect(lines(runs).sort((a, b) => a.localeCompare(b))).toEqual(['1', '2', '3']);
}, 90_000);
