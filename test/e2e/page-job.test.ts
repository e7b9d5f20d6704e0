import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/config/project-root.js';
import { PageUnderTest } from '../support/browser.js';
import { type SystemUnderTest, startSystemUnderTest } from '../support/system.js';

/** One job on the page, in a real browser on the running system. */

let system: SystemUnderTest;
let user: PageUnderTest;
beforeAll(async () => {
  system = await startSystemUnderTest({ worker: { CONCURRENT_TASKS: '2' } });
  user = await PageUnderTest.start(system.api.url, { acceptDownloads: true, webgl: true });
  await user.signIn();
});
afterAll(async () => {
  await user?.stop();
  await system?.stop();
});
afterEach(() => {
  expect(user.problems.splice(0)).toEqual([]);
});

/** A script that goes on when the test says so. */
const gated = `
import os, time
def main(pc, params):
    pc.progress_set_total(4)
    pc.progress_next('reading')
    print('one line', flush=True)
    pc.progress_next('writing')
    print('another line', flush=True)
    while not os.path.exists(params['go']):
        time.sleep(0.01)
    print('the last line', flush=True)
    return {'answer': 42}
`;

describe('a job that runs', () => {
  it('shows state, steps and log as they come, and then what it returned', async () => {
    const go = join(system.folder, 'go');
    const job = await system.api.submit({ script: gated, params: { go, size: 12 }, name: 'gated job' });
    await user.open(`/jobs/${job}`);
    const { page } = user;
    await page.getByText('Running').first().waitFor();
    await page.getByRole('listitem').filter({ hasText: 'writing' }).waitFor();
    const log = page.getByRole('log');
    await log.getByText('another line').waitFor();
    expect(await log.textContent()).not.toContain('the last line');
    expect(await page.getByRole('progressbar').getAttribute('value')).toBe('25');
    expect(await page.getByLabel('Parameters').textContent()).toContain('"size": 12');
    expect(await user.axe()).toEqual([]);

    await writeFile(go, '');
    await page.getByText('Succeeded').first().waitFor();
    await log.getByText('the last line').waitFor();
    expect(await page.getByLabel('Result', { exact: true }).last().textContent()).toContain('"answer": 42');
    await page.getByText('The job left no files.').waitFor();
    expect(await page.title()).toBe('gated job · Pixyz Scheduler');
  });

  it('can be cancelled, and run again as a new job', async () => {
    const go = join(system.folder, 'never');
    const job = await system.api.submit({ script: gated, params: { go } });
    await user.open(`/jobs/${job}`);
    const { page } = user;
    await page.getByText('Running').first().waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('Cancelled').first().waitFor();
    await writeFile(go, '');
    await page.getByRole('button', { name: 'Run again' }).click();
    await page.getByRole('link', { name: 'Repeats another job' }).waitFor();
    await page.getByText('Succeeded').first().waitFor();
    expect(page.url()).not.toContain(job);
  });

  it('can be deleted, once that was confirmed', async () => {
    const job = await system.api.submit({ script: 'def main(pc, params): pass' });
    await user.open(`/jobs/${job}`);
    const { page } = user;
    await page.getByRole('button', { name: 'Delete' }).click();
    expect(await user.axe()).toEqual([]);
    await page.getByRole('button', { name: 'Leave it' }).click();
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('heading', { level: 1, name: 'Jobs' }).waitFor();
    expect((await system.api.get(`/jobs/${job}/events`)).status).toBe(404);
  });
});

describe('a job that failed', () => {
  it('says why first, with the traceback, and lists its attempts', async () => {
    const script = 'def inner(): raise ValueError("no such part")\ndef main(pc, params):\n    inner()\n';
    const job = await system.api.submit({ script });
    await user.open(`/jobs/${job}`);
    const { page } = user;
    await page.getByRole('heading', { name: 'Why it failed' }).waitFor();
    await page.getByText('ValueError: no such part', { exact: true }).waitFor();
    expect(await page.getByLabel('Traceback', { exact: true }).last().textContent()).toContain('in inner');
    const attempts = page.getByRole('region', { name: 'Attempts' }).getByRole('row');
    // The head, the attempt, and below it what was the matter.
    expect(await attempts.count()).toBe(3);
    expect(await attempts.nth(1).textContent()).toContain('exception');
    expect(await attempts.nth(2).textContent()).toContain('no such part');
    expect(await user.axe()).toEqual([]);
  });

  it('that nobody knows is told as such', async () => {
    await user.open('/jobs/3c7b1077-d4f2-42ce-98b0-8d9fba12a471');
    await user.page.getByText('there is no job 3c7b1077').waitFor();
    expect(user.problems.splice(0).join()).toContain('404');
  });
});

describe('what a job has made', () => {
  it('is shown: pictures, a model to turn by mouse and keyboard, mesh statistics, texts', async () => {
    const params = { width: 160, height: 160 };
    const process = 'generate_thumbnails';
    const job = await system.api.submit({ process, params, file: join(projectRoot, 'samples', 'cover.stl') });
    await user.open(`/jobs/${job}`);
    const { page } = user;
    const { result } = await system.api.ended(job);
    const triangles = (result as { metadata: { polygon_count: number } }).metadata.polygon_count.toLocaleString(
      'en-GB',
    );

    const statistics = page.getByRole('region', { name: 'Mesh statistics' });
    await statistics.getByText(triangles, { exact: true }).waitFor();

    const pictures = page.locator('.picture button img');
    await pictures.nth(3).waitFor();
    expect(await pictures.first().evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(160);
    await page.getByRole('button', { name: 'Enlarge iso.png' }).click();
    await page.getByRole('dialog', { name: 'iso.png' }).getByRole('img', { name: 'iso.png' }).waitFor();
    await page.keyboard.press('Escape');

    const model = page.getByRole('application', { name: '3D model preview.glb' });
    await page.locator('canvas[data-state=shown]').waitFor();
    await page.getByText(`${triangles} triangles`).waitFor();
    const before = await model.screenshot();
    await model.focus();
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');
    await expect.poll(async () => (await model.screenshot()).equals(before)).toBe(false);
    expect(await user.axe()).toEqual([]);

    await page.getByRole('button', { name: 'View metadata.json' }).click();
    await page.getByLabel('metadata.json', { exact: true }).getByText('polygon_count').waitFor();
  });

  it('may be more than a browser can take at once, and keeps every digit', async () => {
    const script = `
import base64, sys
png = base64.b64decode('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==')
def main(pc, params):
    sys.stdout.write('A' * 300000 + chr(10))
    for at in range(40):
        sys.stdout.write(chr(13) + '%d of 40' % at)
    sys.stdout.write(chr(10) + 'the end' + chr(10))
    for at in range(30):
        open(pc.get_output_dir('%02d.png' % at), 'wb').write(png)
    open(pc.get_output_dir('00 broken.png'), 'w').write('no picture')
    return {'big': 12345678901234567890, 'whole': 1.0, 'list': params}
`;
    const params = Array.from({ length: 20_000 }, (_, at) => ({ at, name: `item ${at}`, list: [at] }));
    const job = await system.api.submit({ script, params });
    await system.api.ended(job);
    await user.open(`/jobs/${job}`);
    const { page } = user;
    await page.getByRole('log').getByText('the end').waitFor();
    expect(await page.getByRole('log').textContent()).toMatch(/A … A+\n39 of 40\nthe end\n$/);
    const result = page.getByRole('region', { name: 'Result' });
    await result.getByText('12345678901234567890').waitFor();
    expect(await result.textContent()).toContain('"whole": 1.0,');
    await page.getByRole('region', { name: 'Request' }).getByText('"name": "item 0"').waitFor();
    await page.getByText('00 broken.png cannot be shown').waitFor();
    expect(await page.locator('.gallery > li').count()).toBe(24);
    await page.getByRole('button', { name: 'Show 7 more of 31 pictures' }).click();
    await expect.poll(() => page.locator('.gallery > li').count()).toBe(31);
  });

  it('is downloaded file by file, or as a whole', async () => {
    const script = `
def main(pc, params):
    for name in ('a.bin', 'b.txt'):
        with open(pc.get_output_dir(name), 'w') as file:
            file.write(name)
`;
    const job = await system.api.submit({ script });
    await user.open(`/jobs/${job}`);
    const { page } = user;
    const [one] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download a.bin' }).click(),
    ]);
    expect(one.suggestedFilename()).toBe('a.bin');
    expect(await readFile(await one.path(), 'utf8')).toBe('a.bin');
    const [all] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'All as zip' }).click(),
    ]);
    expect((await readFile(await all.path())).subarray(0, 2).toString()).toBe('PK');
    // Made on demand: the browser was told to wait.
    user.problems.splice(0);
  });

  it('cannot become a page of ours: what a script made is only ever a download', async () => {
    const script = `
def main(pc, params):
    with open(pc.get_output_dir('page.html'), 'w') as file:
        file.write('<script>document.title = "taken over"</script>')
    with open(pc.get_output_dir('picture.svg'), 'w') as file:
        file.write('<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><script>parent.document.title = "taken over"</script><rect width="40" height="30" fill="teal"/></svg>')
`;
    const name = '<img src=x onerror="document.title = 1">';
    const job = await system.api.submit({ script, name });
    await user.open(`/jobs/${job}`);
    const { page } = user;
    const picture = page.locator('.picture button img');
    await picture.waitFor();
    expect(await picture.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(40);
    await page.getByRole('button', { name: 'View page.html' }).click();
    await page.getByLabel('page.html', { exact: true }).getByText('<script>').waitFor();
    expect(await page.title()).toBe(`${name} · Pixyz Scheduler`);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.evaluate((url) => window.open(url), `/jobs/${job}/outputs/page.html`),
    ]);
    expect(download.suggestedFilename()).toBe('page.html');
  });
});
