import { isTerminal } from '../../contract/job.js';
import { type ApiDeps, type App, defaultWatchMs } from '../deps.js';
import { type EventStreamOptions, lastEventId, type ServerEvent, sendEvents } from '../http/event-stream.js';
import type { JobsReader } from '../jobs-reader.js';
import { Pace } from '../pause.js';
import { stateMark } from '../presenters/job-state.js';
import { errorAnswers } from '../schemas/errors.js';
import { jobParamsSchema } from '../schemas/jobs.js';

const example =
  'event: state\nid: 1.0.2r.42.RUNNING\ndata: {"uuid":"3c7b1077-…","status":"RUNNING","progress":42,…}\n\n';

/** Live state of a job. */
export function eventsRoutes(app: App, deps: ApiDeps, reader: JobsReader, streams: EventStreamOptions): void {
  const { options } = deps;
  const intervalMs = options.watchIntervalMs ?? defaultWatchMs;

  app.get(
    '/jobs/:job_uuid/events',
    {
      config: {
        docs: {
          answers: {
            200: { type: 'text/event-stream', description: 'Events `state`, data as in `/details`.', example },
            204: { type: 'text/plain', description: 'The job has ended and this client has seen it.' },
          },
        },
      },
      schema: {
        tags: ['jobs'],
        summary: 'State and progress as server-sent events',
        description:
          'The state now, then an event at each change of status, progress or steps; the stream ends after the event ' +
          'of the end. A client that comes again with `Last-Event-ID` gets only what it has not seen.',
        security: [{ APIKeyHeader: [] }],
        params: jobParamsSchema,
        response: { ...errorAnswers(400, 401, 404) },
      },
    },
    async (request, reply) => {
      const jobId = request.params.job_uuid;
      const record = await reader.required(jobId);
      const seen = lastEventId(request);
      // 204 is what stops a browser from coming again and again for a job that has ended.
      if (isTerminal(record.status) && seen === stateMark(record)) return reply.code(204).send();
      return sendEvents(request, reply, streams, (signal) => states(jobId, seen, signal));
    },
  );

  async function* states(jobId: string, seen: string | null, signal: AbortSignal): AsyncGenerator<ServerEvent> {
    let last = seen;
    const pace = new Pace(intervalMs);
    while (!signal.aborted) {
      const record = await reader.current(jobId);
      if (record === null) {
        yield { event: 'deleted', id: 'deleted', data: { uuid: jobId } };
        return;
      }
      const mark = stateMark(record);
      if (mark !== last) {
        last = mark;
        pace.changed();
        yield { event: 'state', id: mark, data: await reader.detailsOf(record) };
      }
      if (isTerminal(record.status)) return;
      await pace.pause(signal);
    }
  }
}
