import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { readSettings } from '../../src/config/settings.js';
import { obtainChromium } from './chromium.js';
import { testToken } from './system.js';

/** The page in a real browser, as a user has it. */
export class PageUnderTest {
  readonly #browser: Browser;
  readonly #context: BrowserContext;
  readonly page: Page;
  readonly url: string;
  /** What a user with open developer tools would see in red; a test looks at it at its end. */
  readonly problems: string[] = [];

  private constructor(browser: Browser, context: BrowserContext, page: Page, url: string) {
    this.#browser = browser;
    this.#context = context;
    this.page = page;
    this.url = url;
    page.on('pageerror', (error) => this.problems.push(error.stack ?? error.message));
    page.on('console', (message) => {
      if (message.type() !== 'error' || givenUp.test(message.text())) return;
      this.problems.push(`${message.text()} (${message.location().url})`);
    });
  }

  /**
   * @param url of the API
   * @param options `webgl` for models that are turned: without a graphics card it takes a third of all that a file of tests
   *     computes, as everything on the page is drawn by it then
   */
  static async start(
    url: string,
    { webgl = false, ...options }: BrowserContextOptions & { readonly webgl?: boolean } = {},
  ): Promise<PageUnderTest> {
    const settings = readSettings(process.env, process.cwd());
    const { path, env } = await obtainChromium(settings.PIXYZ_CACHE_PATH);
    const browser = await chromium.launch({
      executablePath: path,
      env: env as Record<string, string>,
      args: webgl
        ? ['--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist']
        : ['--disable-gpu'],
    });
    const context = await browser.newContext({
      viewport: { width: 1360, height: 850 },
      locale: 'en-GB',
      timezoneId: 'UTC',
      reducedMotion: 'reduce',
      ...options,
    });
    context.setDefaultTimeout(30_000);
    // Not as an element: the security policy of the page forbids scripts that are not its own.
    await context.addInitScript({ content: axeSource });
    return new PageUnderTest(browser, context, await context.newPage(), url);
  }

  /** Without the form, which has tests of its own. */
  async signIn(token = testToken): Promise<void> {
    const answer = await this.#context.request.post(`${this.url}/ui/login`, {
      data: { token },
      headers: { 'x-pixyz-ui': '1' },
    });
    if (!answer.ok()) throw new Error(`sign in: ${answer.status()} ${await answer.text()}`);
  }

  /** Opens an address of the page, such as `/jobs`, and waits for its heading. */
  async open(path: string): Promise<void> {
    await this.page.goto(`${this.url}/ui${path}`);
    await this.page.locator('h1').first().waitFor();
  }

  /** Violations of the rules for accessible pages, each as a sentence with its places. */
  async axe(): Promise<string[]> {
    const { violations } = await this.page.evaluate(() =>
      (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
    );
    return violations.map(
      ({ id, help, nodes }) => `${id}: ${help} (${nodes.map((node) => node.target.join(' ')).join(', ')})`,
    );
  }

  /** A second window of the same browser, signed in as the first. */
  newPage(): Promise<Page> {
    return this.#context.newPage();
  }

  async stop(): Promise<void> {
    await this.#context.close();
    await this.#browser.close();
  }
}

/**
 * Where the page drops a request whose answer is just arriving, or is loaded anew then, Chromium calls that a failure now and
 * then. What a server answers badly, or not at all, has other words.
 */
const givenUp = /net::ERR_(FAILED|ABORTED)$/;

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
