import { z } from 'zod';
import type { ApiDeps, App } from '../deps.js';
import { errorAnswers } from '../schemas/errors.js';

/** Many pages watch the same few numbers, and counting all that Temporal keeps is not for free. */
const keepMs = 2000;

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
  let known: { readonly at: number; readonly summary: Promise<Summary> } | null = null;
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
        description: 'As long as Temporal keeps them, 30 days. At most two seconds old.',
        security: [{ APIKeyHeader: [] }],
        response: { 200: summarySchema, ...errorAnswers(401, 500, 503) },
      },
    },
    () => {
      if (known !== null && Date.now() - known.at < keepMs) return known.summary;
      const summary = read();
      known = { at: Date.now(), summary };
      summary.catch(() => {
        known = null;
      });
      return summary;
    },
  );
}
