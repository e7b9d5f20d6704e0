import type { Page } from 'playwright-core';

/** What runs in the page has these; what is checked here knows nothing of browsers. */
interface Browser {
  requestAnimationFrame(callback: (now: number) => void): void;
  frameWatch: { longest: number; last: number; isOver: boolean };
}

/** The longest time between two frames of the page while something is done to it, ms. */
export async function longestFrame(page: Page, act: () => Promise<void>): Promise<number> {
  await page.evaluate(() => {
    const browser = globalThis as unknown as Browser;
    const watch = { longest: 0, last: performance.now(), isOver: false };
    browser.frameWatch = watch;
    const look = (now: number) => {
      watch.longest = Math.max(watch.longest, now - watch.last);
      watch.last = now;
      if (!watch.isOver) browser.requestAnimationFrame(look);
    };
    browser.requestAnimationFrame((now) => {
      watch.last = now;
      browser.requestAnimationFrame(look);
    });
  });
  await act();
  return page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const browser = globalThis as unknown as Browser;
        // What the last action has caused is still to come.
        browser.requestAnimationFrame(() =>
          browser.requestAnimationFrame(() => {
            browser.frameWatch.isOver = true;
            resolve(browser.frameWatch.longest);
          }),
        );
      }),
  );
}

/**
 * The most that the page itself has to do for one of some actions, until it is drawn: processor time of its main thread, ms. Unlike
 * the time between frames it is the same beside other programs.
 */
export async function mostWork(page: Page, actions: readonly (() => Promise<void>)[]): Promise<number> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
  const spent = async () => {
    const { metrics } = await devtools.send('Performance.getMetrics');
    return 1000 * (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN);
  };
  let most = 0;
  for (const act of actions) {
    const before = await spent();
    await longestFrame(page, act);
    most = Math.max(most, (await spent()) - before);
  }
  await devtools.detach();
  return most;
}
