import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CurrentFile, currentSchema, type VersionAbout, versionAboutSchema } from '../contract/workflow-files.js';
import { workflowNamePattern } from '../contract/workflow-queues.js';
import { errorCode, isMissing, readTextIfExists, writeFileAtomic } from '../store/atomic.js';

/**
 * Versions of workflow files on the share, so that every process that serves them, and every later start of the system, has
 * the code that open runs began with:
 *
 *     <root>/.workflows/<name>/current.json            what the file is at the moment; gone when the file is
 *                              <version>/bundle.js     written once, as a whole
 *                                        about.json
 *                                        scripts/*.py  the Python scripts beside the file
 */
export class Catalogue {
  readonly #root: string;

  constructor(shareRoot: string) {
    this.#root = join(shareRoot, '.workflows');
  }

  bundlePath(name: string, version: string): string {
    return join(this.#versionFolder(name, version), 'bundle.js');
  }

  scriptsFolder(name: string, version: string): string {
    return join(this.#versionFolder(name, version), 'scripts');
  }

  async current(name: string): Promise<CurrentFile | null> {
    if (!workflowNamePattern.test(name)) return null;
    const text = await readTextIfExists(join(this.#root, name, 'current.json'));
    return text === null ? null : currentSchema.parse(JSON.parse(text));
  }

  async setCurrent(current: CurrentFile): Promise<void> {
    await mkdir(join(this.#root, current.name), { recursive: true });
    await writeFileAtomic(join(this.#root, current.name, 'current.json'), JSON.stringify(current));
  }

  /** The file is gone. Its versions stay for their runs. */
  async removeCurrent(name: string): Promise<void> {
    await rm(join(this.#root, name, 'current.json'), { force: true });
  }

  async about(name: string, version: string): Promise<VersionAbout | null> {
    const text = await readTextIfExists(join(this.#versionFolder(name, version), 'about.json'));
    return text === null ? null : versionAboutSchema.parse(JSON.parse(text));
  }

  /** Keeps a version. One that is there already stays as it is: its name tells its content. */
  async keep(about: VersionAbout, code: string, scripts: ReadonlyMap<string, Buffer>): Promise<void> {
    const { name, version } = about;
    const folder = this.#versionFolder(name, version);
    const incoming = `${folder}.${process.pid}`;
    await mkdir(join(incoming, 'scripts'), { recursive: true });
    try {
      await writeFile(join(incoming, 'bundle.js'), code);
      for (const [script, content] of scripts) await writeFile(join(incoming, 'scripts', script), content);
      await writeFile(join(incoming, 'about.json'), JSON.stringify(about));
      await rename(incoming, folder);
    } catch (error) {
      if (errorCode(error) !== 'ENOTEMPTY' && errorCode(error) !== 'EEXIST') throw error;
    } finally {
      await rm(incoming, { recursive: true, force: true });
    }
  }

  /** A script of a version; null when it has none of that name. */
  async script(name: string, version: string, script: string): Promise<Buffer | null> {
    try {
      return await readFile(join(this.scriptsFolder(name, version), script));
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  /** All names, those of files that are gone too. */
  async names(): Promise<string[]> {
    return list(this.#root);
  }

  /** All versions of a name. */
  async versions(name: string): Promise<string[]> {
    return (await list(join(this.#root, name))).filter((entry) => /^[0-9a-f]+$/.test(entry));
  }

  /**
   * Removes versions that nobody needs any more: not the newest of their file, without open runs, and made before a time.
   * @returns how many
   */
  async sweep(isOpen: (name: string, version: string) => boolean, before: Date): Promise<number> {
    let removed = 0;
    for (const name of await this.names()) {
      const current = await this.current(name);
      for (const version of await this.versions(name)) {
        if (version === current?.version || isOpen(name, version)) continue;
        const about = await this.about(name, version);
        if (about !== null && about.builtAt >= before.toISOString()) continue;
        await rm(this.#versionFolder(name, version), { recursive: true, force: true });
        removed += 1;
      }
    }
    return removed;
  }

  #versionFolder(name: string, version: string): string {
    if (!workflowNamePattern.test(name) || !/^[0-9a-f]+$/.test(version))
      throw new RangeError(`${name}/${version} is no version of a workflow`);
    return join(this.#root, name, version);
  }
}

async function list(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
