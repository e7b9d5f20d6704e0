import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PageUnderTest } from '../support/browser.js';
import { type SystemUnderTest, startSystemUnderTest, testToken } from '../support/system.js';

/** The page as a whole, in a real browser: how it is served, and what every view has around it. */

let system: SystemUnderTest;
let user: PageUnderTest;
beforeAll(async () => {
  system = await startSystemUnderTest();
  user = await PageUnderTest.start(system.api.url);
});
afterAll(async () => {
  await user?.stop();
  await system?.stop();
});
afterEach(() => {
  expect(user.problems.splice(0)).toEqual([]);
});

describe('the page', () => {
  it('is sent with a policy that lets nothing run but its own files', async () => {
    const answer = await fetch(`${system.api.url}/ui/jobs/any`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toContain('text/html');
    expect(answer.headers.get('cache-control')).toBe('no-cache');
    const policy = answer.headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'");
    // WebAssembly is for compressed models; nothing else is made of text at run time.
    expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval';");
    expect(policy).not.toMatch(/'unsafe-(inline|eval)'/);
  });

  it('is compressed, and its assets are kept by browsers for good', async () => {
    const html = await (await fetch(`${system.api.url}/ui`)).text();
    const [, script = ''] = /<script type="module"[^>]* src="([^"]+)"/.exec(html) ?? [];
    const answer = await fetch(system.api.url + script, { headers: { 'accept-encoding': 'br' } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-encoding')).toBe('br');
    expect(answer.headers.get('cache-control')).toContain('immutable');
    expect((await fetch(`${system.api.url}/ui/assets/missing.js`)).status).toBe(404);
  });

  it('asks for the token first, refuses a wrong one, and then shows what the address says', async () => {
    const { page } = user;
    await page.goto(`${system.api.url}/ui/workers`);
    const token = page.getByLabel('Token', { exact: true });
    await token.waitFor();
    expect(await user.axe()).toEqual([]);
    await page.keyboard.type('guess');
    await page.keyboard.press('Enter');
    await page.getByText('This is not the token.').waitFor();
    expect(await user.axe()).toEqual([]);
    expect(user.problems.splice(0)).toEqual([expect.stringContaining('401')]);
    // What was wrong is selected: typing replaces it.
    await page.keyboard.type(testToken);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Workers and queues' }).waitFor();
    expect(await page.evaluate(() => document.cookie)).toBe('');
    expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain(testToken);
  });

  it('leads by keyboard from place to place, with the focus at the top of each', async () => {
    await user.signIn();
    await user.open('/jobs');
    const { page } = user;
    await page.keyboard.press('Tab');
    expect(await page.locator(':focus').textContent()).toBe('Skip to the content');
    await page.getByRole('link', { name: 'Submit' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Submit' }).waitFor();
    // Set after the view has been drawn.
    await expect.poll(() => page.title()).toBe('Submit · Pixyz Scheduler');
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe('content');
    await expect.poll(() => page.getByRole('link', { name: 'Submit' }).getAttribute('aria-current')).toBe('page');
    await page.goBack();
    await page.getByRole('heading', { level: 1, name: 'Jobs' }).waitFor();
  });

  it('is light or dark as the system is, or as chosen, also after it was opened anew', async () => {
    await user.signIn();
    const { page } = user;
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await page.emulateMedia({ colorScheme: 'dark' });
    await user.open('/jobs');
    const dark = await ground();
    expect(await user.axe()).toEqual([]);
    await page.emulateMedia({ colorScheme: 'light' });
    await expect.poll(ground).not.toBe(dark);
    const light = await ground();
    await page.getByRole('button', { name: /Change to light/ }).click();
    await page.getByRole('button', { name: /Change to dark/ }).click();
    await page.reload();
    await page.getByRole('button', { name: /Colours: dark/ }).waitFor();
    expect(await ground()).toBe(dark);
    await page.getByRole('button', { name: /Change to as the system/ }).click();
    await expect.poll(ground).toBe(light);
  });

  it('fits on a phone, where it can be used as well', async () => {
    await user.signIn();
    const job = await system.api.submit({
      script: 'def main(pc, params): 1 / 0',
      name: 'a job with quite a long name',
    });
    await system.api.ended(job);
    const { page } = user;
    await page.setViewportSize({ width: 390, height: 800 });
    for (const path of ['/jobs', `/jobs/${job}`, '/submit', '/workers', '/workflows', '/graphs']) {
      await user.open(path);
      expect(await user.axe(), path).toEqual([]);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(wide, path).toBeLessThanOrEqual(0);
    }
    await page.setViewportSize({ width: 1360, height: 850 });
  });

  it('asks again when the session is over, and after signing out', async () => {
    await user.signIn();
    await user.open('/jobs');
    await user.page.getByRole('button', { name: 'Sign out' }).click();
    await user.page.getByLabel('Token', { exact: true }).waitFor();
    const answer = await user.page.evaluate(async () => (await fetch('/jobs')).status);
    expect(answer).toBe(401);
    // What the page asked for just before comes back as 401, too.
    const problems = user.problems.splice(0);
    expect(problems).not.toEqual([]);
    expect(problems.filter((problem) => !problem.includes('401'))).toEqual([]);
  });
});
