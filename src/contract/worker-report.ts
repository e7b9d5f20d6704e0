import { z } from 'zod';

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
  /** `getMetricsAsJSON()` of the worker's prom-client registry; names that start with `pixyz_` are published. */
  metrics: z.array(z.unknown()),
});
export type WorkerReport = z.infer<typeof workerReportSchema>;

export const reportEveryMs = 2000;
export const staleReportMs = 15_000;
