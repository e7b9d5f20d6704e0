import { z } from 'zod';
import type { App } from '../deps.js';
import { errorAnswers } from '../schemas/errors.js';

/** Enough for any notice; the call needs no token. */
const maxCallbackBytes = 256 * 1024;

export function rootRoutes(app: App): void {
  app.get(
    '/',
    {
      config: {
        docs: {
          answers: { 200: { type: 'text/plain', description: 'A greeting.', example: 'Welcome to PiXYZ API v1.0.7!' } },
        },
      },
      schema: { tags: ['dev'], summary: 'Greeting with the version' },
    },
    (_request, reply) => reply.type('text/plain; charset=utf-8').send('Welcome to PiXYZ API v1.0.7!'),
  );

  app.post(
    '/dev/callback',
    {
      bodyLimit: maxCallbackBytes,
      config: {
        docs: { answers: { 200: { type: 'application/json', description: 'Always null.', example: 'null' } } },
      },
      schema: {
        tags: ['dev'],
        summary: 'Logs what it gets',
        description: 'For trying out the callback of a job.',
        body: z
          .looseObject({}, { error: 'the body must be a JSON object' })
          .meta({ examples: [{ event: 'job.ended', uuid: '3c7b1077-d4f2-42ce-98b0-8d9f00000001' }] }),
        response: { ...errorAnswers(400, 413) },
      },
    },
    (request, reply) => {
      request.log.info({ body: request.body }, 'a callback came in');
      return reply.type('application/json').send('null');
    },
  );
}
