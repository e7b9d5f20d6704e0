import multipart from '@fastify/multipart';
import type { z } from 'zod';
import { parseJson } from '../../compile/parse-json.js';
import { Problems, pathText } from '../../compile/problems.js';
import type { GraphHeader } from '../../contract/graph-document.js';
import { graphIdFromKey, newGraphId } from '../../contract/new-graph-id.js';
import type { ScheduleState } from '../../engine/workflow-file-engine.js';
import { EngineError } from '../../errors/engine-error.js';
import type { GraphStore } from '../../store/graph-store.js';
import type { ListedWorkflow, WorkflowFiles } from '../../workflow-files/workflow-files.js';
import type { App, Request } from '../deps.js';
import type { GraphsReader } from '../graphs/graphs-reader.js';
import { maxGraphBytes, receiveGraph } from '../graphs/receive-graph.js';
import { patiently } from '../patient-engine.js';
import { graphErrorAnswers, idempotencySchema } from '../schemas/graphs.js';
import {
  deletedScheduleSchema,
  newRunSchema,
  runRequestSchema,
  type ShownSchedule,
  type ShownWorkflow,
  scheduleListSchema,
  scheduleParamsSchema,
  scheduleRequestSchema,
  scheduleSchema,
  signalParamsSchema,
  signalRequestSchema,
  signalSentSchema,
  workflowListSchema,
  workflowParamsSchema,
  workflowSchema,
} from '../schemas/workflows.js';
import { KeyedLock } from '../submission/keyed-lock.js';

const common = { tags: ['workflows'], security: [{ APIKeyHeader: [] }] };

export interface WorkflowRouteDeps {
  /** Absent in tests of other things: then there are no workflows. */
  readonly files: WorkflowFiles | undefined;
  readonly documents: GraphStore;
  readonly reader: GraphsReader;
  readonly maxUploadBytes: number;
}

/** Workflow files: what there is, runs of them, and when they run by themselves. */
export function workflowRoutes(deps: WorkflowRouteDeps) {
  return async (app: App): Promise<void> => {
    app.removeAllContentTypeParsers();
    await app.register(multipart);
    app.addContentTypeParser(
      'application/json',
      { parseAs: 'string', bodyLimit: maxGraphBytes },
      (_request, body, done) => done(null, body),
    );
    listRoutes(app, deps);
    runRoutes(app, deps);
    scheduleRoutes(app, deps);
  };
}

function listRoutes(app: App, { files }: WorkflowRouteDeps): void {
  app.get(
    '/workflows',
    {
      schema: {
        ...common,
        summary: 'List the workflow files',
        description:
          'What lies in WORKFLOWS_PATH: with the version that new runs get, and with its problems where the file cannot be used.',
        response: { 200: workflowListSchema, ...graphErrorAnswers() },
      },
    },
    async () => ({ workflows: ((await files?.list()) ?? []).map(shown) }),
  );

  app.get(
    '/workflows/:workflow',
    {
      schema: {
        ...common,
        summary: 'Tell of one workflow file',
        params: workflowParamsSchema,
        response: { 200: workflowSchema, ...graphErrorAnswers(404) },
      },
    },
    async (request) => shown(await served(files).get(request.params.workflow)),
  );
}

function runRoutes(app: App, { files, documents, reader, maxUploadBytes }: WorkflowRouteDeps): void {
  const lock = new KeyedLock();

  app.post(
    '/workflows/:workflow',
    {
      config: { docs: { graph: runRequestSchema, part: 'run' } },
      schema: {
        ...common,
        summary: 'Start a run of a workflow',
        description:
          'JSON, or a multipart form with the run as the part `run` and files beside it, which its tasks may name as `data`. ' +
          'The run is a graph: its id is taken by all calls below `/graphs`. Its tasks appear there as they are started.',
        params: workflowParamsSchema,
        headers: idempotencySchema,
        response: { 200: newRunSchema, ...graphErrorAnswers(404, 409, 413) },
      },
    },
    async (request) => {
      const { workflow } = request.params;
      const key = request.headers['idempotency-key'];
      const graphId = key === undefined ? newGraphId() : graphIdFromKey(`workflows\n${workflow}\n${key}`);
      const incoming = await documents.receive();
      try {
        const problems = new Problems();
        const received = await receiveGraph(request, incoming.inputs, maxUploadBytes, problems, 'run');
        const [problem] = problems.list;
        if (problem !== undefined) throw new EngineError('BAD_REQUEST', `${problem.path}: ${problem.message}`);
        const { input = {}, name = null, labels = {} } = bodyOf('run', received.text, runRequestSchema);
        const digest = key === undefined ? null : received.digest;
        const asked = { graphId, workflow, name, labels, input, digest };
        const header = await lock.run(graphId, () =>
          patiently(() => served(files).run(asked, incoming), runPatienceMs),
        );
        request.log.info({ graph: graphId, workflow, version: header.workflowVersion }, 'a workflow was started');
        return presentRun(header, reader);
      } finally {
        await incoming.discard();
      }
    },
  );

  app.post(
    '/graphs/:graph/signals/:signal',
    {
      config: { docs: { body: signalRequestSchema, type: 'application/json' } },
      schema: {
        ...common,
        summary: 'Send a signal to a run of a workflow',
        description: 'Answers when the signal is stored; a workflow that has no handler for it keeps it until it has.',
        params: signalParamsSchema,
        response: { 200: signalSentSchema, ...graphErrorAnswers(404, 409) },
      },
    },
    async (request) => {
      const { graph, signal } = request.params;
      const { header } = await reader.view(graph);
      if (header.workflow === null)
        throw new EngineError('CONFLICT', `graph ${graph} is no run of a workflow: it takes no signals`);
      const { args = [] } = bodyOf('signal', textOf(request) || '{}', signalRequestSchema);
      const outcome = await patiently(() => served(files).engine.signal(graph, signal, args));
      if (outcome !== 'sent') throw new EngineError('CONFLICT', `run ${graph} has ended: it takes no signals any more`);
      return { id: graph, signal, sent: true as const };
    },
  );
}

/** The first run of a version waits for its worker. */
const runPatienceMs = 30_000;

function scheduleRoutes(app: App, { files }: WorkflowRouteDeps): void {
  app.post(
    '/workflows/:workflow/schedules',
    {
      config: { docs: { body: scheduleRequestSchema, type: 'application/json' } },
      schema: {
        ...common,
        summary: 'Run a workflow by the clock',
        description:
          'A Temporal Schedule. Each run gets the version that is the newest then; while one runs, the next is left out.',
        params: workflowParamsSchema,
        response: { 200: scheduleSchema, ...graphErrorAnswers(404, 409) },
      },
    },
    async (request) => {
      const { workflow } = request.params;
      const asked = bodyOf('schedule', textOf(request), scheduleRequestSchema);
      const { id, cron, timezone = 'UTC', every, input = {}, name = null, labels = {} } = asked;
      if ((cron === undefined) === (every === undefined))
        throw new EngineError('BAD_REQUEST', 'a schedule has either "cron" or "every"', { field: 'cron' });
      await served(files).check(workflow, input);
      const when = cron === undefined ? { everySeconds: every as number } : { cron, timezone };
      const { engine } = served(files);
      await patiently(() => engine.createSchedule({ id, when, launch: { workflow, name, labels, input } }));
      request.log.info({ workflow, schedule: id }, 'a schedule was made');
      const fresh = { id, cron: cron ?? null, timezone: cron === undefined ? null : timezone, every: every ?? null };
      return { ...fresh, paused: false, next: [], runs: [] };
    },
  );

  app.get(
    '/workflows/:workflow/schedules',
    {
      schema: {
        ...common,
        summary: 'List the schedules of a workflow',
        params: workflowParamsSchema,
        response: { 200: scheduleListSchema, ...graphErrorAnswers() },
      },
    },
    async (request) => {
      const found = await patiently(() => served(files).engine.schedules(request.params.workflow));
      return { schedules: found.map(shownSchedule) };
    },
  );

  app.delete(
    '/workflows/:workflow/schedules/:schedule',
    {
      schema: {
        ...common,
        summary: 'End a schedule',
        description: 'Runs that it has started go on.',
        params: scheduleParamsSchema,
        response: { 200: deletedScheduleSchema, ...graphErrorAnswers(404) },
      },
    },
    async (request) => {
      const { workflow, schedule } = request.params;
      if (!(await patiently(() => served(files).engine.deleteSchedule(workflow, schedule))))
        throw new EngineError('NOT_FOUND', `workflow "${workflow}" has no schedule "${schedule}"`);
      return { id: schedule, deleted: true as const };
    },
  );
}

function served(files: WorkflowFiles | undefined): WorkflowFiles {
  if (files === undefined) throw new EngineError('NOT_FOUND', 'there are no workflows here');
  return files;
}

function textOf(request: Request): string {
  return typeof request.body === 'string' ? request.body : '';
}

function bodyOf<T extends z.ZodType>(what: string, text: string, schema: T): z.infer<T> {
  const checked = schema.safeParse(parseJson(what, text));
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0] as z.core.$ZodIssue;
  const field = pathText(
    issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : (issue.path as (string | number)[]),
  );
  const message = issue.code === 'unrecognized_keys' ? 'there is no such field' : issue.message;
  throw new EngineError('BAD_REQUEST', field === '' ? message : `${field}: ${message}`, { field });
}

function shown({ current, about }: ListedWorkflow): ShownWorkflow {
  const { name, file, problems } = current;
  return {
    name,
    file,
    version: about?.version ?? null,
    doc: about?.doc ?? null,
    input: about?.input ?? null,
    usable: about !== null && problems.length === 0,
    problems,
  };
}

function presentRun(header: GraphHeader, reader: GraphsReader): z.infer<typeof newRunSchema> {
  const { graphId, workflow, workflowVersion, name } = header;
  return {
    id: graphId,
    workflow: workflow ?? '',
    version: workflowVersion ?? '',
    name,
    links: reader.links(graphId),
  };
}

function shownSchedule({ id, cron, timezone, everySeconds, paused, next, runs }: ScheduleState): ShownSchedule {
  return {
    id,
    cron: cron[0] ?? null,
    timezone,
    every: everySeconds,
    paused,
    next: next.map(timeOf),
    runs: runs.map(({ graphId, at }) => ({ id: graphId, at: timeOf(at) })),
  };
}

function timeOf(date: Date): string {
  return date.toISOString().replace(/\.(\d{3})Z$/, '.$1000+00:00');
}
