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
