import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { afterEach, describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../src/contract/journal.js';
import { replay } from '../support/engine-under-test.js';
import { historyFromText, historyToText } from '../support/history-file.js';
import { fault, type Play, play, signal } from '../support/play.js';
import { waitFor } from '../support/wait-for.js';

/**
 * One run of each kind of graph, whose history is then replayed. With `RECORD_HISTORIES=1` the histories are kept for the
 * replay tier, which asks whether later versions still decide the same:
 *
 *     RECORD_HISTORIES=1 npx vitest run --project workflow test/workflow/histories.test.ts
 */
const folder = join(import.meta.dirname, '..', 'replay', 'histories');
const keep = process.env['RECORD_HISTORIES'] === '1';

interface Kind {
  readonly title: string;
  readonly options?: Omit<Parameters<typeof play>[0], 'cached'>;
  readonly script?: Parameters<typeof play>[1];
  /** Starts the graph and brings it to its end. */
  readonly run: (play: Play) => Promise<WorkflowHandle>;
  readonly parts?: number;
  /** Answers conditions. */
  readonly answer?: (index: number, play: Play) => Promise<boolean>;
}

/** The time of what follows a local activity is another in a replay; an entry is written once, so the first time stays. */
const untimed = ({ at: _at, ...entry }: JournalEntry): unknown => entry;

const end = (handle: WorkflowHandle): Promise<unknown> => handle.result().catch(() => undefined);

const kinds: Record<string, Kind> = {
  single: {
    title: 'a single job',
    run: ({ engine, graphId, at }) => engine.start({ graphId, nodes: [at(1)] }),
  },
  chain: {
    title: 'a chain, short enough to travel together',
    run: ({ engine, graphId, at }) => {
      const nodes = Array.from({ length: 8 }, (_, i) => at(i + 1, { work: 'w', ...(i === 0 ? {} : { deps: [i] }) }));
      return engine.start({ graphId, nodes, journal: true });
    },
  },
  wide: {
    title: 'many nodes side by side, and one that waits for all',
    run: ({ engine, graphId, at }) => {
      const nodes = Array.from({ length: 20 }, (_, i) => at(i + 1));
      nodes.push(at(21, { deps: nodes.map(({ index }) => index) }));
      return engine.start({ graphId, nodes, journal: true, maxParallel: 5 });
    },
  },
  diamond: {
    title: 'a diamond',
    run: ({ engine, graphId, at }) => {
      const nodes = [at(1), at(2, { deps: [1] }), at(3, { deps: [1] }), at(4, { deps: [2, 3] })];
      return engine.start({ graphId, nodes, journal: true });
    },
  },
  retry: {
    title: 'a crash that is tried again, a failure that is sent again, a cancel',
    script: async (index, { attempt }) => {
      if (index === 1 && attempt === 1) throw fault('signal');
      if (index === 2 && attempt === 1) throw fault('exception');
    },
    run: async ({ engine, graphId, ran, journalOf, at }) => {
      const nodes = [at(1), at(2), at(3, { deps: [2] }), at(4, { countdown: 3600 })];
      const handle = await engine.start({ graphId, nodes, journal: true });
      await waitFor(() => expect(journalOf('failed', 'skipped')).toEqual(['failed 2', 'skipped 3']));
      await signal(handle, 'retryNode', 2);
      await waitFor(() => expect(ran).toContain(3));
      await signal(handle, 'cancelNode', 4, 'no longer needed');
      return handle;
    },
  },
  map: {
    title: 'a map, conditions and a barrier',
    options: { records: { expandMap: async () => 3, evaluateWhen: async (_, index) => index === 2 } },
    run: ({ engine, graphId, at }) => {
      const nodes = [
        at(1, { map: { max: 5 } }),
        at(2, { deps: [1], conditional: true }),
        at(3, { deps: [1], conditional: true }),
        at(4, { deps: [2], kind: 'barrier' }),
        at(5, { deps: [4] }),
      ];
      return engine.start({ graphId, nodes, journal: true });
    },
  },
  asked: {
    title: 'conditions that are answered one by one, of work that could travel together',
    // A replay brings all answers at once, and must not make batches that never were.
    answer: async (index, { journalOf }) => {
      if (index > 3) await waitFor(() => expect(journalOf('queued')).toContain(`queued ${index - 1}`));
      return true;
    },
    run: ({ engine, graphId, at }) => {
      const nodes = [at(1, { work: 'w' }), at(2, { work: 'w', deps: [1] })];
      for (let index = 3; index <= 12; index += 1) nodes.push(at(index, { work: 'w', deps: [2], conditional: true }));
      return engine.start({ graphId, nodes, journal: true });
    },
  },
  open: {
    title: 'an open graph that is paused, resumed and closed',
    run: async ({ engine, graphId, ran, journalOf, at }) => {
      const handle = await engine.start({ graphId, nodes: [at(1)], open: true, journal: true });
      await waitFor(() => expect(ran).toEqual([1]));
      await signal(handle, 'pauseGraph');
      await signal(handle, 'addNodes', { first: 2, count: 2 });
      await waitFor(() => expect(journalOf('paused', 'added')).toEqual(['paused', 'added 2']));
      await signal(handle, 'setPriority', { node: 3, priority: 1 });
      await signal(handle, 'resumeGraph');
      await signal(handle, 'closeGraph');
      return handle;
    },
  },
  parts: {
    title: 'a graph in parts',
    parts: 2,
    run: ({ engine, graphId, at }) => {
      const nodes = [at(1), at(2, { deps: [1] }), at(3, { deps: [2] }), at(4, { deps: [1, 3] })];
      return engine.start({ graphId, nodes, journal: true, partSize: 2 });
    },
  },
};

describe('the history of', () => {
  let played: Play | undefined;
  afterEach(async () => {
    await played?.engine.stop();
    played = undefined;
  });

  it.each(Object.entries(kinds))('%s replays', async (name, { options = {}, script, run, parts = 0, answer }) => {
    // The document that an open graph reads on from.
    const stored = name === 'open' ? { stored: [] as ReturnType<Play['at']>[] } : {};
    const asked =
      answer === undefined
        ? {}
        : { records: { evaluateWhen: async (_: string, index: number) => answer(index, played as Play) } };
    played = await play({ cached: 100, ...options, ...stored, ...asked }, script);
    if (stored.stored !== undefined) stored.stored.push(...[1, 2, 3].map((index) => (played as Play).at(index)));
    const handle = await run(played);
    await end(handle);
    const ids = [handle.workflowId, ...Array.from({ length: parts }, (_, at) => `${handle.workflowId}/part-${at + 1}`)];
    for (const [at, id] of ids.entries()) {
      const part = played.engine.client.workflow.getHandle(id);
      await end(part);
      const history = await part.fetchHistory();
      const journal = await replay(historyFromText(historyToText(history)), id);
      if (at === 0 && parts === 0) expect(journal.map(untimed)).toEqual(played.engine.journal.map(untimed));
      const text = historyToText({ workflowId: id, journal, ...history });
      if (keep) {
        await mkdir(folder, { recursive: true });
        await writeFile(join(folder, `${name}${at === 0 ? '' : `-part-${at}`}.json`), `${text}\n`);
      }
    }
  });
});
