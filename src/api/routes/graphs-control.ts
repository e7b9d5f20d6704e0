import { type App, defaultWatchMs } from '../deps.js';
import type { GraphParts } from '../graphs/graph-parts.js';
import type { GraphView } from '../graphs/graphs-reader.js';
import { readJsonIfAny } from '../http/lenient-json.js';
import { nodeParamsSchema, nodeStateSchema, nodesChosenSchema, nodesToldSchema } from '../schemas/graph-nodes.js';
import {
  deletedGraphSchema,
  graphChangesSchema,
  graphErrorAnswers,
  graphParamsSchema,
  graphStateSchema,
  idempotencySchema,
  newGraphSchema,
  waitQuerySchema,
} from '../schemas/graphs.js';
import { graphsCommon, repeatGraph } from './graphs-create.js';

const words = {
  close: ['No more nodes: an open graph may end', 'Closing a graph that is closed is a success.'],
  pause: ['Start nothing more', 'What runs goes on. Pausing a paused graph is a success.'],
  resume: ['Go on after a pause', ''],
} as const;

/** What can be done to a graph that is there. A scope of its own: most of these calls have no body, and may come with one. */
export function graphsControlRoutes(parts: GraphParts) {
  return async (app: App): Promise<void> => {
    readJsonIfAny(app);
    controlRoutes(app, parts);
  };
}

function controlRoutes(app: App, parts: GraphParts): void {
  const { deps, reader, calls, answered } = parts;
  const intervalMs = deps.options.watchIntervalMs ?? defaultWatchMs;

  const actions = {
    close: (view: GraphView) => calls.close(view),
    pause: ({ header }: GraphView) => calls.tell(header.graphId, 'pauseGraph'),
    resume: ({ header }: GraphView) => calls.tell(header.graphId, 'resumeGraph'),
  };
  for (const name of ['close', 'pause', 'resume'] as const) {
    app.post(
      `/graphs/:graph/${name}`,
      {
        schema: {
          ...graphsCommon,
          summary: words[name][0],
          description:
            `${words[name][1]} Answers when the request is stored; the state follows within a moment.`.trim(),
          params: graphParamsSchema,
          headers: idempotencySchema,
          response: { 200: graphStateSchema, ...graphErrorAnswers(404, 409) },
        },
      },
      async (request) => {
        const graphId = request.params.graph;
        const view = await reader.view(graphId);
        return answered.once(graphId, request.headers['idempotency-key'], [name], async () => {
          await actions[name](view);
          request.log.info({ graph: graphId, call: name }, 'a graph is told something');
          return reader.state(await reader.view(graphId));
        });
      },
    );
  }

  app.post(
    '/graphs/:graph/cancel',
    {
      schema: {
        ...graphsCommon,
        summary: 'Stop a graph',
        description:
          'Scripts under way end within about a second; the state becomes `revoked`. Cancelling a graph that has ended is a ' +
          'success and changes nothing. With `wait` the answer comes when the graph has ended, or after so many seconds.',
        params: graphParamsSchema,
        querystring: waitQuerySchema,
        headers: idempotencySchema,
        response: { 200: graphStateSchema, ...graphErrorAnswers(404) },
      },
    },
    async (request) => {
      const graphId = request.params.graph;
      await reader.view(graphId);
      return answered.once(graphId, request.headers['idempotency-key'], ['cancel'], async () => {
        await calls.cancel(graphId);
        request.log.info({ graph: graphId }, 'a graph is cancelled');
        const gone = new AbortController();
        request.raw.once('close', () => gone.abort());
        return reader.state(await calls.waitForEnd(graphId, request.query.wait, gone.signal, intervalMs));
      });
    },
  );

  app.post(
    '/graphs/:graph/retry',
    {
      schema: {
        ...graphsCommon,
        summary: 'Run what has failed again, as a new graph',
        description:
          'Nodes that did not succeed run again, and everything that waits for one of them; the others keep their results and ' +
          'outputs, under new job ids, and so do the items of a `map` that have succeeded. The old graph stays as it is. 409 while it runs.',
        params: graphParamsSchema,
        headers: idempotencySchema,
        response: { 200: newGraphSchema, ...graphErrorAnswers(404, 409) },
      },
    },
    async (request) => {
      const graphId = request.params.graph;
      const key = request.headers['idempotency-key'];
      await reader.view(graphId);
      return answered.once(graphId, key, ['retry'], () => repeatGraph(parts, request, graphId, key));
    },
  );

  app.patch(
    '/graphs/:graph',
    {
      schema: {
        ...graphsCommon,
        summary: 'Change the priority of a graph, or how many of its nodes run at the same time',
        params: graphParamsSchema,
        body: graphChangesSchema,
        response: { 200: graphStateSchema, ...graphErrorAnswers(404, 409) },
      },
    },
    async (request) => {
      const graphId = request.params.graph;
      await reader.view(graphId);
      const { priority, max_parallel: most } = request.body;
      if (priority !== undefined) {
        await calls.tell(graphId, 'setPriority', { node: null, priority: 1 + Math.floor(priority / 2) });
      }
      if (most !== undefined) await calls.tell(graphId, 'setParallel', most);
      return reader.state(await reader.view(graphId));
    },
  );

  app.post(
    '/graphs/:graph/nodes/cancel',
    {
      schema: {
        ...graphsCommon,
        summary: 'Stop some nodes',
        description: 'The rest of the graph goes on, as far as it does not need them.',
        params: graphParamsSchema,
        body: nodesChosenSchema,
        headers: idempotencySchema,
        response: { 200: nodesToldSchema, ...graphErrorAnswers(404) },
      },
    },
    async (request) => {
      const graphId = request.params.graph;
      const view = await reader.view(graphId);
      const { ids } = request.body;
      return answered.once(graphId, request.headers['idempotency-key'], ['nodes/cancel', ids], async () => ({
        nodes: await calls.cancelNodes(view, ids),
      }));
    },
  );

  app.post(
    '/graphs/:graph/nodes/:node/retry',
    {
      schema: {
        ...graphsCommon,
        summary: 'Run a node again, while its graph runs',
        description:
          'One that has failed, or was revoked or skipped. What was skipped because of it waits for it again. When the graph ' +
          'has ended: retry the graph.',
        params: nodeParamsSchema,
        headers: idempotencySchema,
        response: { 200: nodeStateSchema, ...graphErrorAnswers(404, 409) },
      },
    },
    async (request) => {
      const graphId = request.params.graph;
      const view = await reader.view(graphId);
      const number = reader.number(view, request.params.node);
      const asked = ['nodes/retry', number];
      return answered.once(graphId, request.headers['idempotency-key'], asked, async () => {
        await calls.retryNode(view, number);
        request.log.info({ graph: graphId, node: number }, 'a node is to run again');
        return reader.present(await reader.view(graphId), number);
      });
    },
  );

  app.delete(
    '/graphs/:graph',
    {
      schema: {
        ...graphsCommon,
        summary: 'Remove a graph with all its jobs and files',
        description:
          'Only when it has ended: cancel it first. Its trace in Temporal stays until its retention is over.',
        params: graphParamsSchema,
        response: { 200: deletedGraphSchema, ...graphErrorAnswers(404, 409) },
      },
    },
    async (request) => {
      const graphId = request.params.graph;
      await calls.remove(await reader.view(graphId));
      request.log.info({ graph: graphId }, 'a graph was deleted');
      return { id: graphId, deleted: true as const };
    },
  );
}
