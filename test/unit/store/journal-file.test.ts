import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { entryKey, type JournalEntry } from '../../../src/contract/journal.js';
import { newGraphId } from '../../../src/contract/new-graph-id.js';
import { GraphReader } from '../../../src/store/graph-reader.js';
import { GraphStore } from '../../../src/store/graph-store.js';
import { JournalWriter, journalStart, readJournal } from '../../../src/store/journal-file.js';

let root: string;
let graphId: string;
let path: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pixyz-journal-'));
  graphId = newGraphId();
  await mkdir(join(root, graphId));
  path = join(root, graphId, 'events.jsonl');
});
afterEach(() => rm(root, { recursive: true, force: true }));

const at = '2026-11-21T11:49:05.570Z';
const queued = (node: number): JournalEntry => ({ at, type: 'queued', node, attempt: 1, queue: 'cpu' });
const succeeded = (node: number): JournalEntry => ({ at, type: 'succeeded', node, attempt: 1 });
const lines = async () => (await readFile(path, 'utf8')).trimEnd().split('\n');

describe('a journal', () => {
  it('keeps the order of the calls, also when they come faster than the disk', async () => {
    const writer = new JournalWriter(root);
    const written: Promise<void>[] = [];
    for (let node = 1; node <= 500; node += 1) written.push(writer.append(graphId, [queued(node)]));
    await Promise.all(written);
    const { entries, place } = await readJournal(path, journalStart);
    expect(entries.map(({ entry }) => entry.node)).toEqual(Array.from({ length: 500 }, (_, index) => index + 1));
    expect(entries.map(({ seq }) => seq)).toEqual(Array.from({ length: 500 }, (_, index) => index + 1));
    expect(place.seq).toBe(500);
  });

  it('takes an entry once, though replays bring it again, here and on another worker', async () => {
    const first = new JournalWriter(root);
    await first.append(graphId, [queued(1), queued(1), succeeded(1)]);
    await first.append(graphId, [queued(1), succeeded(1), queued(2)]);
    const second = new JournalWriter(root);
    await second.append(graphId, [queued(1), succeeded(1), queued(2), succeeded(2)]);
    await first.append(graphId, [succeeded(2), queued(3)]);
    expect((await lines()).length).toBe(5);
  });

  it('of a graph that has ended goes on, and takes nothing twice, when the graph is tried again', async () => {
    const writer = new JournalWriter(root);
    const before: JournalEntry[] = [queued(1), { at, type: 'failed', node: 1 }, { at, type: 'ended', state: 'failed' }];
    await writer.append(graphId, before);
    await writer.append(graphId, [...before, { at, type: 'revived', node: 1, n: 1 }, succeeded(1)]);
    expect((await lines()).length).toBe(5);
  });

  it('goes on after a line that a dead writer has left half', async () => {
    const writer = new JournalWriter(root);
    await writer.append(graphId, [queued(1)]);
    await appendFile(path, '{"at":"2026-');
    expect((await readJournal(path, journalStart)).entries.length, 'a line that is not whole is not read').toBe(1);
    await new JournalWriter(root).append(graphId, [queued(1), queued(2)]);
    const { entries } = await readJournal(path, journalStart);
    expect(entries.map(({ seq, entry }) => [seq, entry.node])).toEqual([
      [1, 1],
      [3, 2],
    ]);
  });

  it('of a graph without a folder is nobody’s business', async () => {
    const writer = new JournalWriter(root, () => expect.fail('no error'));
    await writer.append(newGraphId(), [queued(1)]);
  });

  it('keeps what could not be written, and says so', async () => {
    const errors: unknown[] = [];
    const writer = new JournalWriter(root, (_, error) => errors.push(error));
    await mkdir(path); // a folder in its place
    await writer.append(graphId, [queued(1)]);
    expect(errors.length).toBe(1);
    await rm(path, { recursive: true });
    await writer.append(graphId, [queued(2)]);
    expect((await lines()).length).toBe(2);
  });
});

describe('two writers at once', () => {
  // As when the parts of a large graph are interpreted by two workers.
  it('lose nothing, and double nothing that the other had written before', async () => {
    const [a, b] = [new JournalWriter(root), new JournalWriter(root)];
    const nodes = Array.from({ length: 300 }, (_, index) => index + 1);
    await Promise.all([
      ...nodes.map((node) => a.append(graphId, [queued(node)])),
      ...nodes.map((node) => b.append(graphId, [succeeded(node)])),
    ]);
    await Promise.all([a.append(graphId, nodes.map(succeeded)), b.append(graphId, nodes.map(queued))]);
    const { entries } = await readJournal(path, journalStart);
    expect(new Set(entries.map(({ entry }) => entryKey(entry))).size).toBe(600);
    expect(entries.length).toBe(600);
  });
});

describe('reading a journal', () => {
  const reader = () => new GraphReader(new GraphStore(root));

  it('reads on from any sequence number', async () => {
    const writer = new JournalWriter(root);
    const all = Array.from({ length: 5000 }, (_, index) => queued(index + 1));
    await writer.append(graphId, all);
    const one = reader();
    for (const after of [0, 1, 777, 4990]) {
      const events = await one.events(graphId, after, 20);
      expect(events.map(({ seq }) => seq)).toEqual(
        Array.from({ length: Math.min(20, 5000 - after) }, (_, index) => after + 1 + index),
      );
      expect(events.every(({ seq, entry }) => entry.node === seq)).toBe(true);
    }
    expect(await one.events(graphId, 5000, 20)).toEqual([]);
    await writer.append(graphId, [succeeded(1)]);
    expect((await one.events(graphId, 5000, 20)).map(({ seq, entry }) => [seq, entry.type])).toEqual([
      [5001, 'succeeded'],
    ]);
  });

  it('tells what has just been written, to calls at the same time, too', async () => {
    const writer = new JournalWriter(root);
    const one = reader();
    expect((await one.fold(graphId)).state).toBe('pending');
    await writer.append(graphId, [{ at, type: 'started' }, queued(1)]);
    const folds = await Promise.all([one.fold(graphId), one.fold(graphId), one.fold(graphId)]);
    expect(folds.map((fold) => fold.node(1).state)).toEqual(['queued', 'queued', 'queued']);
    await writer.append(graphId, [succeeded(1)]);
    expect((await one.fold(graphId)).counts(1).succeeded).toBe(1);
  });

  it('begins anew when the journal is another one', async () => {
    const one = reader();
    await new JournalWriter(root).append(graphId, [queued(1), succeeded(1)]);
    expect((await one.fold(graphId)).node(1).state).toBe('succeeded');
    await writeFile(path, `${JSON.stringify(queued(1))}\n`);
    expect((await one.fold(graphId)).node(1).state).toBe('queued');
  });

  it('keeps of a graph that was not asked for lately what lists show, and reads the rest again', async () => {
    const other = newGraphId();
    await mkdir(join(root, other));
    const writer = new JournalWriter(root);
    const ended: JournalEntry = { at, type: 'ended', state: 'failed', message: 'node 2 failed' };
    await writer.append(graphId, [{ at, type: 'started' }, queued(1), queued(2), succeeded(1), ended]);
    await writer.append(other, [{ at, type: 'started' }, queued(1)]);
    const one = new GraphReader(new GraphStore(root), { summaries: 10, folds: 1, nodes: 100 });
    const whole = await one.fold(graphId);
    await one.fold(other);
    const { state, message, entries, endedAt } = await one.summary(graphId);
    expect({ state, message, entries, endedAt }).toEqual({
      state: 'failed',
      message: 'node 2 failed',
      entries: 5,
      endedAt: at,
    });
    expect((await one.summary(graphId)).counts(5)).toEqual(whole.counts(5));
    expect((await one.fold(graphId)).node(1).state).toBe('succeeded');
    expect((await one.events(graphId, 3, 10)).map(({ seq }) => seq)).toEqual([4, 5]);
    // Tried again: the summary must not stay what it was.
    await one.fold(other);
    await writer.append(graphId, [{ at, type: 'revived', node: 2, n: 1 }, succeeded(2)]);
    expect((await one.summary(graphId)).counts(2).succeeded).toBe(2);
  });

  it('goes on however few graphs it may keep', async () => {
    const one = new GraphReader(new GraphStore(root), { summaries: 1, folds: 1, nodes: 1 });
    const writer = new JournalWriter(root);
    const ids = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const id = newGraphId();
        await mkdir(join(root, id));
        await writer.append(id, [{ at, type: 'started' }, queued(1), queued(2), succeeded(1)]);
        return id;
      }),
    );
    const calls = [...ids, ...ids, ...ids].map(async (id, index) =>
      index % 2 === 0 ? (await one.fold(id)).counts(2) : (await one.summary(id)).counts(2),
    );
    for (const counts of await Promise.all(calls)) expect(counts).toMatchObject({ queued: 1, succeeded: 1 });
  });
});
