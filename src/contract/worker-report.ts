import { z } from 'zod';

export const gpuSchema = z.object({
  index: z.number().int(),
  name: z.string(),
  /** Bytes. */
  memoryTotal: z.number(),
  memoryUsed: z.number(),
  /** Percent; null where the GPU does not tell. */
  utilization: z.number().nullable(),
});
export type Gpu = z.infer<typeof gpuSchema>;

/** An attempt that a worker runs. */
export const runningAttemptSchema = z.object({
  jobId: z.string(),
  /** Whether its job belongs to a graph. */
  inGraph: z.boolean(),
  name: z.string().nullable(),
  queue: z.string(),
  attempt: z.number().int(),
  /** ISO 8601. */
  since: z.string(),
  /** null until its process is known. */
  pid: z.number().int().nullable(),
});
export interface RunningAttempt extends Readonly<Omit<z.infer<typeof runningAttemptSchema>, 'pid'>> {
  pid: number | null;
}

/**
 * What a worker says of itself, in `<share>/.workers/<name>.json`, every two seconds. The API merges the reports into its
 * metrics; a report that has not been renewed for {@link staleReportMs} belongs to a dead worker.
 */
export const workerReportSchema = z.object({
  name: z.string(),
  host: z.string(),
  pid: z.number().int(),
  startedAt: z.string(),
  /** When the report was written, ISO 8601. */
  at: z.string(),
  queues: z.array(z.string()),
  /** It finishes what it runs and takes nothing new. */
  draining: z.boolean().default(false),
  slots: z.object({ limit: z.number(), used: z.number(), lent: z.number() }),
  runner: z.object({ warm: z.number(), running: z.number(), residentBytes: z.number() }),
  /** What follows may be absent in reports of older versions. */
  version: z.string().nullable().default(null),
  node: z.string().nullable().default(null),
  /** `open`, `pixyz`, or `none` with DISABLE_PIXYZ. */
  engine: z.string().nullable().default(null),
  machine: z
    .object({ cpus: z.number(), load: z.number(), memoryTotal: z.number(), memoryFree: z.number() })
    .nullable()
    .default(null),
  gpus: z.array(gpuSchema).default([]),
  running: z.array(runningAttemptSchema).default([]),
  tasks: z.object({ succeeded: z.number(), failed: z.number() }).default({ succeeded: 0, failed: 0 }),
  /** `getMetricsAsJSON()` of the worker's prom-client registry; names that start with `pixyz_` are published. */
  metrics: z.array(z.unknown()),
});
export type WorkerReport = z.infer<typeof workerReportSchema>;

/** The file beside a worker's report that asks it to drain; it looks with each report. */
export function drainFileOf(name: string): string {
  return `${name}.drain`;
}

export const reportEveryMs = 2000;
export const staleReportMs = 15_000;
