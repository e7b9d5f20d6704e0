import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, parse, relative, sep } from 'node:path';
import type { Logger } from 'pino';
import { type CurrentFile, type FileProblem } from '../contract/workflow-files.js';
import { workflowNamePattern } from '../contract/workflow-queues.js';
import { isMissing } from '../store/atomic.js';
import type { Build } from './build.js';
import type { Catalogue } from './catalogue.js';

/**
 * The folder of the workflow files, kept in step with the catalogue: every file that has changed becomes a new version, or
 * its problems are told. One file at a time; a broken one costs the others nothing.
 */
export interface FolderOptions {
  readonly folder: string;
  readonly catalogue: Catalogue;
  readonly build: Build;
  /** Tells versions made by another version of the helpers from those of this one. */
  readonly engineKey: string;
  readonly logger: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** How often the folder is looked at. What is being written is taken when it has not changed for so long. */
  readonly pollMs?: number;
}

const defaultPollMs = 400;
const sourceEndings = /\.(?:ts|js|json|py)$/;
/** Scripts that belong to a version; larger ones are no scripts. */
const largestScript = 4 * 1024 * 1024;

interface Seen {
  /** Path below the folder. */
  readonly path: string;
  readonly stamp: string;
}

export class WorkflowFolder {
  readonly #options: FolderOptions;
  readonly #files = new Map<string, CurrentFile>();
  #stamp: string | null = null;
  #timer: NodeJS.Timeout | undefined;
  #updating: Promise<void> = Promise.resolve();
  #stopped = false;
  #problem: string | null = null;

  constructor(options: FolderOptions) {
    this.#options = options;
  }

  /** Looks at the folder for the first time, and from then on. Resolves when it is begun, not when all is bundled. */
  start(): void {
    this.#updating = this.#look(true).catch((error: unknown) => this.#failed(error));
    const again = (): void => {
      if (this.#stopped) return;
      this.#timer = setTimeout(() => {
        this.#updating = this.#look(false)
          .catch((error: unknown) => this.#failed(error))
          .finally(again);
      }, this.#options.pollMs ?? defaultPollMs);
    };
    void this.#updating.finally(again);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#updating;
  }

  /** All files, by name, as far as they have been looked at. */
  files(): CurrentFile[] {
    return [...this.#files.values()].sort((a, b) => a.name.localeCompare(b.name));
  }

  /** A file that is new, and just being bundled, is waited for. */
  async file(name: string): Promise<CurrentFile | null> {
    const known = this.#files.get(name);
    if (known === undefined || (known.version === null && known.problems.length === 0)) await this.#updating;
    return this.#files.get(name) ?? null;
  }

  async #look(atOnce: boolean): Promise<void> {
    const { folder } = this.#options;
    const seen = await sourcesIn(folder);
    const stamp = JSON.stringify(seen);
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    if (!atOnce) {
      // Editors write in pieces: it has to stay what it is for a moment.
      const { pollMs = defaultPollMs } = this.#options;
      for (let last = stamp; ; ) {
        await new Promise((resolve) => setTimeout(resolve, pollMs / 2));
        this.#stamp = JSON.stringify(await sourcesIn(folder));
        if (this.#stamp === last || this.#stopped) break;
        last = this.#stamp;
      }
    }
    await this.#update(await sourcesIn(folder));
  }

  async #update(seen: readonly Seen[]): Promise<void> {
    const { catalogue, folder } = this.#options;
    const scripts = await scriptsIn(folder, seen);
    const scriptsKey = keyOf([...scripts].map(([name, content]) => `${name} ${keyOf([content])}`));
    for (const { path } of seen) {
      const name = workflowNameOf(path);
      if (name === null || this.#files.has(name)) continue;
      const fresh = { name, file: path, version: null, problems: [], sourcesKey: '' };
      this.#files.set(name, (await catalogue.current(name)) ?? fresh);
    }
    const there = new Set<string>();
    // Broken ones are tried again with every change: what somebody has just saved should not wait for them.
    const isBroken = ({ path }: Seen): boolean =>
      (this.#files.get(workflowNameOf(path) ?? '')?.problems.length ?? 0) > 0;
    for (const { path } of [...seen.filter((one) => !isBroken(one)), ...seen.filter(isBroken)]) {
      const name = workflowNameOf(path);
      if (name === null) continue;
      const double = there.has(name);
      there.add(name);
      if (double) this.#tell(name, { file: path, message: `another file is called ${name}, too: rename one of them` });
      else await this.#updateFile(name, path, seen, scripts, scriptsKey);
      if (this.#stopped) return;
    }
    const known = new Set([...this.#files.keys(), ...(await catalogue.names())]);
    for (const name of known) {
      if (there.has(name)) continue;
      if (this.#files.delete(name)) this.#options.logger.info({ workflow: name }, 'a workflow file is gone');
      await catalogue.removeCurrent(name);
    }
  }

  async #updateFile(
    name: string,
    path: string,
    seen: readonly Seen[],
    scripts: ReadonlyMap<string, Buffer>,
    scriptsKey: string,
  ): Promise<void> {
    const { catalogue, folder, build, logger } = this.#options;
    const before = this.#files.get(name) ?? (await catalogue.current(name));
    if (
      before !== null &&
      before.sourcesKey === (await this.#keyOf(before, seen, scriptsKey, await this.#about(before)))
    ) {
      this.#files.set(name, before);
      return;
    }
    if (!workflowNamePattern.test(name)) {
      return this.#tell(name, {
        file: path,
        message: 'is no name for a workflow: letters, digits, dot, dash, underscore',
      });
    }
    const bundled = await build(folder, name, path, scriptsKey);
    // Whoever stops us may have stopped the builder, too: what it says then is no problem of the file.
    if (this.#stopped) return;
    let current: CurrentFile = { name, file: path, version: before?.version ?? null, problems: [], sourcesKey: '' };
    if (bundled.ok) {
      const { version, doc, input, sources, code } = bundled;
      const about = {
        name,
        version,
        doc,
        input: input as never,
        sources: [...sources],
        builtAt: new Date().toISOString(),
      };
      await catalogue.keep(about, code, scripts);
      current = { ...current, version };
    } else current = { ...current, problems: [...bundled.problems] };
    current = { ...current, sourcesKey: await this.#keyOf(current, seen, scriptsKey, bundled.sources) };
    this.#files.set(name, current);
    await catalogue.setCurrent(current);
    if (current.problems.length === 0 && current.version !== before?.version)
      logger.info({ workflow: name, version: current.version }, 'a workflow file has a new version');
    for (const problem of current.problems)
      logger.warn({ workflow: name, problem: sentenceOf(problem) }, 'a workflow file cannot be used');
  }

  async #about({ name, version }: CurrentFile): Promise<readonly string[]> {
    const about = version === null ? null : await this.#options.catalogue.about(name, version);
    return about?.sources ?? [];
  }

  /** The same as long as bundling the file would give the same. */
  async #keyOf(
    { file, problems }: CurrentFile,
    seen: readonly Seen[],
    scriptsKey: string,
    sources: readonly string[],
  ): Promise<string> {
    const broken = problems.length > 0;
    // What a broken file lacks may be any file: then all of them count.
    const paths = broken ? seen.map(({ path }) => path) : [...new Set([file, ...sources])].sort();
    const contents = await Promise.all(
      paths.map(
        async (path) => `${path} ${keyOf([await readFile(join(this.#options.folder, path)).catch(() => '-')])}`,
      ),
    );
    return keyOf([this.#options.engineKey, scriptsKey, ...contents]);
  }

  #tell(name: string, { file, message }: Pick<FileProblem, 'file' | 'message'>): void {
    const problem: FileProblem = { file, line: null, column: null, message };
    const before = this.#files.get(name);
    const problems = [...(before?.problems ?? []).filter((one) => one.message !== message), problem];
    this.#files.set(name, { name, file, version: null, sourcesKey: '', ...before, problems });
    this.#options.logger.warn({ workflow: name, problem: sentenceOf(problem) }, 'a workflow file cannot be used');
  }

  /** Told once, not at every look. */
  #failed(error: unknown): void {
    const text = String(error);
    if (text !== this.#problem) this.#options.logger.error({ error: text }, 'the workflow files cannot be looked at');
    this.#problem = text;
    this.#stamp = null;
  }
}

/** `file:line:column: message`, as compilers say it. */
export function sentenceOf({ file, line, column, message }: FileProblem): string {
  const place = line === null ? '' : column === null ? `:${line}` : `:${line}:${column}`;
  return `${file}${place}: ${message}`;
}

/** Files at the top of the folder are workflows; those below, and those that begin with an underscore, are for them. */
function workflowNameOf(path: string): string | null {
  if (!/^[^/_.][^/]*\.[tj]s$/.test(path) || /\.(?:d|test|config)\.[tj]s$/.test(path)) return null;
  return parse(path).name;
}

async function sourcesIn(folder: string): Promise<Seen[]> {
  const found: Seen[] = [];
  const visit = async (place: string): Promise<void> => {
    const entries = await readdir(place, { withFileTypes: true }).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw error;
    });
    for (const entry of entries) {
      const path = join(place, entry.name);
      if (entry.name.startsWith('.') || entry.name === 'node_modules' || entry.name === '__pycache__') continue;
      if (entry.isDirectory()) await visit(path);
      else if (sourceEndings.test(entry.name)) {
        const facts = await stat(path).catch(() => null);
        if (facts?.isFile() !== true) continue;
        const name = relative(folder, path).split(sep).join('/');
        found.push({ path: name, stamp: `${facts.mtimeMs} ${facts.size} ${facts.ino}` });
      }
    }
  };
  await visit(folder);
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function scriptsIn(folder: string, seen: readonly Seen[]): Promise<Map<string, Buffer>> {
  const scripts = new Map<string, Buffer>();
  for (const { path } of seen) {
    if (!path.endsWith('.py') || path.includes('/')) continue;
    const content = await readFile(join(folder, path)).catch(() => null);
    if (content !== null && content.length <= largestScript) scripts.set(path, content);
  }
  return scripts;
}

function keyOf(parts: readonly (string | Buffer)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\n');
  return hash.digest('hex').slice(0, 32);
}
