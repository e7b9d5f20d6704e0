import type { App } from '../deps.js';
import { stringifyJson } from '../http/json-text.js';
import type { JobsReader } from '../jobs-reader.js';
import { presentTaskMeta, unknownTaskMeta } from '../presenters/task-meta.js';
import { errorAnswers } from '../schemas/errors.js';
import { askedJobSchema, jobDetailsSchema, jobParamsSchema, jobStateSchema, taskMetaSchema } from '../schemas/jobs.js';
import type { TaskFamily } from '../task-family.js';

/**
 * Answers are presented from records that were checked when they were read; checking the answer again costs more than all
 * the rest of the call, and minutes for a result of many megabytes. Tests hold the answers against the schemas.
 */
const serializerCompiler = () => stringifyJson;

/** The state of one job, in the three forms that clients know, and what was asked for. */
export function jobsStateRoutes(app: App, reader: JobsReader, family: TaskFamily): void {
  app.get(
    '/jobs/:job_uuid',
    {
      serializerCompiler,
      schema: {
        tags: ['jobs'],
        summary: 'Short state of a job',
        description: 'An id that no job has answers PENDING: there is no 404.',
        security: [{ APIKeyHeader: [] }],
        params: jobParamsSchema,
        response: { 200: jobStateSchema, ...errorAnswers(400, 401) },
      },
    },
    (request) => reader.state(request.params.job_uuid, request),
  );

  app.get(
    '/jobs/:job_uuid/details',
    {
      serializerCompiler,
      schema: {
        tags: ['jobs'],
        summary: 'Full state of a job',
        security: [{ APIKeyHeader: [] }],
        params: jobParamsSchema,
        response: { 200: jobDetailsSchema, ...errorAnswers(400, 401) },
      },
    },
    (request) => reader.details(request.params.job_uuid, request),
  );

  app.get(
    '/jobs/:job_uuid/request',
    {
      schema: {
        tags: ['jobs'],
        summary: 'What was asked for',
        description: 'Process or script, parameters, input and settings. Of a node of a graph once it has begun.',
        security: [{ APIKeyHeader: [] }],
        params: jobParamsSchema,
        response: { 200: askedJobSchema, ...errorAnswers(400, 401, 404) },
      },
    },
    (request) => reader.asked(request.params.job_uuid),
  );

  app.get(
    '/backend/get_task_meta/:job_uuid',
    {
      serializerCompiler,
      schema: {
        tags: ['backend'],
        summary: 'The record as a Celery result store keeps it',
        security: [{ APIKeyHeader: [] }],
        params: jobParamsSchema,
        response: { 200: taskMetaSchema, ...errorAnswers(400, 401, 500) },
      },
    },
    async (request) => {
      const record = await reader.record(request.params.job_uuid);
      if (record === null) return unknownTaskMeta;
      return presentTaskMeta(record, await reader.result(record), await family.of(record.jobId));
    },
  );
}
