import {
  accessSync,
  constants,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunnerLogger } from './options.js';

/** Names of empty private folders that wait for the next children; `_child.py` knows them, too. */
const spareInputs = ['spare-1', 'spare-2', 'spare-3', 'spare-4'];
/** Longest path of a Unix socket, with the smallest limit among systems (macOS: 104). */
const maxSocketPath = 103;
/**
 * Where pipes are made at no cost: on the disks measured a new file takes the file system 0.3 to 0.4 ms of CPU, here
 * 0.01 ms. Private folders stay on the disk, since scripts may put gigabytes there.
 */
const memoryFiles = '/dev/shm';
const tmpfs = 0x01021994;

/** The folders of one runner: the socket and pipes of its children, and their private folders. */
export class RunnerFolders {
  readonly #logger: RunnerLogger;
  readonly #cleaning = new Set<Promise<void>>();
  #pipes = '';
  #scratch = '';

  constructor(logger: RunnerLogger) {
    this.#logger = logger;
  }

  make(root: string): void {
    this.#scratch = makeFolder(root);
    this.#pipes = hasMemoryFiles() ? makeFolder(memoryFiles) : this.#scratch;
  }

  /** Of the socket and the pipes. */
  get pipes(): string {
    return this.#pipes;
  }

  get socket(): string {
    return join(this.#pipes, 'socket');
  }

  /** Of the private folders of scripts. */
  get scratch(): string {
    return this.#scratch;
  }

  /** Most scripts leave their private folder empty: then it waits for the next child. Others are cleaned behind its back. */
  removeInput(folder: string): void {
    try {
      const spare = spareInputs.map((name) => join(this.#scratch, name)).find((path) => !existsSync(path));
      if (spare !== undefined && readdirSync(folder).length === 0) {
        renameSync(folder, spare);
        return;
      }
    } catch {
      // the script has removed it, or has taken our rights from it
    }
    const cleaning = rm(folder, { recursive: true, force: true })
      .catch((error: unknown) =>
        this.#logger.warn({ folder, error: String(error) }, 'an unpacked archive cannot be removed'),
      )
      .finally(() => this.#cleaning.delete(cleaning));
    this.#cleaning.add(cleaning);
  }

  async remove(): Promise<void> {
    await Promise.all(this.#cleaning);
    for (const folder of new Set([this.#pipes, this.#scratch])) {
      if (folder !== '') await rm(folder, { recursive: true, force: true });
    }
  }
}

function makeFolder(root: string): string {
  const name = `pixyz-${ownIdentity().replaceAll(':', '-')}-`;
  const fits = join(root, `${name}XXXXXX`, 'socket').length <= maxSocketPath;
  // mkdtemp makes it for the owner alone (mode 0700).
  return mkdtempSync(join(fits || process.platform === 'win32' ? root : '/tmp', name));
}

function hasMemoryFiles(): boolean {
  try {
    accessSync(memoryFiles, constants.W_OK);
    return statfsSync(memoryFiles).type === tmpfs;
  } catch {
    return false;
  }
}

/** Names this process for good, as `_processes.identity` does: pid, start time, pid namespace. */
export function ownIdentity(): string {
  if (process.platform !== 'linux') return `${process.pid}:0:0`;
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return `${process.pid}:${fields[19] ?? '0'}:${statSync('/proc/self/ns/pid').ino}`;
}
