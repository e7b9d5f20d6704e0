import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeterminismViolationError } from '@temporalio/workflow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { replay } from '../support/engine-under-test.js';
import { historyFromText } from '../support/history-file.js';
import { bundleCases } from '../support/workflow-cases.js';

/**
 * Runs of a workflow file that an earlier version of the engine has recorded (`test/workflow/workflow-files.test.ts` tells
 * how). A run keeps the bundle that it began with, the engine's helpers included; but a file that is saved again, unchanged,
 * under a new engine must not break what a user has learnt to rely on either.
 */
const folder = join(import.meta.dirname, 'workflow-files');

interface Recorded {
  readonly workflowId: string;
  readonly journal: unknown;
}

let scratch: string;
let code: string;
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'pixyz-replay-'));
  code = await bundleCases(scratch);
}, 60_000);
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const recorded = (name: string, alter = (text: string) => text): Recorded =>
  historyFromText(alter(readFileSync(join(folder, name), 'utf8'))) as Recorded;

describe('a recorded run of a workflow file', () => {
  it.each(readdirSync(folder))('%s replays', async (name) => {
    const history = recorded(name);
    expect(await replay(history, history.workflowId, { code })).toEqual(history.journal);
  });

  it('that was altered does not: it was asked for something else', async () => {
    const altered = recorded('helpers.json', (text) =>
      text.replace('\\"what\\":\\"helpers\\"', '\\"what\\":\\"loop\\"'),
    );
    expect(altered).not.toEqual(recorded('helpers.json'));
    await expect(replay(altered, altered.workflowId, { code })).rejects.toThrow(DeterminismViolationError);
  });
});
