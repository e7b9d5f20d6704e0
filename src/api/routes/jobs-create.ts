import formbody from '@fastify/formbody';
import multipart from '@fastify/multipart';
import { z } from 'zod';
import { jobFields } from '../../contract/log-fields.js';
import type { App } from '../deps.js';
import { errorAnswers } from '../schemas/errors.js';
import { documentedJobFormSchema } from '../schemas/job-request.js';
import { jobStateSchema } from '../schemas/jobs.js';
import type { Submitter } from '../submission/submitter.js';
import { notAForm, tooLarge } from '../uploads/receive-form.js';

/** Fields without files may also come as a plain web form. */
const maxFormBytes = 8 * 1024 * 1024;

const headersSchema = z.object({
  'idempotency-key': z
    .string()
    .min(1, 'must not be empty')
    .max(255, 'must have at most 255 characters')
    .optional()
    .describe('The same key with the same request answers the same job, however often it is sent.'),
});

/** `POST /jobs`. A scope of its own, since the parsers of forms are for nothing else. */
export function jobsCreateRoutes(submitter: Submitter, maxUploadBytes: number) {
  return async (app: App): Promise<void> => {
    app.removeAllContentTypeParsers();
    await app.register(multipart);
    await app.register(formbody, { bodyLimit: maxFormBytes });
    // Any other body is refused unread; a request without one goes on and lacks its fields.
    app.addContentTypeParser('*', (request, _payload, done) => {
      if (request.headers['transfer-encoding'] === undefined && Number(request.headers['content-length'] ?? 0) === 0)
        return done(null, undefined);
      return done(notAForm(request.headers['content-type'] ?? ''));
    });

    app.addHook('onRequest', async (request) => {
      if (Number(request.headers['content-length'] ?? 0) > maxUploadBytes) throw tooLarge(maxUploadBytes);
    });

    for (const url of ['/jobs', '/jobs/']) {
      app.route({
        method: 'POST',
        url,
        config: { alias: url !== '/jobs', docs: { body: documentedJobFormSchema } },
        schema: {
          hide: url !== '/jobs',
          tags: ['jobs'],
          summary: 'Create a job',
          description:
            'A multipart form; empty parts count as absent. Files are streamed to the store, nothing is kept of a ' +
            'refused request. `config` follows the schema JobConfig.',
          security: [{ APIKeyHeader: [] }],
          headers: headersSchema,
          response: { 200: jobStateSchema, ...errorAnswers(400, 401, 409, 413, 500, 503) },
        },
        handler: async (request) => {
          const spec = await submitter.submit(request, request.headers['idempotency-key'] ?? null);
          request.log.info(
            { ...jobFields(spec.jobId), queue: spec.queue, process: spec.process },
            'a job was accepted',
          );
          return { uuid: spec.jobId, name: spec.name, status: 'SENT' as const, progress: null, error: null };
        },
      });
    }
  };
}
