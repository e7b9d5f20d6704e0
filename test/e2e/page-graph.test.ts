import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PageUnderTest } from '../support/browser.js';
import { Graphs } from '../support/graph-system.js';
import { type SystemUnderTest, startSystemUnderTest } from '../support/system.js';

/** One graph on the page, of the real system, in a real browser: planned, sent, watched, steered. */

const steps = `
import os, time
from pathlib import Path

def split(pc, params):
    return {"parts": ["left", "right", "top"]}

def work(pc, params):
    pc.progress_set_total(2)
    pc.progress_next("open the model")
    print("working on", params["part"])
    pc.progress_next("wait at the gate")
    while not os.path.exists(params["gate"]):
        time.sleep(0.02)
    print("done with", params["part"])
    Path(pc.get_output_dir("note.txt")).write_text(params["part"])
    return {"part": params["part"]}

def fail(pc, params):
    if not os.path.exists(params["gate"]):
        raise ValueError("the surface is not closed")
    return "closed"
`;

let system: SystemUnderTest;
let graphs: Graphs;
let user: PageUnderTest;

beforeAll(async () => {
  system = await startSystemUnderTest({ worker: { CONCURRENT_TASKS: '4' } });
  graphs = new Graphs(system);
  user = await PageUnderTest.start(system.api.url);
  await user.signIn();
});

/** Each test has the worker for itself. */
const shown: string[] = [];
afterEach(async () => {
  await Promise.all(shown.splice(0).map((id) => graphs.call(`/graphs/${id}/cancel?wait=20`, { method: 'POST' })));
  expect(user.problems.splice(0)).toEqual([]);
});

afterAll(async () => {
  await user?.stop();
  await system?.stop();
});

const gate = (name: string) => join(system.folder, name);
const open = (name: string) => writeFileSync(gate(name), '');
const node = (id: string, entrypoint: string, more = {}) => ({ id, script: 'steps', entrypoint, retries: 0, ...more });
const drawing = () => user.page.getByRole('application', { name: /^Drawing of/ });
const drawn = (nodes: number, boxes = nodes) =>
  user.page.getByRole('application', { name: `Drawing of ${nodes} nodes in ${boxes} boxes` }).waitFor();
const chip = (name: string) => user.page.getByRole('list', { name: 'Nodes by state' }).getByRole('button', { name });
const panel = (name: string) => user.page.getByRole('region', { name, exact: true });

async function show(graph: unknown): Promise<string> {
  const id = await graphs.create(graph, { steps });
  shown.push(id);
  await user.open(`/graphs/${id}`);
  await user.page.locator('[data-drawn="true"]').waitFor();
  return id;
}

describe('a graph on the page', () => {
  it('is planned, sent, and watched to its end: by its states, its log, its steps and its result', async () => {
    const { page } = user;
    const document = {
      name: 'made on the page',
      nodes: [
        node('split', 'split'),
        node('work', 'work', {
          params: { part: '${{ nodes.split.result.parts[0] }}', gate: gate('planned') },
          label: 'the hard part',
        }),
        node('all', 'split', { deps: ['work'] }),
      ],
    };
    await user.open('/graphs/new');
    expect(await user.axe()).toEqual([]);
    await page.getByLabel('Choose files').setInputFiles([
      { name: 'graph.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(document, null, 2)) },
      { name: 'steps.py', mimeType: 'text/x-python', buffer: Buffer.from(steps) },
    ]);
    await drawn(3);
    await page.getByText('3 one after the other, at most 1 node at the same time').waitFor();
    const submit = page.getByRole('button', { name: 'Submit' });
    await expect.poll(() => submit.isEnabled()).toBe(true);
    expect(await user.axe()).toEqual([]);
    await submit.click();

    await page.getByRole('heading', { level: 1, name: 'made on the page' }).waitFor();
    // A node is read out as it is when it is moved to.
    await chip('1 succeeded').waitFor();
    await chip('1 running').waitFor();
    await drawing().focus();
    await page.keyboard.press('ArrowRight');
    await page.getByText('split, succeeded, waits for nothing').waitFor();
    await page.keyboard.press('ArrowRight');
    await page.getByText(/^the hard part, running/).waitFor();
    await page.keyboard.press('Enter');
    const details = panel('the hard part');
    await details.getByText('working on left').waitFor();
    await details.getByText('wait at the gate').waitFor();
    await details.getByText('50 %').waitFor();
    expect(await page.locator(':focus').textContent()).toBe('the hard part');
    expect(await user.axe()).toEqual([]);

    open('planned');
    await page.getByText('3 of 3 nodes done').waitFor();
    await chip('3 succeeded').waitFor();
    await details.getByText('done with left').waitFor();
    await details.getByLabel('result').getByText('"part": "left"').waitFor();
    await details.getByRole('link', { name: 'Download note.txt' }).waitFor();
    await page.keyboard.press('Escape');
    await details.waitFor({ state: 'detached' });
    expect(await drawing().evaluate((element) => element === globalThis.document.activeElement)).toBe(true);
  });

  it('tells before it is sent what is wrong, and where', async () => {
    const { page } = user;
    await user.open('/graphs/new');
    const wrong = { nodes: [{ id: 'a', process: 'convert_fil', deps: ['b'] }, node('b', 'split', { deps: ['a'] })] };
    await page.getByLabel('Graph as JSON').fill(JSON.stringify(wrong, null, 2));
    await page.keyboard.press('Control+Enter');
    await page.getByText(/there is no process "convert_fil"/).waitFor();
    await page.getByText(/the nodes wait for each other/).waitFor();
    expect(await page.getByRole('button', { name: 'Submit' }).isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'nodes[0].process' }).click();
    const selected = () =>
      page.getByLabel('Graph as JSON').evaluate((element) => {
        const { value, selectionStart, selectionEnd } = element as HTMLTextAreaElement;
        return value.slice(selectionStart, selectionEnd);
      });
    expect(await selected()).toBe('"convert_fil"');
    expect(await user.axe()).toEqual([]);
    await page.getByLabel('Graph as JSON').fill('{"nodes": [');
    await page.keyboard.press('Control+Enter');
    await page.getByText(/^This is no JSON/).waitFor();
    expect(await selected()).toBe('[');
  });

  it('shows a map as one box, which opens into its items', async () => {
    const { page } = user;
    const params = { part: '${{ item }}', gate: gate('mapped') };
    await show({
      name: 'with a map',
      nodes: [
        node('split', 'split'),
        node('each', 'work', { map: { over: 'nodes.split.result.parts', max: 10 }, params }),
        node('all', 'split', { deps: ['each'] }),
      ],
    });
    await drawn(6, 3);
    await drawing().focus();
    await page.keyboard.press('End');
    await page.keyboard.press('ArrowLeft');
    await page.getByText(/^each, 3 nodes, .*Space opens it$/).waitFor();
    await page.keyboard.press('Space');
    await drawn(6, 5);
    await page.keyboard.press('Escape');
    await drawn(6, 3);
    open('mapped');
    await chip('6 succeeded').waitFor();
  });

  it('lists what has failed, shows its traceback, and runs it again', async () => {
    const { page } = user;
    const params = { gate: gate('repaired') };
    await show({
      name: 'broken',
      nodes: [node('good', 'split'), node('bad', 'fail', { params }), node('after', 'split', { deps: ['bad'] })],
    });
    await chip('1 failed').click();
    const rows = page.getByRole('table', { name: 'Nodes of the graph' }).getByRole('row');
    await expect.poll(() => rows.count()).toBe(2);
    await page.getByRole('button', { name: 'bad', exact: true }).click();
    const details = panel('bad');
    await details.getByText('ValueError: the surface is not closed').first().waitFor();
    await details
      .getByLabel('Traceback')
      .getByText(/in fail/)
      .waitFor();
    expect(await user.axe()).toEqual([]);
    // The address leads to the same node.
    await page.reload();
    await details.waitFor();

    open('repaired');
    await page.getByText('Failed', { exact: true }).first().waitFor();
    await page.getByRole('button', { name: 'Retry what failed' }).click();
    await page.getByRole('link', { name: 'repeats a graph' }).waitFor();
    await page.getByText('3 of 3 nodes done').waitFor();
  });

  it('is paused, goes on, and is cancelled after a question, as a whole or a node of it', async () => {
    const { page } = user;
    const params = { part: 'x', gate: gate('never') };
    const id = await show({
      name: 'steered',
      nodes: [node('one', 'work', { params }), node('two', 'work', { params })],
    });
    await chip('2 running').waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('Paused', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('button', { name: 'Pause' }).waitFor();

    await page.goto(`${system.api.url}/ui/graphs/${id}?node=one`);
    await panel('one').getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Cancel the node' }).click();
    await chip('1 cancelled').waitFor();
    expect((await graphs.states(id))['one']).toBe('revoked');
    await panel('one').getByRole('button', { name: 'Retry' }).click();
    await chip('2 running').waitFor();
    await page.getByRole('button', { name: 'Close the details' }).click();

    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByRole('button', { name: 'Leave it' }).click();
    expect((await graphs.get(`/graphs/${id}`)).state).toBe('running');
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByRole('button', { name: 'Cancel the graph' }).click();
    await chip('2 cancelled').waitFor();
    await page.getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('button', { name: 'Remove it' }).click();
    await page.getByRole('heading', { level: 1, name: 'Graphs' }).waitFor();
    expect((await graphs.call(`/graphs/${id}`)).status).toBe(404);
  });

  it('tells who did what when, as bars and as a table', async () => {
    const { page } = user;
    const id = await show({ name: 'timed', nodes: [node('a', 'split'), node('b', 'split', { deps: ['a'] })] });
    await page.getByRole('link', { name: 'Timeline' }).click();
    await chip('2 succeeded').waitFor();
    await page.getByRole('application', { name: /^Timeline/ }).waitFor();
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await user.axe()).toEqual([]);
    await page.emulateMedia({ colorScheme: 'light' });
    await page.getByRole('button', { name: 'As a table' }).click();
    const rows = page.getByRole('table', { name: 'Attempts in the order in which they began' }).getByRole('row');
    await expect.poll(() => rows.count()).toBe(3);
    expect(await user.axe()).toEqual([]);
    await rows.getByRole('button', { name: 'b', exact: true }).click();
    await panel('b').waitFor();
    expect(new URL(page.url()).searchParams.get('node')).toBe('b');
    expect(new URL(page.url()).pathname).toBe(`/ui/graphs/${id}`);
  });

  it('goes on when the API was away', async () => {
    const { page } = user;
    const params = { part: 'x', gate: gate('away') };
    const graph = await show({ name: 'patient', nodes: [node('one', 'work', { params })] });
    await chip('1 running').waitFor();
    const { job } = await graphs.get(`/graphs/${graph}/nodes/one`);
    expect(await graphs.get(`/jobs/${job}/request`)).toMatchObject({ graph, node: 1 });
    const other = await user.newPage();
    await other.goto(`${system.api.url}/ui/jobs/${job}`);
    await other.getByText('Running').first().waitFor();
    await system.apiPart.stop();
    await page.getByText(/The connection is lost/).waitFor();
    await other.getByText(/The connection is lost/).waitFor();
    open('away');
    await system.startApi();
    await page.getByText('1 of 1 node done').waitFor();
    await page.getByText(/The connection is lost/).waitFor({ state: 'detached' });
    await other.getByText('Succeeded').first().waitFor();
    await other.getByText(/The connection is lost/).waitFor({ state: 'detached' });
    // Away when a graph is opened: it is asked for again.
    const address = `${system.api.url}/graphs/${graph}`;
    await other.route(address, (route) => route.abort());
    await other.getByRole('link', { name: 'its graph' }).click();
    const away = other.getByRole('alert').filter({ hasText: 'cannot be reached' });
    await away.waitFor();
    await other.unroute(address);
    await away.getByRole('button', { name: 'Try again' }).click();
    await other.getByText('1 of 1 node done').waitFor();
    await away.waitFor({ state: 'detached' });
    await other.close();
    // What a browser says of calls that nobody answered.
    expect(
      user.problems.splice(0).filter((text) => !/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE|ERR_EMPTY/.test(text)),
    ).toEqual([]);
  });
});
