import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newGraphId } from '../../../src/contract/new-graph-id.js';
import { GraphStore } from '../../../src/store/graph-store.js';
import { JobStore } from '../../../src/store/job-store.js';
import { graphHeader, nodeSpec, nodeSpecs } from '../../support/graph-documents.js';

let root: string;
let store: GraphStore;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pixyz-graphs-'));
  await new JobStore(root).open();
  store = new GraphStore(root);
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe('a graph on the share', () => {
  it('appears whole: header, nodes and the files that came with it', async () => {
    const header = graphHeader();
    const incoming = await store.receive();
    await writeFile(join(incoming.inputs, 's.py'), 'x');
    expect(await store.header(header.graphId)).toBe(null);
    expect(await incoming.commit(header, [nodeSpec(1), nodeSpec(2, { deps: [1] })])).toBe(true);
    await incoming.discard();
    expect(await store.header(header.graphId)).toEqual(header);
    expect(await readFile(join(store.paths(header.graphId).inputs, 's.py'), 'utf8')).toBe('x');
    expect(await store.count(header.graphId)).toBe(2);
    expect(await store.node(header.graphId, 2)).toEqual(nodeSpec(2, { deps: [1] }));
    expect(await readdir(join(root, '.incoming'))).toEqual([]);
  });

  it('is not replaced by a request that comes again', async () => {
    const header = graphHeader();
    expect(await store.create(header, nodeSpecs(1))).toBe(true);
    expect(await store.create({ ...header, name: 'other' }, nodeSpecs(3))).toBe(false);
    expect((await store.header(header.graphId))?.name).toBe('assembly');
    expect(await store.count(header.graphId)).toBe(1);
    expect(await readdir(join(root, '.incoming'))).toEqual([]);
  });

  it('of many nodes is read in parts, across the files it lies in', async () => {
    const header = graphHeader();
    await store.create(header, nodeSpecs(12_000));
    expect((await readdir(store.paths(header.graphId).nodes)).length).toBe(3);
    expect(await store.count(header.graphId)).toBe(12_000);
    const part = await store.nodes(header.graphId, 4_990, 6_000);
    expect(part.map((node) => node.index)).toEqual(Array.from({ length: 6_000 }, (_, at) => 4_990 + at));
    expect((await store.nodes(header.graphId, 11_999, 100)).map((node) => node.index)).toEqual([11_999, 12_000]);
    expect(await store.node(header.graphId, 12_001)).toBe(null);
    expect(await store.node(header.graphId, 12_000)).toEqual(nodeSpec(12_000));
  });

  it('takes more nodes; of appends at the same time each gets numbers of its own', async () => {
    const { graphId } = graphHeader();
    await store.create(graphHeader({ graphId, open: true }), nodeSpecs(2));
    expect((await store.nodes(graphId, 1, 10)).length).toBe(2);
    const others = [new GraphStore(root), new GraphStore(root), new GraphStore(root)];
    const added = await Promise.all(
      [store, ...others].map((one) => one.append(graphId, (first) => nodeSpecs(3, first))),
    );
    expect(added.map(({ first }) => first).sort((a, b) => a - b)).toEqual([3, 6, 9, 12]);
    expect(await store.count(graphId)).toBe(14);
    expect((await store.nodes(graphId, 1, 100)).map((node) => node.index)).toEqual(
      Array.from({ length: 14 }, (_, at) => at + 1),
    );
  });

  it('sees nodes that another process has added since it looked', async () => {
    const { graphId } = graphHeader();
    await store.create(graphHeader({ graphId, open: true }), nodeSpecs(2));
    expect(await store.node(graphId, 3)).toBe(null);
    await new GraphStore(root).append(graphId, (first) => nodeSpecs(2, first));
    expect((await store.node(graphId, 4))?.index).toBe(4);
  });

  it('refuses nodes whose numbers are not their places', async () => {
    await expect(store.create(graphHeader(), [nodeSpec(2)])).rejects.toThrow(/node 2/);
  });

  it('of an unknown id has no header and no nodes, and reading creates nothing', async () => {
    const graphId = newGraphId();
    expect(await store.header(graphId)).toBe(null);
    expect(await store.count(graphId)).toBe(0);
    expect(await store.nodes(graphId, 1, 5)).toEqual([]);
    expect(await readdir(root)).not.toContain(graphId);
  });

  it('is told anew when it was deleted and sent again with other nodes', async () => {
    const header = graphHeader();
    await store.create(header, nodeSpecs(5));
    expect((await store.nodes(header.graphId, 1, 9)).length).toBe(5);
    await store.remove(header.graphId);
    expect(await store.node(header.graphId, 1)).toBe(null);
    await store.create(header, [nodeSpec(1, { name: 'a longer name than before' })]);
    expect((await store.node(header.graphId, 1))?.name).toBe('a longer name than before');
  });

  it('nothing but the id of a graph becomes a path', () => {
    for (const id of ['..', 'x', '.incoming', `${newGraphId().slice(0, 28)}00000001`])
      expect(() => store.paths(id)).toThrow(/is not a graph id/);
  });
});

describe('the items of a map', () => {
  it('are written once, digit by digit', async () => {
    const { graphId } = graphHeader();
    await store.create(graphHeader({ graphId }), nodeSpecs(1));
    expect(await store.mapped(graphId, 1)).toBe(null);
    expect(await store.writeItems(graphId, 1, 100, ['1.0', '12345678901234567890', '{"a":"b"}'])).toBe(3);
    expect(await store.writeItems(graphId, 1, 100, ['"another list"'])).toBe(3);
    expect(await store.mapped(graphId, 1)).toEqual({ node: 1, first: 100, count: 3 });
    expect(await store.item(graphId, 1, 1)).toBe('12345678901234567890');
    expect(await store.item(graphId, 1, 3)).toBe(null);
  });

  it('are others when the run was reset to before it', async () => {
    const { graphId } = graphHeader();
    await store.create(graphHeader({ graphId }), nodeSpecs(1));
    await store.writeItems(graphId, 1, 100, ['"a"']);
    expect(await store.item(graphId, 1, 0)).toBe('"a"');
    expect(await store.writeItems(graphId, 1, 200, ['"b"'])).toBe(1);
    expect(await store.item(graphId, 1, 0)).toBe('"b"');
    expect((await store.mapped(graphId, 1))?.first).toBe(200);
  });

  it('may be none', async () => {
    const { graphId } = graphHeader();
    await store.create(graphHeader({ graphId }), nodeSpecs(1));
    expect(await store.writeItems(graphId, 1, 100, [])).toBe(0);
    expect(await store.mapped(graphId, 1)).toEqual({ node: 1, first: 100, count: 0 });
  });
});
