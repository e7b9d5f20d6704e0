import multipart from '@fastify/multipart';
import { addNodesRequestSchema, graphRequestSchema } from '../../compile/graph-request.js';
import type { GraphHeader } from '../../contract/graph-document.js';
import { graphIdFromKey, newGraphId } from '../../contract/new-graph-id.js';
import { EngineError } from '../../errors/engine-error.js';
import type { App, Request } from '../deps.js';
import { checkIsOpen } from '../graphs/graph-adder.js';
import { ended } from '../graphs/graph-calls.js';
import type { GraphParts } from '../graphs/graph-parts.js';
import type { GraphsReader } from '../graphs/graphs-reader.js';
import { maxGraphBytes } from '../graphs/receive-graph.js';
import {
  addedNodesSchema,
  graphErrorAnswers,
  graphParamsSchema,
  idempotencySchema,
  type NewGraph,
  newGraphSchema,
  validationSchema,
} from '../schemas/graphs.js';
import { tooLarge } from '../uploads/receive-form.js';

export const graphsCommon = { tags: ['graphs'], security: [{ APIKeyHeader: [] }] };

const bodyWords =
  'JSON, or a multipart form with the graph as the part `graph` and the files that nodes name as `script` or `data` beside it, ' +
  'each under the name by which nodes call it.';

/** Calls that bring a graph. A scope of its own: their bodies are kept as they were sent, digit by digit. */
export function graphsCreateRoutes(parts: GraphParts) {
  return async (app: App): Promise<void> => {
    const { deps, store, reader, submitter, adder, calls, answered } = parts;
    const { maxUploadBytes } = deps.options;
    app.removeAllContentTypeParsers();
    await app.register(multipart);
    app.addContentTypeParser(
      'application/json',
      { parseAs: 'string', bodyLimit: maxGraphBytes },
      (_request, body, done) => done(null, body),
    );
    app.addContentTypeParser('*', (request, _payload, done) => done(notAGraph(request.headers['content-type'] ?? '')));
    app.addHook('onRequest', async (request) => {
      if (Number(request.headers['content-length'] ?? 0) > maxUploadBytes) throw tooLarge(maxUploadBytes);
    });

    app.post(
      '/graphs',
      {
        config: { docs: { graph: graphRequestSchema } },
        schema: {
          ...graphsCommon,
          summary: 'Create a graph',
          description: `${bodyWords} A graph with problems is refused as a whole: all of them are told, and nothing is kept.`,
          headers: idempotencySchema,
          response: { 200: newGraphSchema, ...graphErrorAnswers(409, 413) },
        },
      },
      async (request) => {
        const header = await submitter.submit(request, request.headers['idempotency-key'] ?? null);
        const nodes = await store.count(header.graphId);
        request.log.info({ graph: header.graphId, nodes }, 'a graph was accepted');
        return presentNew(header, nodes, reader);
      },
    );

    app.post(
      '/graphs/validate',
      {
        config: { docs: { graph: graphRequestSchema } },
        schema: {
          ...graphsCommon,
          summary: 'Check a graph and see its plan, without creating it',
          description: `${bodyWords} Answers 200 for a graph with problems, too: \`valid\` tells.`,
          response: { 200: validationSchema, ...graphErrorAnswers(413) },
        },
      },
      (request) => submitter.validate(request),
    );

    app.post(
      '/graphs/:graph/nodes',
      {
        config: { docs: { graph: addNodesRequestSchema } },
        schema: {
          ...graphsCommon,
          summary: 'Add nodes to an open graph',
          description:
            `${bodyWords} Each node is answered for itself: \`created\`, \`exists\` (the same node was sent before) or \`rejected\`. ` +
            'Files that came earlier can be named, too.',
          params: graphParamsSchema,
          headers: idempotencySchema,
          response: { 200: addedNodesSchema, ...graphErrorAnswers(404, 409, 413) },
        },
      },
      async (request) => {
        const graphId = request.params.graph;
        const { header, fold } = await reader.view(graphId);
        checkIsOpen(graphId, header.open, fold.closed);
        if (fold.endedAt !== null) throw ended(graphId);
        const prepared = await adder.receive(request, graphId);
        try {
          return await answered.once(
            graphId,
            request.headers['idempotency-key'],
            ['nodes', prepared.digest],
            async () => {
              const { answer, chunk } = await adder.add(graphId, prepared);
              if (chunk !== null) await calls.tell(graphId, 'addNodes', chunk);
              return answer;
            },
          );
        } finally {
          await prepared.discard();
        }
      },
    );
  };
}

/** `POST /graphs/{graph}/retry` makes a graph, too, but brings none. */
export async function repeatGraph(
  parts: GraphParts,
  request: Request,
  graphId: string,
  key?: string,
): Promise<NewGraph> {
  const { reader, calls, repeater } = parts;
  const view = await reader.view(graphId);
  await calls.checkHasEnded(view, 'cancel it first, or wait');
  const newId = key === undefined ? newGraphId() : graphIdFromKey(`retry\n${graphId}\n${key}`);
  const { header, nodes, kept } = await repeater.repeat(view, newId);
  request.log.info({ graph: graphId, newGraph: newId, nodes, kept }, 'a graph is repeated');
  return { ...presentNew(header, nodes, reader), kept };
}

function presentNew(header: GraphHeader, nodes: number, reader: GraphsReader): NewGraph {
  return {
    id: header.graphId,
    name: header.name,
    mode: header.open ? 'open' : 'closed',
    nodes,
    retry_of: header.retryOf,
    links: reader.links(header.graphId),
  };
}

function notAGraph(contentType: string): EngineError {
  const type = (contentType.split(';')[0] ?? '').trim() || 'a body without a content type';
  return new EngineError(
    'BAD_REQUEST',
    `${type} is not read: send the graph as application/json, or a form (multipart/form-data; curl: -F graph=@graph.json ` +
      '-F resize=@resize.py) with the graph in the part "graph"',
  );
}
