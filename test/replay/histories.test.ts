import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DeterminismViolationError } from '@temporalio/workflow';
import { describe, expect, it } from 'vitest';
import { replay } from '../support/engine-under-test.js';
import { historyFromText } from '../support/history-file.js';

/**
 * Runs that a version before this one has recorded (`test/workflow/histories.test.ts` tells how): the workflows must still
 * decide the same, or runs in flight break when they are deployed. A change that is meant needs `patched`; a history is
 * recorded anew only when no run of its kind can be in flight any more.
 */
const folder = join(import.meta.dirname, 'histories');

interface Recorded {
  readonly workflowId: string;
  readonly journal: unknown;
  readonly events: readonly unknown[];
}

const recorded = (name: string, alter = (text: string) => text): Recorded =>
  historyFromText(alter(readFileSync(join(folder, name), 'utf8'))) as Recorded;

describe('a recorded history', () => {
  it.each(readdirSync(folder))('%s replays', async (name) => {
    const history = recorded(name);
    // The SDK compares kinds of commands, not whose they are: that is what the journal tells.
    expect(await replay(history, history.workflowId)).toEqual(history.journal);
  });

  it('that was altered does not: the first node has a countdown', async () => {
    const altered = recorded('diamond.json', (text) => text.replace('\\"countdown\\":0', '\\"countdown\\":5'));
    expect(altered).not.toEqual(recorded('diamond.json'));
    await expect(replay(altered, altered.workflowId)).rejects.toThrow(DeterminismViolationError);
  });

  it('that was altered decides otherwise: the last node of the diamond waits for nothing', async () => {
    const altered = recorded('diamond.json', (text) => text.replace('\\"deps\\":[2,3]', '\\"deps\\":[]'));
    expect(await replay(altered, altered.workflowId)).not.toEqual(altered.journal);
  });
});
