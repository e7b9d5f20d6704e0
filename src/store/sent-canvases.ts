import { z } from 'zod';
import type { JobStore } from './job-store.js';

/** A sending of a script, as its job remembers it: one line of `canvases.jsonl` in the job's folder. */
export const sentSchema = z.object({
  call: z.number().int(),
  graphId: z.string(),
  /** The only job of the graph, where it has no document. */
  jobId: z.string().nullable(),
  shape: z.unknown(),
});
export type Sent = z.infer<typeof sentSchema>;

export async function readSent(store: JobStore, jobId: string): Promise<Sent[]> {
  const text = (await store.files.read(store.paths(jobId).canvases)) ?? '';
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => sentSchema.parse(JSON.parse(line)));
}

export interface SentCanceller {
  readonly cancelGraph: (graphId: string) => Promise<unknown>;
  readonly cancelJob: (jobId: string, reason: string) => Promise<unknown>;
}

/** The job was cancelled: what it has sent goes with it. Cancelling what has ended changes nothing. */
export async function cancelSent(store: JobStore, jobId: string, cancel: SentCanceller): Promise<void> {
  for (const sent of await readSent(store, jobId)) {
    if (sent.jobId === null) await cancel.cancelGraph(sent.graphId);
    else await cancel.cancelJob(sent.jobId, `cancelled with job ${jobId}`);
  }
}
