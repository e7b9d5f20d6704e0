import { type App, defaultWatchMs, type Reply } from '../deps.js';
import type { GraphsList } from '../graphs/graphs-list.js';
import type { GraphsReader } from '../graphs/graphs-reader.js';
import { whyOf } from '../graphs/why.js';
import { type EventStreamOptions, lastEventId, type ServerEvent, sendEvents } from '../http/event-stream.js';
import { Pace } from '../pause.js';
import type { QueueWatch } from '../queue-watch.js';
import { eventsQuerySchema, type GraphEvent, type GraphEvents, graphEventsSchema } from '../schemas/graph-events.js';
import {
  nodeDetailsSchema,
  nodeListQuerySchema,
  nodeListSchema,
  nodeParamsSchema,
  whySchema,
} from '../schemas/graph-nodes.js';
import {
  graphErrorAnswers,
  graphListQuerySchema,
  graphListSchema,
  graphParamsSchema,
  graphStateSchema,
} from '../schemas/graphs.js';
import { graphsCommon } from './graphs-create.js';

const example =
  'event: succeeded\nid: 12\ndata: {"seq":12,"at":"2026-11-21T11:49:07.102Z","type":"succeeded","node":"convert",…}\n\n';

/** States of graphs and nodes, and the journal. All is read from the share; only the list asks Temporal. */
export function graphsReadRoutes(
  app: App,
  reader: GraphsReader,
  list: GraphsList,
  queues: QueueWatch,
  streams: EventStreamOptions & { readonly watchIntervalMs?: number | undefined },
): void {
  const intervalMs = streams.watchIntervalMs ?? defaultWatchMs;

  app.get(
    '/graphs',
    {
      schema: {
        ...graphsCommon,
        summary: 'Graphs, newest first',
        querystring: graphListQuerySchema,
        response: { 200: graphListSchema, ...graphErrorAnswers() },
      },
    },
    (request) => list.page(request.query, request),
  );

  app.get(
    '/graphs/:graph',
    {
      schema: {
        ...graphsCommon,
        summary: 'State of a graph',
        params: graphParamsSchema,
        response: { 200: graphStateSchema, ...graphErrorAnswers(404) },
      },
    },
    async (request) => reader.state(await reader.view(request.params.graph)),
  );

  app.get(
    '/graphs/:graph/nodes',
    {
      schema: {
        ...graphsCommon,
        summary: 'Nodes of a graph, by number',
        description: 'Declared nodes first, then the jobs that `map` nodes have become.',
        params: graphParamsSchema,
        querystring: nodeListQuerySchema,
        response: { 200: nodeListSchema, ...graphErrorAnswers(404) },
      },
    },
    async (request) => reader.nodes(await reader.view(request.params.graph), request.query),
  );

  app.get(
    '/graphs/:graph/nodes/:node',
    {
      schema: {
        ...graphsCommon,
        summary: 'Everything known of a node',
        params: nodeParamsSchema,
        response: { 200: nodeDetailsSchema, ...graphErrorAnswers(404) },
      },
    },
    async (request) => {
      const view = await reader.view(request.params.graph);
      return reader.node(view, reader.number(view, request.params.node));
    },
  );

  app.get(
    '/graphs/:graph/nodes/:node/why',
    {
      schema: {
        ...graphsCommon,
        summary: 'Why a node does not run',
        params: nodeParamsSchema,
        response: { 200: whySchema, ...graphErrorAnswers(404) },
      },
    },
    async (request) => {
      const view = await reader.view(request.params.graph);
      return whyOf(reader, queues, view, reader.number(view, request.params.node));
    },
  );

  app.get(
    '/graphs/:graph/events',
    {
      config: {
        docs: {
          answers: {
            204: {
              type: 'text/plain',
              description: 'Event stream only: the graph has ended and this client has seen it.',
            },
          },
        },
      },
      schema: {
        ...graphsCommon,
        summary: 'What has happened in a graph, in order',
        description:
          'The journal, from any number on; `next` is the `after` of the next call. With `wait` a call that finds nothing waits ' +
          'for the next event. With `Accept: text/event-stream` the same as server-sent events (event: the type, id: the ' +
          `number): \`Last-Event-ID\` goes on where a lost connection ended. ${JSON.stringify(example)}`,
        params: graphParamsSchema,
        querystring: eventsQuerySchema,
        response: { 200: graphEventsSchema, ...graphErrorAnswers(404) },
      },
    },
    async (request, reply) => {
      const graphId = request.params.graph;
      const view = await reader.view(graphId);
      const { after, wait, limit } = request.query;
      if (!wantsStream(request.headers.accept)) {
        const gone = new AbortController();
        request.raw.once('close', () => gone.abort());
        return next(graphId, { after, limit, wait }, AbortSignal.any([gone.signal, streams.closing]));
      }
      const seen = Number(/^\d{1,15}$/.exec(lastEventId(request) ?? '')?.[0] ?? after);
      // 204 is what stops a browser from coming again and again for a graph that has ended.
      if (view.fold.endedAt !== null && (await reader.events(view, seen, 1)).length === 0)
        return (reply as Reply).code(204).send() as never;
      return sendEvents(request, reply, streams, (signal) => all(graphId, seen, signal)) as never;
    },
  );

  async function next(
    graphId: string,
    { after, wait, limit }: { after: number; wait: number; limit: number },
    signal: AbortSignal,
  ): Promise<GraphEvents> {
    const deadline = performance.now() + wait * 1000;
    const pace = new Pace(intervalMs);
    for (;;) {
      // The end is looked at before the events: what came before it is then surely among them.
      const view = await reader.view(graphId);
      const hasEnded = view.fold.endedAt !== null;
      const events = await reader.events(view, after, limit);
      if (events.length > 0 || hasEnded || performance.now() >= deadline || signal.aborted) {
        return { events, next: events.at(-1)?.seq ?? after, ended: hasEnded && events.length < limit };
      }
      await pace.pause(signal, deadline - performance.now());
    }
  }

  async function* all(graphId: string, seen: number, signal: AbortSignal): AsyncGenerator<ServerEvent> {
    let after = seen;
    const pace = new Pace(intervalMs);
    while (!signal.aborted) {
      const view = await reader.viewIfThere(graphId);
      if (view === null) {
        yield { event: 'deleted', id: 'deleted', data: { id: graphId } };
        return;
      }
      const hasEnded = view.fold.endedAt !== null;
      const events: GraphEvent[] = await reader.events(view, after, 500);
      for (const event of events) yield { event: event.type, id: String(event.seq), data: event };
      after = events.at(-1)?.seq ?? after;
      if (events.length > 0) {
        pace.changed();
        continue;
      }
      if (hasEnded) return;
      await pace.pause(signal);
    }
  }
}

function wantsStream(accept: string | undefined): boolean {
  return /\btext\/event-stream\b/.test(accept ?? '');
}
