import { z } from 'zod';
import type { ApiDeps, App } from '../deps.js';
import { sendFile } from '../http/send-file.js';
import { downloadName, Outputs } from '../outputs.js';
import { errorAnswers } from '../schemas/errors.js';
import { jobParamsSchema, outputListSchema, truthy } from '../schemas/jobs.js';

/** What a job has made: the list, and single files. Both work while the job runs. */
export function outputsRoutes(app: App, { store }: ApiDeps): void {
  app.get(
    '/jobs/:job_uuid/outputs',
    {
      schema: {
        tags: ['jobs'],
        summary: 'List of the outputs',
        description: 'Direct entries of the output folder; with `recursive=true` every file below it, with its size.',
        security: [{ APIKeyHeader: [] }],
        params: jobParamsSchema,
        querystring: z.object({ recursive: truthy.default(false) }),
        response: { 200: outputListSchema, ...errorAnswers(400, 401) },
      },
    },
    async (request) => {
      const outputs = new Outputs(store, request.params.job_uuid);
      if (!request.query.recursive) return { outputs: await outputs.names() };
      const files = await outputs.files();
      return { outputs: files.map((file) => file.path), files };
    },
  );

  app.get(
    '/jobs/:job_uuid/outputs/*',
    {
      config: {
        docs: {
          answers: {
            200: { type: 'application/octet-stream', description: 'The file.' },
            206: { type: 'application/octet-stream', description: 'The part that the header Range asked for.' },
          },
        },
      },
      schema: {
        tags: ['jobs'],
        summary: 'One output file',
        description: 'The path may contain `/`. Nothing outside the outputs of the job is served.',
        security: [{ APIKeyHeader: [] }],
        params: jobParamsSchema.extend({
          '*': z
            .string()
            .meta({ description: 'Path below the outputs; may contain `/`.', examples: ['pictures/front.png'] }),
        }),
        response: { ...errorAnswers(400, 401, 404) },
      },
    },
    async (request, reply) => {
      const path = request.params['*'];
      const target = await new Outputs(store, request.params.job_uuid).locate(path);
      return sendFile(request, reply, target, downloadName(path));
    },
  );
}
