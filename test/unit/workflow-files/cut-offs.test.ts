import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BroadcastChannel, getEnvironmentData } from 'node:worker_threads';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { type CutOff, type CutOffRuns, cutOffChannel, cutOffRuns } from '../../../src/contract/cut-off.js';
import { CutOffs, type CutOffsOptions } from '../../../src/workflow-files/cut-offs.js';
import { waitFor } from '../../support/wait-for.js';

const folder = mkdtempSync(join(tmpdir(), 'pixyz-cut-offs-'));
const bundle = join(folder, 'bundle.js');
afterAll(() => {
  channel.close();
  rmSync(folder, { recursive: true, force: true });
});
/** Of a bundle with one line, which stands on line 7 of the file. */
const map = {
  version: 3,
  sources: ['/home/me/workflows/loops.ts'],
  names: [],
  mappings: 'AAMA',
};

const encoded = Buffer.from(JSON.stringify(map)).toString('base64');
writeFileSync(bundle, `x\n//# sourceMappingURL=data:application/json;base64,${encoded}`);

const channel = new BroadcastChannel(cutOffChannel);
let cutOffs: CutOffs | undefined;
let told: { readonly warnings: object[]; step: { attempts: number; isCancelled: boolean } };
afterEach(() => cutOffs?.stop());

/** What a thread that is started now would be told about the run. */
async function after(graphId: string, ...ends: Partial<CutOff>[]): Promise<unknown> {
  let seen = told.warnings.length;
  for (const end of ends) {
    channel.postMessage({ graphId, cpuMs: 7000, frames: [], ...end });
    seen += 1;
    await waitFor(() => expect(told.warnings).toHaveLength(seen), { intervalMs: 1 });
  }
  await cutOffs?.settled();
  return (getEnvironmentData(cutOffRuns) as CutOffRuns | undefined)?.get(graphId);
}

function begin(): void {
  told = { warnings: [], step: { attempts: 1, isCancelled: false } };
  cutOffs = new CutOffs({
    engine: { step: async () => told.step },
    catalogue: { bundlePath: () => bundle, about: async () => ({ sources: ['loops.ts'] }) },
    documents: { header: async () => ({ workflow: 'loops', workflowVersion: '0a' }) },
    lost: {},
    logger: { warn: (facts: object) => told.warnings.push(facts), error: (facts: object) => told.warnings.push(facts) },
  } as unknown as CutOffsOptions);
}

describe('a run of a workflow file that was cut off', () => {
  const seen = { frames: [{ url: bundle, line: 1, column: 1, name: 'compute' }] };

  it('is watched the next time, and fails the third time, with its place', async () => {
    begin();
    expect(await after('first', {})).toBe('watch');
    expect(await after('first', seen)).toBe('watch');
    expect(await after('first', seen)).toEqual({
      failure: expect.stringMatching(/^its code \(loops\.ts:7, in compute\) computed .* cut off, 3 times/),
    });
  });

  it('is given some times more where no process has seen its place', async () => {
    begin();
    expect(await after('second', {}, {}, {}, {}, {})).toBe('watch');
    expect(await after('second', {})).toEqual({ failure: expect.stringMatching(/^its code computed .* 6 times/) });
  });

  it('counts what other processes have tried, before this one began, too', async () => {
    begin();
    told.step = { attempts: 5, isCancelled: false };
    expect(await after('third', seen)).toEqual({ failure: expect.stringContaining('5 times') });
  });

  it('is not held to what a busy machine had no time for, however often', async () => {
    begin();
    told.step = { attempts: 50, isCancelled: false };
    expect(await after('fourth', ...Array.from({ length: 8 }, () => ({ cpuMs: 1900, ...seen })))).toBeUndefined();
  });

  it('is ended at once when it was cancelled', async () => {
    begin();
    told.step = { attempts: 1, isCancelled: true };
    expect(await after('fifth', { cpuMs: 10 })).toBe('cancel');
  });
});
