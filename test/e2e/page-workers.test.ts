import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/config/project-root.js';
import { PageUnderTest } from '../support/browser.js';
import { type SystemUnderTest, startSystemUnderTest } from '../support/system.js';

/** Workers, queues and workflow files on the page, in a real browser on the running system. */

let system: SystemUnderTest;
let user: PageUnderTest;
const gated = `
import os, time
def main(pc, params):
    while not os.path.exists(params['go']):
        time.sleep(0.01)
`;
beforeAll(async () => {
  system = await startSystemUnderTest({
    env: { WORKFLOWS_PATH: join(projectRoot, 'workflows') },
    worker: { CONCURRENT_TASKS: '2' },
  });
  user = await PageUnderTest.start(system.api.url);
  await user.signIn();
});
afterAll(async () => {
  await user?.stop();
  await system?.stop();
});
afterEach(() => {
  expect(user.problems.splice(0)).toEqual([]);
});

describe('workers and queues', () => {
  it('show what runs where, live', async () => {
    await user.open('/workers');
    const { page } = user;
    const worker = page.getByRole('article');
    await worker.getByText('0 of 2').waitFor();
    await worker.getByText(/cores/).waitFor();
    expect(await page.getByRole('rowheader').allTextContents()).toEqual(
      expect.arrayContaining(['cpu', 'gpu', 'gpuhigh', 'control', 'zip service', 'clean service']),
    );
    const go = join(system.folder, 'go');
    const job = await system.api.submit({ script: gated, params: { go }, name: 'hull section' });
    await worker.getByText('1 of 2').waitFor();
    const link = worker.getByRole('link', { name: 'hull section' });
    expect(await link.getAttribute('href')).toBe(`/ui/jobs/${job}`);
    expect(await user.axe()).toEqual([]);
    await writeFile(go, '');
    await link.waitFor({ state: 'detached' });
    await worker.getByText('1 succeeded, 0 failed').waitFor();
  });

  it('show a queue that nobody serves when jobs wait in it', async () => {
    const job = await system.api.submit({ process: 'api_test', config: { queue: 'far-away' } });
    await user.open('/workers');
    const { page } = user;
    const queue = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: 'far-away' }) });
    await queue.getByText('No worker').waitFor();
    expect(await queue.getByRole('cell').first().textContent()).toBe('1');
    const headers = { 'x-api-key': system.api.token };
    expect((await fetch(`${system.api.url}/jobs/${job}/cancel`, { method: 'POST', headers })).status).toBe(200);
  });

  it('can be paused and resumed: what comes meanwhile waits, and says why', async () => {
    await user.open('/workers');
    const { page } = user;
    const queue = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: 'gpu', exact: true }) });
    await queue.getByRole('button', { name: 'Pause queue gpu' }).click();
    await page.getByRole('dialog').getByLabel('Reason, for the others').fill('new driver');
    expect(await user.axe()).toEqual([]);
    await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click();
    await queue.getByText('Paused').waitFor();
    await queue.getByText(/new driver/).waitFor();
    const job = await system.api.submit({ process: 'api_test', config: { queue: 'gpu' } });
    const other = await user.newPage();
    await other.goto(`${user.url}/ui/jobs/${job}`);
    await other.getByText(/It waits: .*paused/).waitFor();
    await queue.getByRole('button', { name: 'Resume queue gpu' }).click();
    await queue.getByText('Paused').waitFor({ state: 'detached' });
    await other.getByText('Succeeded').first().waitFor();
    await other.close();
  });

  it('can be drained: the worker finishes what it runs, and goes', async () => {
    const go = join(system.folder, 'go-drain');
    const job = await system.api.submit({ script: gated, params: { go } });
    await system.api.reached(job, 'RUNNING');
    await user.open('/workers');
    const { page } = user;
    await page.getByRole('button', { name: /^Drain/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Drain' }).click();
    await page.getByText('Draining').waitFor();
    expect(await user.axe()).toEqual([]);
    await writeFile(go, '');
    expect((await system.api.ended(job)).status).toBe('SUCCESS');
    await page.getByText('No worker is alive').waitFor();
    await page.getByRole('row').filter({ hasText: 'cpu' }).getByText('No worker').waitFor();
    expect(await user.axe()).toEqual([]);
    await system.startWorker({ CONCURRENT_TASKS: '2' });
    await page.getByRole('article').waitFor();
  });
});

describe('workflow files', () => {
  it('are listed with what they do, and run with an input that their schema makes a form of', async () => {
    await user.open('/workflows');
    const { page } = user;
    const workflow = page.getByRole('region', { name: 'convert-and-thumbnail' });
    await workflow.getByText('Converts a model, and makes pictures of it.').waitFor();
    await workflow.getByText('Run it').click();
    await workflow.getByLabel('extension').selectOption('stl');
    await workflow.getByLabel('size').fill('64');
    await workflow.getByLabel('File for').setInputFiles(join(projectRoot, 'samples', 'cover.stl'));
    expect(await user.axe()).toEqual([]);
    await workflow.getByRole('button', { name: 'Run convert-and-thumbnail' }).click();
    await page.waitForURL(/\/ui\/graphs\/[0-9a-f-]{36}$/);
    const graph = page.url().slice(-36);
    const state = await (await system.api.get(`/graphs/${graph}`)).json();
    expect(state).toMatchObject({ workflow: { name: 'convert-and-thumbnail' } });
  });
});
