import { join } from 'node:path';
import { drainFileOf, type WorkerReport } from '../../contract/worker-report.js';
import { EngineError } from '../../errors/engine-error.js';
import { writeFileAtomic } from '../../store/atomic.js';
import type { ApiDeps, App, Request } from '../deps.js';
import { readJsonIfAny } from '../http/lenient-json.js';
import { presentQueue, presentWorker } from '../presenters/operations.js';
import type { QueueWatch } from '../queue-watch.js';
import { errorAnswers } from '../schemas/errors.js';
import {
  pauseRequestSchema,
  queueListSchema,
  queueParamsSchema,
  queueSchema,
  type ShownQueue,
  workerListSchema,
  workerParamsSchema,
  workerSchema,
} from '../schemas/operations.js';
import { shownQueues } from '../shown-queues.js';
import { liveWorkers } from '../worker-reports.js';

const common = { tags: ['operations'], security: [{ APIKeyHeader: [] }] };

/** Who serves what, and what waits: from the reports of workers on the share, and from Temporal. */
export function operationsRoutes(deps: ApiDeps, watch: QueueWatch) {
  return async (app: App): Promise<void> => {
    readJsonIfAny(app);
    queueRoutes(app, deps, watch);
    workerRoutes(app, deps);
  };
}

function queueRoutes(app: App, { store, engine }: ApiDeps, watch: QueueWatch): void {
  const shown = async (queue: string): Promise<ShownQueue> =>
    presentQueue(await watch.stats(queue), await liveWorkers(store.root));

  app.get(
    '/queues',
    {
      schema: {
        ...common,
        summary: 'Queues: what waits, and who serves it',
        description:
          'The queues of the product, those that a live worker serves, and those that nobody serves but in which jobs wait, or which ' +
          'are paused. At most five seconds old.',
        response: { 200: queueListSchema, ...errorAnswers(401, 500, 503) },
      },
    },
    async () => {
      const workers = await liveWorkers(store.root);
      const served = shownQueues(workers);
      const stats = await Promise.all([
        ...served.map(async (queue) => [await watch.stats(queue)]),
        watch.unserved(served),
      ]);
      return { queues: stats.flat().map((one) => presentQueue(one, workers)) };
    },
  );

  app.post(
    '/queues/:queue/pause',
    {
      schema: {
        ...common,
        summary: 'Hand out nothing more of a queue',
        description:
          'What runs goes on, what waits and what comes waits until the queue is resumed, whichever workers serve it, also over ' +
          'restarts of everything. Pausing a paused queue is a success; it gets the new reason.',
        params: queueParamsSchema,
        body: pauseRequestSchema,
        response: { 200: queueSchema, ...errorAnswers(400, 401, 409, 500, 503) },
      },
    },
    async (request) => {
      const { queue } = request.params;
      const reason = request.body?.reason ?? '';
      await engine.pauseQueue(queue, whoAsks(request), reason);
      watch.forget(queue);
      watch.remember([queue], null);
      request.log.info({ queue, reason }, 'a queue is paused');
      return shown(queue);
    },
  );

  app.post(
    '/queues/:queue/resume',
    {
      schema: {
        ...common,
        summary: 'Go on with a queue',
        description: 'Resuming a queue that is not paused is a success. Jobs go on within about a second.',
        params: queueParamsSchema,
        response: { 200: queueSchema, ...errorAnswers(400, 401, 409, 500, 503) },
      },
    },
    async (request) => {
      const { queue } = request.params;
      await engine.resumeQueue(queue, whoAsks(request));
      watch.forget(queue);
      request.log.info({ queue }, 'a queue is resumed');
      return shown(queue);
    },
  );
}

function workerRoutes(app: App, { store }: ApiDeps): void {
  app.get(
    '/workers',
    {
      schema: {
        ...common,
        summary: 'Workers that are alive',
        description:
          'As each tells of itself, every two seconds. One that has been silent for 15 seconds counts as dead.',
        response: { 200: workerListSchema, ...errorAnswers(401, 500) },
      },
    },
    async () => ({ workers: (await liveWorkers(store.root)).map(presentWorker) }),
  );

  app.post(
    '/workers/:worker/drain',
    {
      schema: {
        ...common,
        summary: 'Let a worker finish, and end',
        description:
          'Within two seconds it takes nothing new. What it runs goes on, for up to `DRAIN_SECONDS`, and runs again elsewhere after ' +
          'that; then the process ends, and whoever watches over it (systemd, Compose, `npm start`) may start a fresh one.',
        params: workerParamsSchema,
        response: { 202: workerSchema, ...errorAnswers(400, 401, 404, 500) },
      },
    },
    async (request, reply) => {
      const name = request.params.worker;
      const alive = await liveWorkers(store.root);
      const report = alive.find((worker) => worker.name === name);
      if (report === undefined) throw noWorker(name, alive);
      const file = join(store.root, '.workers', drainFileOf(name));
      await writeFileAtomic(file, JSON.stringify({ at: new Date().toISOString(), by: whoAsks(request) }));
      request.log.info({ worker: name }, 'a worker is told to drain');
      return reply.code(202).send(presentWorker(report));
    },
  );
}

function noWorker(name: string, alive: readonly WorkerReport[]): EngineError {
  const names = alive.map((worker) => worker.name).join(', ') || 'none';
  return new EngineError('NOT_FOUND', `there is no worker "${name}": alive are ${names}`);
}

/** For people who wonder who it was; all have the same token. */
function whoAsks(request: Request): string {
  return `${request.headers['x-api-key'] === undefined ? 'the page' : 'the API'}, from ${request.ip}`;
}
