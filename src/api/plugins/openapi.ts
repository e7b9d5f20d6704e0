import swagger from '@fastify/swagger';
import { createJsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { App } from '../deps.js';
import { jobConfigSchema } from '../schemas/job-request.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the documentation says beyond the schemas that are checked at run time. */
    docs?: RouteDocs;
  }
}

export interface RouteDocs {
  /** A form that is streamed and so never meets the validator. */
  readonly body?: z.ZodType;
  /** Answers that are files, texts or event streams. */
  readonly answers?: Readonly<
    Record<number, { readonly type: string; readonly description: string; readonly example?: string }>
  >;
}

/** OpenAPI 3.1, made from the schemas that requests are checked with. */
export async function useOpenApi(app: App): Promise<void> {
  const fromZod = createJsonSchemaTransform({});
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'PiXYZ API',
        version: '1.0.7',
        description:
          'Jobs of 3D pipelines: send a Python script or name a process, watch it, fetch what it made. ' +
          'Calls below /jobs and /backend need the token in the header x-api-key.',
      },
      tags: [
        { name: 'processes', description: 'Scripts that are there already.' },
        { name: 'jobs', description: 'One script execution each.' },
        { name: 'backend', description: 'For programs that read Celery records.' },
        { name: 'dev', description: 'Help for developers and operators.' },
      ],
      components: {
        securitySchemes: { APIKeyHeader: { type: 'apiKey', in: 'header', name: 'x-api-key' } },
        schemas: {
          JobConfig: withoutDialect(z.toJSONSchema(jobConfigSchema, { io: 'input', unrepresentable: 'any' })),
        },
      },
    },
    transform: (document) => {
      const { schema, url } = fromZod(document);
      const docs = document.route.config?.docs;
      const described: Record<string, unknown> = { ...schema };
      if (docs?.body !== undefined) {
        described['consumes'] = ['multipart/form-data'];
        described['body'] = withoutDialect(z.toJSONSchema(docs.body, { io: 'input', unrepresentable: 'any' }));
      }
      if (docs?.answers !== undefined) {
        const answers = Object.entries(docs.answers).map(([status, { type, description, example }]) => [
          status,
          {
            description,
            content: { [type]: { schema: { type: 'string', ...(example ? { examples: [example] } : {}) } } },
          },
        ]);
        described['response'] = { ...Object.fromEntries(answers), ...(described['response'] as object | undefined) };
      }
      return { schema: described, url: url.replace(/\*$/, ':file_path') };
    },
    transformObject: jsonSchemaTransformObject,
  });
}

function withoutDialect({ $schema, id, ...schema }: Record<string, unknown>): Record<string, never> {
  return schema as Record<string, never>;
}
