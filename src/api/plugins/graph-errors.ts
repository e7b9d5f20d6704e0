import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { EngineError } from '../../errors/engine-error.js';
import type { Reply, Request } from '../deps.js';
import { GraphRefusal } from '../graphs/refusal.js';
import type { GraphErrorBody } from '../schemas/graphs.js';
import { detailsOf, PlainError, statusOf } from './error-facts.js';

/** When to come again, seconds: a server that is starting needs a few. */
const retryAfter = '3';

/** Errors of the calls below `/graphs` and `/workflows`: `{code, message, retryable, field?, problems?}`, whatever went wrong. */
export function isGraphCall(request: Request): boolean {
  return /^\/(?:graphs|workflows)(?:[/?]|$)/.test(request.url);
}

const codes: Readonly<Record<number, string>> = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  409: 'CONFLICT',
  413: 'TOO_LARGE',
  429: 'TOO_MANY_GUESSES',
};

export function graphError(code: string, message: string): GraphErrorBody {
  return { code, message, retryable: false };
}

export function answerGraphError(error: Error, request: Request, reply: Reply): Reply {
  if (error instanceof GraphRefusal) {
    const { list, count } = error.problems;
    const body = graphError('INVALID_GRAPH', error.message);
    return reply.code(400).send({ ...body, problems: [...list], problem_count: count });
  }
  if (error instanceof PlainError) {
    const body = graphError(codes[error.status] ?? 'BAD_REQUEST', error.message);
    return reply
      .code(error.status)
      .headers(error.headers)
      .send({ ...body, retryable: error.status === 429 });
  }
  const status = statusOf(error);
  if (status === 503) {
    request.log.warn({ err: error }, 'a part of the system cannot be reached');
    const body = graphError('UNAVAILABLE', error.message);
    return reply
      .code(503)
      .header('retry-after', retryAfter)
      .send({ ...body, retryable: true });
  }
  if (status >= 500) {
    request.log.error({ err: error }, 'the request failed');
    return reply.code(500).send(graphError('INTERNAL', `see the log of the API: request ${request.id}`));
  }
  const code = error instanceof EngineError ? error.code : (codes[status] ?? 'BAD_REQUEST');
  const field = fieldOf(error);
  const body = graphError(code, detailsOf(error));
  return reply.code(status).send({ ...body, ...(field === undefined ? {} : { field }) });
}

function fieldOf(error: Error): string | undefined {
  if (error instanceof EngineError) return typeof error.facts['field'] === 'string' ? error.facts['field'] : undefined;
  if (!hasZodFastifySchemaValidationErrors(error)) return undefined;
  const path = error.validation[0]?.instancePath.slice(1).replaceAll('/', '.');
  return path === '' ? undefined : path;
}
