import { join } from 'node:path';
import { writeFileAtomic } from './atomic.js';
import type { JobStore } from './job-store.js';

/**
 * Who may write a job's record and outputs: the highest attempt that has claimed it. An attempt whose host was cut off
 * may still be alive when the next one starts; it looks at the claim four times a second and ends itself when it has lost it.
 *
 * The first attempt needs no file: as long as there is no claim, it owns the job.
 */

/** An attempt that has lost its claim has stopped by this time; who takes over from a lost one waits for it. */
export const fenceMs = 700;
/** How often a running attempt looks. */
export const fenceCheckMs = 250;

function claimFile(store: JobStore, jobId: string): string {
  return join(store.paths(jobId).folder, 'owner');
}

export async function claimedBy(store: JobStore, jobId: string): Promise<number> {
  const text = await store.files.read(claimFile(store, jobId));
  return text === null ? 1 : Number.parseInt(text, 10);
}

/** Claims the job for an attempt. @returns false when a later attempt has claimed it already. */
export async function claim(store: JobStore, jobId: string, attempt: number): Promise<boolean> {
  const owner = await claimedBy(store, jobId);
  if (owner > attempt) return false;
  if (owner < attempt) await writeFileAtomic(claimFile(store, jobId), String(attempt), { files: store.files });
  return true;
}
