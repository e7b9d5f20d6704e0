import type { FastifyError } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { EngineError } from '../../errors/engine-error.js';
import type { App, Reply, Request } from '../deps.js';
import { closeGently } from '../http/close-gently.js';
import { structuredError } from '../schemas/errors.js';

/** An error that the contract wants in the plain shape: `{"detail": "<text>"}`. */
export class PlainError extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = 'PlainError';
    this.status = status;
    this.headers = headers;
  }
}

/**
 * Every failure becomes one of the shapes of the contract:
 * - plain for 401, unreadable forms and an unreachable server (503);
 * - structured for everything else, never 422;
 * - at 500 the answer tells nothing but the request's id, and the log has it all.
 */
export function useErrors(app: App): void {
  app.setErrorHandler((error: Error, request, reply) => answerError(error, request, reply));
}

export function answerError(error: Error, request: Request, reply: Reply): Reply {
  closeGently(request, reply);
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

function statusOf(error: Error): number {
  if (error instanceof EngineError) return error.status;
  if (hasZodFastifySchemaValidationErrors(error)) return 400;
  const status = (error as FastifyError).statusCode ?? 500;
  if (status === 413) return 413;
  // The framework knows 406, 415 and others; the contract has 400 for all requests that cannot be understood.
  return status >= 400 && status < 500 ? 400 : 500;
}

function detailsOf(error: Error): string {
  if (!hasZodFastifySchemaValidationErrors(error)) return error.message;
  const sentences = error.validation.map((issue) => {
    const field = issue.instancePath.slice(1).replaceAll('/', '.');
    return field === '' ? (issue.message ?? 'is not valid') : `${field}: ${issue.message}`;
  });
  // A value may break several rules that are told in the same words.
  return [...new Set(sentences)].join('; ');
}
