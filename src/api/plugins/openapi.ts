import swagger from '@fastify/swagger';
import { createJsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { App } from '../deps.js';
// Its schema is part of the document although no route has it as a body.
import '../../compile/job-config.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the documentation says beyond the schemas that are checked at run time. */
    docs?: RouteDocs;
  }
}

export interface RouteDocs {
  /** A form that is streamed and so never meets the validator. */
  readonly body?: z.ZodType;
  /** A graph, which has a name: JSON, or a part of a form beside files whose names are free. */
  readonly graph?: z.ZodType;
  /** Name of that part. Default `graph`. */
  readonly part?: string;
  /** Content type of `body`. Default: a form. */
  readonly type?: string;
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
          'Calls below /jobs, /graphs, /workflows, /queues, /workers, /summary, /scripts and /backend need the token in the header x-api-key; after 20 different wrong tokens within ' +
          'a minute an address gets 429 for further wrong ones until it is over.',
      },
      tags: [
        { name: 'processes', description: 'Scripts that are there already.' },
        { name: 'jobs', description: 'One script execution each.' },
        { name: 'graphs', description: 'Jobs that depend on each other.' },
        { name: 'workflows', description: 'Programs that decide what runs, in TypeScript files.' },
        { name: 'operations', description: 'Queues and workers.' },
        { name: 'page', description: 'Sessions of the page in a browser.' },
        { name: 'backend', description: 'For programs that read Celery records.' },
        { name: 'dev', description: 'Help for developers and operators.' },
      ],
      components: { securitySchemes: { APIKeyHeader: { type: 'apiKey', in: 'header', name: 'x-api-key' } } },
    },
    transform: (document) => {
      const { schema, url } = fromZod(document);
      const docs = document.route.config?.docs;
      const described: Record<string, unknown> = { ...schema };
      if (url.endsWith('*') && schema?.params) described['params'] = withNamedRest(described['params']);
      if (docs?.body !== undefined) {
        described['consumes'] = [docs.type ?? 'multipart/form-data'];
        described['body'] = bodyOf(docs.body);
      }
      if (docs?.graph !== undefined) described['body'] = graphBody(docs.graph, docs.part ?? 'graph');
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
      return { schema: described, url: url.replace(/\*$/, `:${restName}`) };
    },
    transformObject: (document) => tidied(jsonSchemaTransformObject(document) as unknown as OpenApi) as never,
  });
}

/** What the router calls `*`, the rest of the path, is a parameter with a name in the document. */
const restName = 'file_path';

function withNamedRest(params: unknown): unknown {
  const { properties, required, ...rest } = params as {
    properties: Record<string, unknown>;
    required?: readonly string[];
  };
  const named = (name: string) => (name === '*' ? restName : name);
  return {
    ...rest,
    properties: Object.fromEntries(Object.entries(properties).map(([name, schema]) => [named(name), schema])),
    required: (required ?? []).map(named),
  };
}

/** A schema with a name comes as a reference to a definition beside it: the document has no place for that. */
function bodyOf(body: z.ZodType): unknown {
  const { $defs, $ref, ...schema } = z.toJSONSchema(body, { io: 'input', unrepresentable: 'any' });
  return withoutDialect($defs?.[$ref?.split('/').at(-1) ?? ''] ?? schema);
}

function graphBody(graph: z.ZodType, part: string): unknown {
  const schema = { $ref: `#/components/schemas/${graph.meta()?.id}` };
  const form = {
    type: 'object',
    properties: { [part]: schema },
    required: [part],
    additionalProperties: { type: 'string', format: 'binary' },
  };
  return { content: { 'application/json': { schema }, 'multipart/form-data': { schema: form } } };
}

interface OpenApi {
  readonly paths: Record<string, Record<string, { responses?: Record<string, { description?: string }> }>>;
  readonly components: { schemas: Record<string, unknown> };
}

const words: Readonly<Record<string, string>> = {
  200: 'Done.',
  202: 'The request is stored.',
  400: 'The request cannot be carried out as it is.',
  401: 'The token is missing or wrong.',
  403: 'The session of the page, from elsewhere than the page.',
  404: 'There is no such thing.',
  409: 'The job is not in a state that allows this.',
  413: 'Larger than the limit.',
  425: 'Not ready yet: ask again.',
  429: 'Too many wrong tokens from this address: the header retry-after says when to come again.',
  500: 'A fault of the system; its log has the details.',
  503: 'Temporal or the share cannot be reached: come again.',
};

/** Words for the statuses, and no schemas that nothing refers to (each comes as an input and an output variant). */
function tidied(document: OpenApi): OpenApi {
  for (const answers of Object.values(document.paths).flatMap((methods) => Object.values(methods))) {
    for (const [status, answer] of Object.entries(answers.responses ?? {})) {
      if (answer.description === 'Default Response') answer.description = words[status] ?? '';
    }
  }
  const { JobConfigInput, ...schemas } = document.components.schemas;
  // The one schema that stands in a text field, so nothing refers to it but words.
  const kept: Record<string, unknown> = { JobConfig: JobConfigInput };
  for (const [name, schema] of Object.entries(schemas)) if (!name.endsWith('Input')) kept[name] ??= schema;
  // What goes in is what comes out: the document has each schema once.
  const text = JSON.stringify({ ...document, components: { ...document.components, schemas: kept } });
  return JSON.parse(text.replaceAll(/(#\/components\/schemas\/\w+?)Input"/g, '$1"')) as OpenApi;
}

function withoutDialect({ $schema: _dialect, id: _id, ...schema }: Record<string, unknown>): Record<string, never> {
  return schema as Record<string, never>;
}
