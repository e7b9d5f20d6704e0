import type { App } from '../deps.js';
import type { JobsList } from '../jobs-list.js';
import { errorAnswers } from '../schemas/errors.js';
import { jobListQuerySchema, jobListSchema } from '../schemas/jobs.js';

export function jobsListRoutes(app: App, list: JobsList): void {
  app.get(
    '/jobs',
    {
      schema: {
        tags: ['jobs'],
        summary: 'Jobs, open ones first',
        description:
          'Those that have not ended come first, newest first, then the ended ones, last ended first. Queued jobs too, those of ' +
          'graphs too; service tasks not. Without parameters the first thousand. A job that ends between two pages may come ' +
          'twice. Of a graph, `queue`, ' +
          '`name` and `process` pick all jobs or none: by the name of the graph, the queue that all its nodes are on, and the ' +
          'process `graph`.',
        security: [{ APIKeyHeader: [] }],
        querystring: jobListQuerySchema,
        response: { 200: jobListSchema, ...errorAnswers(400, 401, 500, 503) },
      },
    },
    (request) => list.page(request.query, request),
  );
}
