import type { FastifyError } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { EngineError } from '../../errors/engine-error.js';
import { errorCode } from '../../store/atomic.js';

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

const diskProblems: Readonly<Record<string, string>> = {
  ENOSPC: 'the share is full: make room on its disk',
  EDQUOT: 'the share is full: the quota of its owner is used up',
  EROFS: 'the share is mounted read-only: nothing can be written',
};

/** What the disk of the share cannot take is nobody's fault here, and may work later, whichever call met it. */
export function withDiskTold(error: Error): Error {
  const problem = diskProblems[errorCode(error) ?? ''];
  return problem === undefined ? error : new EngineError('UNAVAILABLE', problem, {}, { cause: error });
}

export function statusOf(error: Error): number {
  if (error instanceof EngineError) return error.status;
  if (hasZodFastifySchemaValidationErrors(error)) return 400;
  const status = (error as FastifyError).statusCode ?? 500;
  if (status === 413) return 413;
  // The framework knows 406, 415 and others; the contract has 400 for all requests that cannot be understood.
  return status >= 400 && status < 500 ? 400 : 500;
}

export function detailsOf(error: Error): string {
  if (!hasZodFastifySchemaValidationErrors(error)) return error.message;
  const sentences = error.validation.map((issue) => {
    const field = issue.instancePath.slice(1).replaceAll('/', '.');
    return field === '' ? (issue.message ?? 'is not valid') : `${field}: ${issue.message}`;
  });
  // A value may break several rules that are told in the same words.
  return [...new Set(sentences)].join('; ');
}
