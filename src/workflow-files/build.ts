import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type Bundled, bundleFile } from './bundle.js';

/**
 * Bundling takes a second or two of a core and 300 MB, and runs code of others: all of that in a process of its own. It stays
 * for a while: whoever saves a file will soon save it again, and then more than half of the work, loading the bundler and
 * warming it up, is done already.
 */
const limitMs = 120_000;
const idleMs = 30_000;
const largestTold = 10_000;

export type Build = typeof bundleFile;

export class ApartBuilder {
  #child: ChildProcess | null = null;
  #told = '';
  #idle: NodeJS.Timeout | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** One file after another. */
  readonly build: Build = (folder, name, file, scripts) => {
    // Run from the sources, as tests do, there is no compiled program.
    if (!fileURLToPath(import.meta.url).includes('/dist/')) return bundleFile(folder, name, file, scripts);
    const built = this.#last.then(() => this.#build({ folder, name, file, scripts }));
    this.#last = built.catch(() => undefined);
    return built;
  };

  stop(): void {
    clearTimeout(this.#idle);
    this.#child?.kill('SIGKILL');
    this.#child = null;
  }

  async #build(asked: BuildRequest): Promise<Bundled> {
    clearTimeout(this.#idle);
    const child = (this.#child ??= this.#start());
    this.#told = '';
    child.ref();
    child.channel?.ref();
    const over = new AbortController();
    const { signal } = over;
    const limit = setTimeout(() => child.kill('SIGKILL'), limitMs);
    const began = performance.now();
    try {
      const answered = once(child, 'message', { signal }) as Promise<[Bundled]>;
      const ended = once(child, 'close', { signal }).then(() => null);
      child.send(asked);
      const answer = await Promise.race([answered, ended]);
      if (answer !== null) return answer[0];
      return notBundled(asked.file, performance.now() - began >= limitMs ? tooLong : this.#told);
    } catch (error) {
      return notBundled(asked.file, String(error));
    } finally {
      clearTimeout(limit);
      over.abort();
      // It keeps nobody from ending, and goes when its channel does.
      child.unref();
      child.channel?.unref();
      this.#idle = setTimeout(() => this.stop(), idleMs).unref();
    }
  }

  #start(): ChildProcess {
    const { PATH, HOME, TMPDIR } = process.env;
    const env = Object.fromEntries(Object.entries({ PATH, HOME, TMPDIR }).filter(([, value]) => value !== undefined));
    const child = fork(fileURLToPath(new URL('./bundle-main.js', import.meta.url)), {
      env,
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#told = (this.#told + text).slice(-largestTold);
    });
    const gone = (): void => {
      if (this.#child === child) this.#child = null;
    };
    child.once('close', gone).on('error', gone);
    return child;
  }
}

/** What the process is asked for; its answer is a `Bundled`. */
export interface BuildRequest {
  readonly folder: string;
  readonly name: string;
  readonly file: string;
  readonly scripts: string;
}

const tooLong = `it took longer than ${limitMs / 1000} s`;

function notBundled(file: string, told: string): Bundled {
  const reason = told.trim().split('\n').slice(0, 3).join(' ');
  const message = `cannot be bundled: ${reason === '' ? 'its process ended without a word' : reason}`;
  return { ok: false, problems: [{ file, line: null, column: null, message }], sources: [file] };
}
