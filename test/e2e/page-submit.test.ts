import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/config/project-root.js';
import { PageUnderTest } from '../support/browser.js';
import { type SystemUnderTest, startSystemUnderTest } from '../support/system.js';

/** Sending jobs from the page, in a real browser to the running system. */

let system: SystemUnderTest;
let user: PageUnderTest;
beforeAll(async () => {
  system = await startSystemUnderTest({ worker: { CONCURRENT_TASKS: '2' } });
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

const sent = async () => {
  await user.page.waitForURL(/\/ui\/jobs\/[0-9a-f-]{36}$/);
  return user.page.url().slice(-36);
};

describe('a job of a shipped process', () => {
  it('is made from a form that its docstring makes, with a file that is chosen', async () => {
    await user.open('/submit');
    const { page } = user;
    await page.getByRole('radio', { name: /convert_file/ }).check();
    await page.getByLabel('Input file').setInputFiles(join(projectRoot, 'samples', 'cover.stl'));
    await page.getByText('cover.stl', { exact: true }).first().waitFor();
    const extension = page.getByLabel('extension string');
    expect(await extension.getAttribute('placeholder')).toBe('pxz');
    await extension.fill('glb');
    await page.getByLabel('Name', { exact: true }).fill('cover for the shop');
    await page.getByLabel('Queue').fill('gpu');
    await page.getByText('One worker serves it').waitFor();
    expect(await user.axe()).toEqual([]);
    await page.getByRole('button', { name: 'Submit' }).click();
    const job = await sent();
    const { name, queue, result } = await system.api.ended(job);
    expect({ name, queue, result }).toMatchObject({
      name: 'cover for the shop',
      queue: 'gpu',
      result: { output: 'output.glb' },
    });
    await page.getByRole('heading', { level: 1, name: 'cover for the shop' }).waitFor();
  });

  it('is made by keyboard alone', async () => {
    await user.open('/submit');
    const { page } = user;
    await page.getByRole('radio', { name: /api_test/ }).focus();
    await page.keyboard.press('Space');
    // The arrow keys go through the choices, as in every group of them.
    for (let at = 0; at < 4; at += 1) await page.keyboard.press('ArrowDown');
    expect(await page.getByRole('radio', { name: /sleep/ }).isChecked()).toBe(true);
    await page.getByLabel('duration').focus();
    await page.keyboard.type('0.01');
    await page.keyboard.press('Enter');
    expect((await system.api.ended(await sent())).result).toEqual({ sleep: 0.01 });
  });

  it('is refused field by field, before anything is sent', async () => {
    await user.open('/submit?process=generate_thumbnails');
    const { page } = user;
    await page.getByLabel('width integer').fill('wide');
    await page.getByLabel('Time limit, seconds').fill('an hour');
    await page.getByRole('button', { name: 'Submit' }).click();
    await page.getByText('width must be a whole number').waitFor();
    await page.getByText('The time limit must be a number').waitFor();
    await expect.poll(() => page.locator(':focus').getAttribute('id')).toBe('param-width');
    expect(await user.axe()).toEqual([]);
    await page.getByRole('button', { name: 'As JSON' }).click();
    await page.getByLabel('Parameters as JSON').fill('{"width": ');
    await page.getByRole('button', { name: 'Submit' }).click();
    await page.getByText('This is not JSON').waitFor();
  });

  it('is stopped while its file is sent, by a button or by going somewhere else', async () => {
    const file = join(system.folder, 'large.step');
    await writeFile(file, Buffer.alloc(8_000_000));
    await user.open('/submit?process=sleep');
    const { page } = user;
    const connection = await page.context().newCDPSession(page);
    const slow = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 500_000 };
    await connection.send('Network.emulateNetworkConditions', slow);
    await page.getByLabel('Name', { exact: true }).fill('never sent');
    await page.getByLabel('Input file').setInputFiles(file);
    const submit = page.getByRole('button', { name: 'Submit' });
    await submit.click();
    await page.getByRole('button', { name: 'Stop sending' }).click();
    await expect.poll(() => submit.isEnabled()).toBe(true);
    expect(await page.getByRole('progressbar').count()).toBe(0);
    await submit.click();
    await page.getByRole('button', { name: 'Stop sending' }).waitFor();
    const ended = page.waitForEvent('requestfailed');
    await page.getByRole('link', { name: 'Graphs' }).click();
    await ended;
    await connection.detach();
    await page.getByRole('heading', { level: 1, name: 'Graphs' }).waitFor();
    const { jobs } = await (await system.api.get('/jobs?view=table&name=never%20sent')).json();
    expect(jobs).toEqual([]);
  });

  it('cannot be sent before it is known what there is to run', async () => {
    const { page } = user;
    let answer = () => {};
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await page.route('**/processes?details=true', async (route) => {
      await held;
      await route.continue();
    });
    await user.open('/submit?process=sleep');
    const submit = page.getByRole('button', { name: 'Submit' });
    await submit.waitFor();
    expect(await submit.isDisabled()).toBe(true);
    answer();
    await expect.poll(() => submit.isEnabled()).toBe(true);
    await page.unroute('**/processes?details=true');
  });

  it('is refused by the server with its reason', async () => {
    await user.open('/submit?process=sleep');
    const { page } = user;
    await page.getByLabel('Queue').fill('not a queue!');
    await page.getByRole('button', { name: 'Submit' }).click();
    await page.getByRole('alert').filter({ hasText: 'is not a queue name' }).waitFor();
    expect(user.problems.splice(0).join()).toContain('400');
  });
});

describe('a job of a script', () => {
  const script = `from pixyz_worker.script import *

@pixyz_schedule(queue="gpu", time_limit=600)
def turn(pc, params):
    """Turn a model around its vertical axis.

    Params:
        angle (float, degrees, default 90): how far.
        quality ("draft" | "final", default "draft"): how well.
        big (int): a large number.
        parts (list, required): names of the parts.
    """
    return params
`;

  it('is looked at first: its function is found, and its parameters make the form', async () => {
    const path = join(system.folder, 'turn.py');
    await writeFile(path, script);
    await user.open('/submit');
    const { page } = user;
    await page.getByRole('radio', { name: /A script of mine/ }).check();
    await page.getByRole('button', { name: 'Submit' }).click();
    await page.getByText('Choose the script first').waitFor();
    await page.getByLabel('Python script').setInputFiles(path);
    await page.getByRole('alert').filter({ hasText: 'main' }).waitFor();
    expect(await page.getByText('Choose the script first').count()).toBe(0);
    await page.getByLabel('Function', { exact: true }).fill('turn');
    await page.getByLabel('quality').selectOption('final');
    expect(await page.getByLabel('Queue').getAttribute('placeholder')).toBe('gpu');
    expect(await page.getByLabel('Time limit, seconds').getAttribute('placeholder')).toBe('600');
    await page.getByLabel('big integer').fill('12345678901234567890');
    await page.getByRole('button', { name: 'Submit' }).click();
    await page.getByText('parts is needed').waitFor();
    expect(await user.axe()).toEqual([]);
    await page.getByLabel('parts array').fill('["lid", "body"]');
    await page.getByRole('button', { name: 'Submit' }).click();
    const job = await sent();
    const text = await (await system.api.get(`/jobs/${job}/request`)).text();
    expect(JSON.parse(text)).toMatchObject({ script: 'turn.py', entrypoint: 'turn', queue: 'gpu', time_limit: 600 });
    // Not one digit is lost on the way.
    expect(text).toContain('12345678901234567890');
    expect((await system.api.ended(job)).result).toMatchObject({ quality: 'final', parts: ['lid', 'body'] });
  });

  it('is sent with a file that is dropped', async () => {
    await user.open('/submit');
    const { page } = user;
    await page.getByRole('radio', { name: /A script of mine/ }).check();
    const drop = async (label: string, name: string, content: string) => {
      const data = await page.evaluateHandle(
        ([fileName, text]) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([text as string], fileName as string));
          return transfer;
        },
        [name, content],
      );
      await page.locator('.drop').filter({ hasText: label }).dispatchEvent('drop', { dataTransfer: data });
    };
    await drop('Python script', 'size.py', 'def main(pc, params): return open(pc.get_input_file()).read()');
    await drop('Input file', 'input.txt', 'dropped');
    await page.getByText('size.py', { exact: true }).first().waitFor();
    await page.getByRole('button', { name: 'Submit' }).click();
    expect((await system.api.ended(await sent())).result).toBe('dropped');
  });
});
