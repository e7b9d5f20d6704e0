import { isTerminal, type JobRecord } from '../../contract/job.js';
import type { Engine } from '../../engine/engine.js';
import { EngineError } from '../../errors/engine-error.js';
import type { ApiDeps, App } from '../deps.js';
import type { JobCalls } from '../job-calls.js';
import type { JobsReader } from '../jobs-reader.js';
import { pause } from '../pause.js';
import { presentState } from '../presenters/job-state.js';
import { errorAnswers } from '../schemas/errors.js';
import { deletedJobSchema, jobParamsSchema, jobStateSchema, retriedJobSchema } from '../schemas/jobs.js';

/** The record tells the end of a job a moment before its run closes. */
const closingMs = 2000;

/** What can be done to a job that is there: stop it, run it again, remove it. */
export function jobsControlRoutes(deps: ApiDeps, reader: JobsReader, calls: JobCalls) {
  return async (app: App): Promise<void> => {
    // These calls have no body; what a client sends all the same (an empty JSON body, mostly) is not looked at.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined));
    controlRoutes(app, deps, reader, calls);
  };
}

function controlRoutes(app: App, deps: ApiDeps, reader: JobsReader, calls: JobCalls): void {
  const { store, engine } = deps;
  const common = { tags: ['jobs'], security: [{ APIKeyHeader: [] }], params: jobParamsSchema };

  app.post(
    '/jobs/:job_uuid/cancel',
    {
      schema: {
        ...common,
        summary: 'Stop a job',
        description:
          'Answers when the request is stored; the script ends within about a second, and the status becomes REVOKED. ' +
          'Cancelling a cancelled job is a success.',
        response: { 200: jobStateSchema, ...errorAnswers(400, 401, 404, 409, 503) },
      },
    },
    async (request) => {
      const jobId = request.params.job_uuid;
      const record = await calls.cancel(jobId);
      if (!isTerminal(record.status)) request.log.info('a job is cancelled');
      return presentState(record);
    },
  );

  app.post(
    '/jobs/:job_uuid/retry',
    {
      schema: {
        ...common,
        summary: 'Run a job again, as a new job',
        description: 'Same script, input, parameters and settings. The old job stays as it is.',
        response: { 200: retriedJobSchema, ...errorAnswers(400, 401, 404, 409, 503) },
      },
    },
    async (request) => {
      const jobId = request.params.job_uuid;
      const spec = await calls.retry(jobId);
      request.log.info({ newJob: spec.jobId }, 'a job is repeated');
      const state = { uuid: spec.jobId, name: spec.name, status: 'SENT' as const, progress: null, error: null };
      return { ...state, retry_of: jobId };
    },
  );

  app.delete(
    '/jobs/:job_uuid',
    {
      schema: {
        ...common,
        summary: 'Remove a job with all its files',
        description:
          'Only when it has ended: cancel it first. Its trace in Temporal stays until its retention is over.',
        response: { 200: deletedJobSchema, ...errorAnswers(400, 401, 404, 409, 503) },
      },
    },
    async (request) => {
      const jobId = request.params.job_uuid;
      const record = await reader.required(jobId);
      if (await isRunning(engine, record)) {
        throw new EngineError('CONFLICT', `job ${jobId} has not ended (${record.status}): cancel it first`);
      }
      await store.remove(jobId);
      request.log.info('a job was deleted');
      return { uuid: jobId, deleted: true as const };
    },
  );
}

/** Whether anything of the job's graph may still write, or read what it has written. */
async function isRunning(engine: Engine, record: JobRecord): Promise<boolean> {
  const deadline = Date.now() + (isTerminal(record.status) ? closingMs : 0);
  for (;;) {
    if ((await engine.isOpen(record.jobId)) !== true) return false;
    if (Date.now() >= deadline) return true;
    await pause(50, new AbortController().signal);
  }
}
