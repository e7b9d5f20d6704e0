import { EngineError } from '../../errors/engine-error.js';
import type { App, Reply, Request } from '../deps.js';
import { closeGently } from '../http/close-gently.js';
import { structuredError } from '../schemas/errors.js';
import { detailsOf, PlainError, statusOf, withDiskTold } from './error-facts.js';
import { answerGraphError, isGraphCall } from './graph-errors.js';

/**
 * Every failure becomes one of the shapes of the contract:
 * - plain for 401, unreadable forms and an unreachable server (503);
 * - structured for everything else, never 422;
 * - at 500 the answer tells nothing but the request's id, and the log has it all.
 * Calls below `/graphs`, which the contract does not know, have a shape of their own.
 */
export function useErrors(app: App): void {
  app.setErrorHandler((error: Error, request, reply) => answerError(error, request, reply));
}

export function answerError(thrown: Error, request: Request, reply: Reply): Reply {
  closeGently(request, reply);
  const error = withDiskTold(thrown);
  if (isGraphCall(request)) return answerGraphError(error, request, reply);
  if (error instanceof PlainError)
    return reply.code(error.status).headers(error.headers).send({ detail: error.message });
  if (error instanceof EngineError && error.status === 503) {
    request.log.warn({ err: error, code: error.code }, 'a part of the system cannot be reached');
    return reply.code(503).send({ detail: error.message });
  }
  const status = statusOf(error);
  if (status < 500) return reply.code(status).send(structuredError(status, detailsOf(error)));
  request.log.error({ err: error }, 'the request failed');
  return reply.code(500).send(structuredError(500, `see the log of the API: request ${request.id}`));
}
