import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JobRecord } from '../contract/job.js';
import { isMissing } from '../store/atomic.js';
import type { JobStore } from '../store/job-store.js';
import type { JobsReader } from './jobs-reader.js';

/**
 * Follows one record. By looking at it again and again: the share may be a network file system, where changes made by
 * another host cause no event here. A look is one `stat`; the file is read only when it is another one.
 */
export class RecordWatch {
  readonly #store: JobStore;
  readonly #reader: JobsReader;
  readonly #jobId: string;
  #mark = '';
  #record: JobRecord | null = null;

  constructor(store: JobStore, reader: JobsReader, jobId: string) {
    this.#store = store;
    this.#reader = reader;
    this.#jobId = jobId;
  }

  /** The record as it is now; null when the job has been deleted. */
  async look(): Promise<JobRecord | null> {
    try {
      const { ino, mtimeMs, size } = await stat(this.#store.paths(this.#jobId).record);
      const mark = `${ino} ${mtimeMs} ${size}`;
      if (mark !== this.#mark) {
        this.#record = await this.#reader.record(this.#jobId);
        this.#mark = mark;
      }
    } catch (error) {
      if (!isMissing(error)) throw error;
      this.#record = null;
    }
    return this.#record;
  }
}

/** Waits, but not after the signal. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
