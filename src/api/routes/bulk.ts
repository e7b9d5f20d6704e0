import { jobFields } from '../../contract/log-fields.js';
import { EngineError } from '../../errors/engine-error.js';
import type { App, Request } from '../deps.js';
import type { GraphParts } from '../graphs/graph-parts.js';
import type { JobCalls } from '../job-calls.js';
import {
  type GraphDone,
  type JobDone,
  manyGraphsDoneSchema,
  manyGraphsSchema,
  manyJobsDoneSchema,
  manyJobsSchema,
} from '../schemas/bulk.js';
import { errorAnswers } from '../schemas/errors.js';
import { graphErrorAnswers } from '../schemas/graphs.js';
import { graphsCommon, repeatGraph } from './graphs-create.js';

/** Of one request at the same time: others want Temporal and the share, too. */
const atOnce = 8;

const security = [{ APIKeyHeader: [] }];
const each = 'What cannot be done for one does not keep the others: the answer tells of each.';

/** Stops or repeats many jobs or graphs with one request. */
export function bulkRoutes(app: App, calls: JobCalls, graphs: GraphParts): void {
  const jobRoute = (verb: string, summary: string, one: (jobId: string, request: Request) => Promise<JobDone>) =>
    app.post(
      `/jobs/${verb}`,
      {
        schema: {
          tags: ['jobs'],
          security,
          summary,
          description: `At most 500. ${each}`,
          body: manyJobsSchema,
          response: { 200: manyJobsDoneSchema, ...errorAnswers(400, 401, 413, 500) },
        },
      },
      async (request) => {
        const jobs = await ofEach(
          request,
          request.body.jobs,
          (jobId) => one(jobId, request),
          (uuid, problem) => ({ uuid, ok: false, new_uuid: null, status: null, problem }),
        );
        return { jobs, ...totals(jobs) };
      },
    );
  jobRoute('cancel', 'Stop many jobs', async (uuid, request) => {
    const { status } = await calls.cancel(uuid);
    request.log.info(jobFields(uuid), 'a job is cancelled');
    return { uuid, ok: true, new_uuid: null, status, problem: null };
  });
  jobRoute('retry', 'Run many jobs again, as new jobs', async (uuid, request) => {
    const { jobId } = await calls.retry(uuid);
    request.log.info({ ...jobFields(uuid), newJob: jobId }, 'a job is repeated');
    return { uuid, ok: true, new_uuid: jobId, status: 'SENT', problem: null };
  });

  const graphRoute = (verb: string, summary: string, one: (graphId: string, request: Request) => Promise<GraphDone>) =>
    app.post(
      `/graphs/${verb}`,
      {
        schema: {
          ...graphsCommon,
          summary,
          description: `At most 500. ${each}`,
          body: manyGraphsSchema,
          response: { 200: manyGraphsDoneSchema, ...graphErrorAnswers(413) },
        },
      },
      async (request) => {
        const done = await ofEach(
          request,
          request.body.graphs,
          (graphId) => one(graphId, request),
          (id, problem) => ({ id, ok: false, new_id: null, state: null, problem }),
        );
        return { graphs: done, ...totals(done) };
      },
    );
  graphRoute('cancel', 'Stop many graphs', async (id, request) => {
    await graphs.reader.view(id);
    await graphs.calls.cancel(id);
    request.log.info({ graph: id }, 'a graph is cancelled');
    const { state } = await graphs.reader.state(await graphs.reader.view(id));
    return { id, ok: true, new_id: null, state, problem: null };
  });
  graphRoute('retry', 'Run what has failed of many graphs again, as new graphs', async (id, request) => {
    const { id: newId } = await repeatGraph(graphs, request, id, undefined);
    return { id, ok: true, new_id: newId, state: 'pending', problem: null };
  });
}

/** In the order of the ids, each once, some at the same time. */
async function ofEach<T>(
  request: Request,
  ids: readonly string[],
  one: (id: string) => Promise<T>,
  refused: (id: string, problem: string) => T,
): Promise<T[]> {
  const wanted = [...new Set(ids)];
  const results: T[] = [];
  for (let at = 0; at < wanted.length; at += atOnce) {
    const batch = wanted.slice(at, at + atOnce).map(async (id) => {
      try {
        return await one(id);
      } catch (error) {
        if (error instanceof EngineError && error.code !== 'INTERNAL') return refused(id, error.message);
        request.log.error({ err: error, id }, 'one of many could not be done');
        return refused(id, `see the log of the API: request ${request.id}`);
      }
    });
    results.push(...(await Promise.all(batch)));
  }
  return results;
}

function totals(results: readonly { readonly ok: boolean }[]): { done: number; failed: number } {
  const done = results.filter(({ ok }) => ok).length;
  return { done, failed: results.length - done };
}
