import { z } from 'zod';
import { jobIdOf } from '../../contract/ids.js';
import { isTerminal, type JobRecord } from '../../contract/job.js';
import { EngineError } from '../../errors/engine-error.js';
import { isMissing } from '../../store/atomic.js';
import { logFileOf } from '../../store/layout.js';
import { unlinked } from '../../store/unlinked.js';
import { type ApiDeps, type App, defaultWatchMs, type Reply, type Request } from '../deps.js';
import type { GraphsReader } from '../graphs/graphs-reader.js';
import { type EventStreamOptions, lastEventId, type ServerEvent, sendEvents } from '../http/event-stream.js';
import type { JobsReader } from '../jobs-reader.js';
import { LogFollower, logSizes, readLog } from '../logs.js';
import { pause } from '../pause.js';
import { errorAnswers } from '../schemas/errors.js';
import { nodeParamsSchema } from '../schemas/graph-nodes.js';
import { graphErrorAnswers } from '../schemas/graphs.js';
import { jobParamsSchema, logListSchema, truthy, wholeNumber } from '../schemas/jobs.js';

const attemptProblem = 'must be the number of an attempt, from 1, or "last"';
const querySchema = z.object({
  attempt: z
    .union(
      [
        z.literal('last').transform(() => null),
        z.coerce.number().int({ error: attemptProblem }).min(1, { error: attemptProblem }),
      ],
      { error: attemptProblem },
    )
    .optional()
    .describe('Which attempt, or `last` (default).'),
  tail: wholeNumber(0, 1_000_000).optional().describe('Only so many lines from the end.'),
  follow: truthy.default(false).describe('`true`: server-sent events while the script writes.'),
});
type Query = z.infer<typeof querySchema>;

const nodeQuerySchema = querySchema.extend({
  offset: wholeNumber(0, Number.MAX_SAFE_INTEGER)
    .default(0)
    .describe('Bytes of the log to leave out at its beginning.'),
});

const example =
  'event: log\nid: 1.18\ndata: {"attempt":1,"text":"reading pump.step\\n"}\n\nevent: end\nid: end\ndata: {"status":"SUCCESS"}\n\n';

/** What the script printed: stdout and stderr as they came, native prints too. */
export function logsRoutes(
  app: App,
  deps: ApiDeps,
  reader: JobsReader,
  streams: EventStreamOptions,
  graphs: GraphsReader,
): void {
  const { store, options } = deps;
  const intervalMs = options.watchIntervalMs ?? defaultWatchMs;

  app.get(
    '/jobs/:job_uuid/logs',
    {
      config: {
        docs: {
          answers: {
            200: {
              type: 'text/plain',
              description:
                'With `attempt` or `tail`: the text. With `follow=true`: server-sent events `log` and `end` ' +
                '(text/event-stream). Without any: JSON, the attempts with the sizes of their logs.',
              example,
            },
          },
        },
      },
      schema: {
        tags: ['jobs'],
        summary: 'Logs of a job, attempt by attempt',
        description: 'A follower without `attempt` goes on with the next attempt when the job is tried again.',
        security: [{ APIKeyHeader: [] }],
        params: jobParamsSchema,
        querystring: querySchema,
        response: { ...errorAnswers(400, 401, 404) },
      },
    },
    (request, reply) => answer(request.params.job_uuid, request.query, request, reply),
  );

  app.get(
    '/graphs/:graph/nodes/:node/log',
    {
      config: {
        docs: {
          answers: {
            200: { type: 'text/plain', description: 'The text; with `follow=true` server-sent events.', example },
          },
        },
      },
      schema: {
        tags: ['graphs'],
        summary: 'What a node printed',
        description: 'The last attempt unless another one is asked for. The same as the log of its job.',
        security: [{ APIKeyHeader: [] }],
        params: nodeParamsSchema,
        querystring: nodeQuerySchema,
        response: { ...graphErrorAnswers(404) },
      },
    },
    async (request, reply) => {
      const { graph, node } = request.params;
      const view = await graphs.view(graph);
      const jobId = jobIdOf(graph, graphs.number(view, node));
      const query = { ...request.query, attempt: request.query.attempt === undefined ? null : request.query.attempt };
      return answer(jobId, query, request, reply);
    },
  );

  async function answer(
    jobId: string,
    { attempt, tail, follow, offset = 0 }: Query & { readonly offset?: number },
    request: Request,
    reply: Reply,
  ): Promise<Reply> {
    const record = await reader.required(jobId);
    const paths = store.paths(jobId);
    await checkFolder(paths.logs);
    if (follow) {
      const from = position(lastEventId(request));
      return sendEvents(request, reply, streams, (signal) => {
        return lines({ jobId, fixed: attempt ?? null, tail: tail ?? null, from, signal });
      });
    }
    const sizes = await logSizes(paths);
    if (attempt === undefined && tail === undefined) return reply.send(logListSchema.parse(listOf(record, sizes)));
    const chosen = attempt ?? lastAttempt(record, sizes);
    if (attempt != null && !sizes.has(attempt) && !record.attempts.some((known) => known.attempt === attempt)) {
      throw new EngineError('NOT_FOUND', `job ${jobId} has no attempt ${attempt}`);
    }
    const text = await readLog(logFileOf(paths, chosen), tail ?? null, offset);
    reply.type('text/plain; charset=utf-8').header('x-attempt', chosen);
    if (text === null) return reply.send('');
    return reply.header('content-length', text.sizeBytes).send(text.stream);
  }

  async function checkFolder(folder: string): Promise<void> {
    try {
      await unlinked(store.root, folder);
    } catch (error) {
      // No folder, no logs yet.
      if (!isMissing(error)) throw error;
    }
  }

  interface Following {
    readonly jobId: string;
    /** Only this attempt; null: from the last one on. */
    readonly fixed: number | null;
    readonly tail: number | null;
    /** Where a client that comes again has got to. */
    readonly from: { readonly attempt: number; readonly offset: number } | null;
    readonly signal: AbortSignal;
  }

  async function* lines({ jobId, fixed, tail, from, signal }: Following): AsyncGenerator<ServerEvent> {
    const paths = store.paths(jobId);
    let current = from?.attempt ?? fixed ?? lastAttempt(await reader.record(jobId), await logSizes(paths));
    const file = logFileOf(paths, current);
    let follower = new LogFollower(file, from?.offset ?? (await LogFollower.startOf(file, tail)));
    while (!signal.aborted) {
      // The state is looked at before the log: what was written until the end is then surely there.
      const record = await reader.record(jobId);
      const ended = record === null || hasEnded(record, current);
      for await (const { text, offset } of follower.pieces(ended)) {
        yield { event: 'log', id: `${current}.${offset}`, data: { attempt: current, text } };
      }
      const later = fixed === null && record?.attempts.some(({ attempt }) => attempt > current);
      if (ended && later === true) {
        current += 1;
        follower = new LogFollower(logFileOf(paths, current), 0);
        continue;
      }
      if (ended && (fixed !== null || record === null || isTerminal(record.status))) {
        yield { event: 'end', id: 'end', data: { status: record?.status ?? null } };
        return;
      }
      await pause(intervalMs, signal);
    }
  }
}

function hasEnded(record: JobRecord, attempt: number): boolean {
  if (isTerminal(record.status)) return true;
  const known = record.attempts.find((candidate) => candidate.attempt === attempt);
  return (known?.endedAt ?? null) !== null || record.attempts.some((other) => other.attempt > attempt);
}

function lastAttempt(record: JobRecord | null, sizes: ReadonlyMap<number, number>): number {
  return Math.max(1, ...(record?.attempts ?? []).map(({ attempt }) => attempt), ...sizes.keys());
}

function listOf(record: JobRecord, sizes: ReadonlyMap<number, number>) {
  const numbers = new Set([...record.attempts.map(({ attempt }) => attempt), ...sizes.keys()]);
  return {
    attempts: [...numbers]
      .sort((a, b) => a - b)
      .map((attempt) => {
        const known = record.attempts.find((candidate) => candidate.attempt === attempt);
        return {
          attempt,
          queue: known?.queue ?? null,
          worker: known?.worker ?? null,
          started: known?.startedAt ?? null,
          stopped: known?.endedAt ?? null,
          outcome: known?.outcome ?? null,
          size: sizes.get(attempt) ?? 0,
        };
      }),
  };
}

function position(id: string | null): { attempt: number; offset: number } | null {
  const match = /^(\d{1,9})\.(\d{1,15})$/.exec(id ?? '');
  return match === null ? null : { attempt: Number(match[1]), offset: Number(match[2]) };
}
