import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import { isUuid } from '../contract/ids.js';
import { type JobRecord, type JobSpec, jobRecordSchema, jobSpecSchema, newRecord } from '../contract/job.js';
import { EngineError } from '../errors/engine-error.js';
import { errorCode, isMissing, writeFileAtomic } from './atomic.js';
import { FileCache } from './file-cache.js';
import { type Files, filesAt, pooledFiles } from './files.js';
import { type JobPaths, jobPaths } from './layout.js';
import { makeFolders } from './make-folders.js';

/** Records of jobs that are being watched; a record is some kilobytes. */
const recordsKept = 500;

/** An upload on its way to becoming a job: lies apart until {@link commit}, so a refused request leaves nothing. */
export interface IncomingJob {
  /** Where the uploaded files go. */
  readonly inputs: string;
  /**
   * Makes it a job: spec, record and files appear under the job's id at once.
   * @returns false when a job of that id is already there (a repeated request); then nothing has changed.
   */
  commit(spec: JobSpec): Promise<boolean>;
  /** Removes what was uploaded. Safe to call after a commit. */
  discard(): Promise<void>;
}

/**
 * The jobs on the share. Invariants:
 * 1. A job's folder appears whole (rename) or not at all; until an attempt begins it holds no record.
 * 2. `spec.json` never changes; `job.json` is only ever replaced as a whole.
 * 3. Reading creates nothing.
 */
export class JobStore {
  readonly root: string;
  readonly files: Files;
  readonly #sync: boolean;
  readonly #records: FileCache<JobRecord>;
  readonly #specs: FileCache<JobSpec>;

  constructor(root: string, options: { readonly sync?: boolean } = {}) {
    this.root = root;
    this.files = filesAt(root);
    this.#sync = options.sync ?? false;
    this.#records = new FileCache((text) => jobRecordSchema.parse(JSON.parse(text)), recordsKept, this.files);
    this.#specs = new FileCache((text) => jobSpecSchema.parse(JSON.parse(text)), recordsKept, this.files);
  }

  /** Makes the root where it is missing. @throws EngineError UNAVAILABLE when it cannot be written. */
  async open(): Promise<void> {
    try {
      makeFolders(join(this.root, '.incoming'));
      makeFolders(join(this.root, '.workers'));
    } catch (error) {
      throw new EngineError(
        'UNAVAILABLE',
        `the share ${this.root} cannot be written (${errorCode(error) ?? String(error)}): check SHARE_PATH, its owner and the free space`,
      );
    }
  }

  /** How any file is to be read: those of the share as the share is. */
  filesOf(path: string): Files {
    return path.startsWith(this.root + sep) ? this.files : pooledFiles;
  }

  paths(jobId: string): JobPaths {
    return jobPaths(this.root, jobId);
  }

  async receive(): Promise<IncomingJob> {
    const folder = join(this.root, '.incoming', randomUUID());
    const inputs = join(folder, 'inputs');
    await this.#makeIncoming(folder);
    await this.files.makeFolder(inputs);
    let committed = false;
    return {
      inputs,
      commit: async (spec) => {
        committed = await this.#commit(folder, spec);
        return committed;
      },
      discard: async () => {
        if (!committed) await rm(folder, { recursive: true, force: true });
      },
    };
  }

  /** A job that brings no files. @returns false when a job of that id is already there */
  async create(spec: JobSpec): Promise<boolean> {
    const folder = join(this.root, '.incoming', randomUUID());
    await this.#makeIncoming(folder);
    const made = await this.#commit(folder, spec);
    if (!made) await rm(folder, { recursive: true, force: true });
    return made;
  }

  async #makeIncoming(folder: string): Promise<void> {
    try {
      await this.files.makeFolder(folder);
    } catch (error) {
      if (!isMissing(error)) throw error;
      await mkdir(folder, { recursive: true }); // the share was emptied while we ran
    }
  }

  async #commit(folder: string, spec: JobSpec): Promise<boolean> {
    // Nobody sees this folder before the rename, so its files need no renames of their own.
    await this.files.write(join(folder, 'spec.json'), JSON.stringify(spec), { flush: this.#sync });
    try {
      await this.files.rename(folder, this.paths(spec.jobId).folder);
      return true;
    } catch (error) {
      // Renaming a folder over one that holds files fails: the job was made by the same request before.
      if (errorCode(error) === 'ENOTEMPTY' || errorCode(error) === 'EEXIST') return false;
      throw error;
    }
  }

  async readSpec(jobId: string): Promise<JobSpec | null> {
    return this.#specs.read(this.paths(jobId).spec);
  }

  /** The state of a job, or null when there is none (never created, or deleted). */
  async readRecord(jobId: string): Promise<JobRecord | null> {
    const record = await this.#records.read(this.paths(jobId).record);
    if (record !== null) return record;
    // Nothing has come of it yet: what was asked for tells all.
    const spec = await this.readSpec(jobId);
    return spec === null ? null : newRecord(spec);
  }

  /** Replaces the record. Does nothing when the job's folder has been deleted meanwhile. */
  async writeRecord(record: JobRecord): Promise<void> {
    try {
      await writeFileAtomic(this.paths(record.jobId).record, JSON.stringify(record), {
        sync: this.#sync,
        files: this.files,
      });
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  /** Whether anything is left of the job. */
  async exists(jobId: string): Promise<boolean> {
    try {
      return (await stat(this.paths(jobId).folder)).isDirectory();
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }

  /** Deletes a job's folder. Deleting a job that is not there is a success. */
  async remove(jobId: string): Promise<void> {
    await rm(this.paths(jobId).folder, { recursive: true, force: true });
  }

  /**
   * Deletes a job's files and keeps its record, which then says when. The record comes first: whoever reads meanwhile is to
   * see a job that was cleaned, not one that has lost half of its outputs. {@link hasFiles} tells whether all went.
   */
  async removeFiles(record: JobRecord, at: string): Promise<void> {
    if (record.cleanedAt === null) await this.writeRecord({ ...record, cleanedAt: at });
    for (const path of this.#files(record.jobId)) await rm(path, { recursive: true, force: true });
  }

  /** Whether anything is there that {@link removeFiles} deletes. */
  async hasFiles(jobId: string): Promise<boolean> {
    const names = new Set(await readdir(this.paths(jobId).folder));
    return this.#files(jobId).some((path) => names.has(basename(path)));
  }

  #files(jobId: string): string[] {
    const { inputs, outputs, archives, logs, result, exact } = this.paths(jobId);
    return [inputs, outputs, archives, logs, result, exact];
  }

  /** Ids of all jobs on the share, in no order. */
  async *jobIds(): AsyncGenerator<string> {
    for (const name of await readdir(this.root)) if (isUuid(name)) yield name;
  }
}
