import { createHash } from 'node:crypto';
import { access, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Sessions that somebody ended before their time: an empty file each, on the share, where every API of the system sees it.
 * Whoever has copied a cookie has nothing after the logout. The names are hashes: nothing can be made of them.
 */
export class EndedSessions {
  readonly #folder: string;
  /** After so long a file is of no use: no cookie of the session holds any more, ms. */
  readonly #keptMs: number;
  readonly #known = new Set<string>();

  constructor(shareRoot: string, keptMs: number) {
    this.#folder = join(shareRoot, '.ended-sessions');
    this.#keptMs = keptMs;
  }

  async add(id: string): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    await writeFile(this.#fileOf(id), '');
    this.#known.add(id);
    await this.#forgetOld();
  }

  async has(id: string): Promise<boolean> {
    if (this.#known.has(id)) return true;
    const isThere = await access(this.#fileOf(id)).then(
      () => true,
      () => false,
    );
    if (isThere) this.#known.add(id);
    return isThere;
  }

  async #forgetOld(): Promise<void> {
    for (const name of await readdir(this.#folder)) {
      const file = join(this.#folder, name);
      const facts = await stat(file).catch(() => null);
      if (facts !== null && Date.now() - facts.mtimeMs > this.#keptMs) await rm(file, { force: true });
    }
  }

  #fileOf(id: string): string {
    return join(this.#folder, createHash('sha256').update(id).digest('hex'));
  }
}
