import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PageUnderTest } from '../support/browser.js';
import { type SystemUnderTest, startSystemUnderTest } from '../support/system.js';

/** The lists of jobs and graphs on the page, in a real browser on the running system. */

let system: SystemUnderTest;
let user: PageUnderTest;
let go: string;
const gated = `
import os, time
def main(pc, params):
    pc.progress_set_total(2)
    pc.progress_next('one')
    pc.progress_next('two')
    while not os.path.exists(params['go']):
        time.sleep(0.01)
`;

beforeAll(async () => {
  system = await startSystemUnderTest({ worker: { CONCURRENT_TASKS: '2' } });
  user = await PageUnderTest.start(system.api.url);
  await user.signIn();
  go = join(system.folder, 'go');
});
afterAll(async () => {
  await user?.stop();
  await system?.stop();
});
afterEach(() => {
  expect(user.problems.splice(0)).toEqual([]);
});

const row = (text: string | RegExp) => user.page.getByRole('row').filter({ hasText: text });

describe('the list of jobs', () => {
  it('says that there are none, and where to send the first', async () => {
    await user.open('/jobs');
    await user.page.getByText('No jobs yet').waitFor();
    expect(await user.axe()).toEqual([]);
    await user.page.getByRole('link', { name: 'Send the first one' }).click();
    await user.page.getByRole('heading', { level: 1, name: 'Submit' }).waitFor();
  });

  it('shows jobs as they come, run and end, without being asked', async () => {
    await user.open('/jobs');
    const job = await system.api.submit({ script: gated, params: { go }, name: 'gear box' });
    await row('gear box').getByText('Running').waitFor();
    expect(await row('gear box').getByRole('progressbar').getAttribute('value')).toBe('50');
    expect(await user.axe()).toEqual([]);
    await writeFile(go, '');
    await row('gear box').getByText('Succeeded').waitFor();
    await row('gear box').getByRole('link', { name: 'gear box' }).click();
    await user.page.waitForURL(`**/ui/jobs/${job}`);
  });

  it('is narrowed by state, queue, time and a part of the name, all of it in the address', async () => {
    await system.api.run({ script: 'def main(pc, params): 1 / 0', name: 'crane arm' });
    await system.api.run({ process: 'api_test', name: 'Crane hook', config: { queue: 'gpu' } });
    await user.open('/jobs');
    const { page } = user;
    await row('Crane hook').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('CRANE');
    await row('gear box').waitFor({ state: 'detached' });
    expect(await row(/crane/i).count()).toBe(2);
    await page.getByRole('link', { name: /^Failed/ }).click();
    await row('Crane hook').waitFor({ state: 'detached' });
    await row('crane arm').waitFor();
    expect(page.url()).toContain('state=failed');
    await page.getByRole('link', { name: /^All/ }).click();
    await page.getByLabel('Queue').selectOption('gpu');
    await row('crane arm').waitFor({ state: 'detached' });
    await row('Crane hook').waitFor();
    await page.reload();
    await row('Crane hook').waitFor();
    expect(await row(/crane/i).count()).toBe(1);
    await page.getByLabel('Requested').selectOption('custom');
    await page.getByLabel('To').fill('2001-01-01T00:00');
    await page.getByText('No job is like this').waitFor();
    await page.goBack();
    await row('Crane hook').waitFor();
  });

  it('cancels and repeats many at once, and says what could not be done', async () => {
    const gate = join(system.folder, 'second');
    for (const name of ['bulk 1', 'bulk 2', 'bulk 3']) {
      await system.api.submit({ script: gated, params: { go: gate }, name });
    }
    await user.open('/jobs?q=bulk');
    const { page } = user;
    await page.getByRole('checkbox', { name: 'Select bulk 1' }).check();
    await page.getByRole('checkbox', { name: 'Select bulk 3' }).check();
    const bar = page.getByRole('region', { name: 'Selection' });
    await bar.getByText('2 jobs selected').waitFor();
    expect(await bar.getByRole('button', { name: 'Run again' }).isDisabled()).toBe(true);
    await bar.getByRole('button', { name: 'Cancel' }).click();
    expect(await user.axe()).toEqual([]);
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await bar.getByText('2 jobs cancelled').waitFor();
    await row('bulk 1').getByText('Cancelled').waitFor();
    await row('bulk 3').getByText('Cancelled').waitFor();
    await row('bulk 2').getByText('Running').waitFor();
    await writeFile(gate, '');
    await row('bulk 2').getByText('Succeeded').waitFor();

    await page.getByRole('checkbox', { name: 'Select all on this page' }).check();
    await bar.getByRole('button', { name: 'Run again' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Run again' }).click();
    await bar.getByText('3 jobs sent again').waitFor();
    await expect.poll(() => row('bulk').count()).toBe(6);
    await expect.poll(() => row('bulk').getByText('Succeeded').count()).toBe(4);
  });

  it('has pages that lead on and back', async () => {
    const many = Array.from({ length: 60 }, (_, n) => system.api.submit({ process: 'api_test', name: `many ${n}` }));
    for (const job of await Promise.all(many)) await system.api.ended(job);
    await user.open('/jobs?q=many&state=succeeded');
    const { page } = user;
    const next = page.getByRole('link', { name: 'Next page' });
    await next.waitFor();
    await expect.poll(() => row('many').count()).toBe(50);
    const first = await row('many').getByRole('link').first().textContent();
    await next.click();
    await expect.poll(() => row('many').count()).toBe(10);
    expect(await page.getByText(first as string, { exact: true }).count()).toBe(0);
    const bar = page.getByRole('region', { name: 'Selection' });
    await row('many').getByRole('checkbox').first().check();
    await page.getByRole('link', { name: 'First page' }).click();
    await page.getByText(first as string, { exact: true }).waitFor();
    await bar.getByText('1 job selected').waitFor();
    await bar.getByRole('button', { name: 'Select on all pages' }).click();
    await bar.getByText('60 jobs selected').waitFor();
    await page.getByRole('link', { name: /^Failed/ }).click();
    await bar.waitFor({ state: 'detached' });
  });

  it('keeps all columns in sight beside the longest name', async () => {
    const name = 'X'.repeat(250);
    await system.api.run({ process: 'api_test', name });
    await user.open('/jobs?q=XXX');
    const last = row(name).getByRole('cell').last();
    await last.waitFor();
    const { x, width } = (await last.boundingBox()) as { x: number; width: number };
    expect(x + width).toBeLessThan(1360);
  });

  it('keeps what it knows while the server cannot be reached, and goes on by itself', async () => {
    await user.open('/jobs?q=crane');
    const { page } = user;
    await row('crane arm').waitFor();
    await page.route('**/jobs?*', (route) => route.abort());
    await page.getByRole('alert').filter({ hasText: 'cannot be reached' }).waitFor();
    await row('crane arm').waitFor();
    expect(await user.axe()).toEqual([]);
    // Asked for before the server is back: then the list may be quicker than whoever would press the button.
    const asked = page.waitForRequest('**/jobs?*');
    await page.getByRole('button', { name: 'Try again' }).click();
    await asked;
    await page.unroute('**/jobs?*');
    await page.getByRole('alert').filter({ hasText: 'cannot be reached' }).waitFor({ state: 'detached' });
    user.problems.splice(0);
  });
});

describe('the list of graphs', () => {
  it('shows how far each is, is narrowed, and cancels many at once', async () => {
    await user.open('/graphs');
    await user.page.getByText('No graphs yet').waitFor();
    const gate = join(system.folder, 'third');
    const form = new FormData();
    const nodes = [
      { id: 'first', process: 'api_test' },
      { id: 'wait', script: 'gated', params: { go: gate }, deps: ['first'] },
      { id: 'last', process: 'api_test', deps: ['wait'] },
    ];
    form.set('graph', JSON.stringify({ name: 'assembly', nodes }));
    form.set('gated', new Blob([gated]), 'gated.py');
    const headers = { 'x-api-key': system.api.token };
    const answer = await fetch(`${system.api.url}/graphs`, { method: 'POST', headers, body: form });
    expect(answer.status).toBe(200);
    await row('assembly').getByText('1 succeeded, 1 running, 1 waiting').waitFor();
    expect(await user.axe()).toEqual([]);
    const { page } = user;
    await page.getByRole('checkbox', { name: 'Select assembly' }).check();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('region', { name: 'Selection' }).getByText('1 graph cancelled').waitFor();
    await row('assembly').getByText('Cancelled', { exact: true }).waitFor();
    await page.getByRole('link', { name: /^Succeeded/ }).click();
    await page.getByText('No graph is like this').waitFor();
  });
});
