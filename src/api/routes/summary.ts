import { z } from 'zod';
import type { ApiDeps, App } from '../deps.js';
import { errorAnswers } from '../schemas/errors.js';

/**
 * Many pages watch the same few numbers, and counting all that Temporal keeps is not for free: where it takes long, it is done
 * less often, so that it never costs the server more than a twentieth of its time.
 */
const keepMs = 2000;
const keepTimesAsLong = 20;

const counts = z.object({
  open: z.number().int().describe('That have not ended.'),
  success: z.number().int(),
  failure: z.number().int(),
  revoked: z.number().int(),
});

const summarySchema = z.object({ jobs: counts.describe('Those that were sent alone.'), graphs: counts }).meta({
  id: 'Summary',
  examples: [
    {
      jobs: { open: 3, success: 1204, failure: 7, revoked: 1 },
      graphs: { open: 1, success: 36, failure: 0, revoked: 2 },
    },
  ],
});
type Summary = z.infer<typeof summarySchema>;

/** How many jobs and graphs there are, by state: the head of a list. */
export function summaryRoutes(app: App, { engine }: ApiDeps): void {
  let known: { readonly summary: Promise<Summary>; until: number } | null = null;
  const read = async (): Promise<Summary> => {
    const [jobs, graphs] = await Promise.all([engine.countByState(), engine.ofGraphs.count()]);
    return { jobs, graphs };
  };
  app.get(
    '/summary',
    {
      schema: {
        tags: ['operations'],
        summary: 'How many jobs and graphs there are, by state',
        description:
          'As long as Temporal keeps them, 30 days. Two seconds old at most; some more where there are so many that counting takes long.',
        security: [{ APIKeyHeader: [] }],
        response: { 200: summarySchema, ...errorAnswers(401, 500, 503) },
      },
    },
    () => {
      const began = performance.now();
      if (known !== null && began < known.until) return known.summary;
      const asked = { summary: read(), until: Number.POSITIVE_INFINITY };
      known = asked;
      asked.summary.then(
        () => {
          asked.until = began + Math.max(keepMs, keepTimesAsLong * (performance.now() - began));
        },
        () => {
          known = null;
        },
      );
      return asked.summary;
    },
  );
}
