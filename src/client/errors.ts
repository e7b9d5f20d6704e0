import type { GraphErrorBody } from '../api/schemas/graphs.js';
import type { Problem } from '../compile/problems.js';

/** What the API answered instead of what was asked for. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** Such as `NOT_FOUND`: told by the calls below `/graphs`, else made from the status. */
  readonly code: string;
  /** The same request may succeed later. */
  readonly retryable: boolean;
  /** When the API asks to come again, seconds; null where it does not say. */
  readonly retryAfterSeconds: number | null;
  /** Of a refused graph. */
  readonly problems: readonly Problem[];
  /** To find the request in the log of the API. */
  readonly requestId: string | null;

  constructor(facts: ErrorFacts) {
    super(facts.message);
    this.status = facts.status;
    this.code = facts.code;
    this.retryable = facts.retryable;
    this.retryAfterSeconds = facts.retryAfterSeconds;
    this.problems = facts.problems;
    this.requestId = facts.requestId;
  }
}

interface ErrorFacts {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly retryAfterSeconds: number | null;
  readonly problems: readonly Problem[];
  readonly requestId: string | null;
}

/** What was asked for cannot be sent, or kept: nothing has been. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
}

/** The API could not be reached, or the connection broke before the answer was there. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  /** Nothing was sent: every request can be tried again. */
  readonly refused: boolean;

  constructor(url: string, cause: unknown) {
    const code = (cause as { code?: string } | undefined)?.code;
    super(`${url}: ${reasons[code ?? ''] ?? (cause instanceof Error ? cause.message : String(cause))}`, { cause });
    this.refused = code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EAI_AGAIN';
  }
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ENOTFOUND: 'there is no host of that name',
  EAI_AGAIN: 'the name of the host cannot be looked up just now',
  ECONNRESET: 'the connection broke',
  EPIPE: 'the connection broke',
  ETIMEDOUT: 'no answer',
};

const codes: Readonly<Record<number, string>> = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHORIZED',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  409: 'CONFLICT',
  413: 'TOO_LARGE',
  416: 'RANGE_NOT_SATISFIABLE',
  425: 'TOO_EARLY',
  429: 'TOO_MANY_GUESSES',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
};

/** From any of the shapes of error bodies: structured, plain, that of graphs, or none of them (a proxy's). */
export function apiError(
  status: number,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  text: string,
): ApiError {
  const body = parsed(text);
  const graph = body as Partial<GraphErrorBody>;
  const detail = (body as { detail?: unknown }).detail;
  const structured = detail as { details?: unknown; message?: unknown } | undefined;
  const message =
    first(graph.message, detail, structured?.details, structured?.message, text.slice(0, 300).trim()) ??
    'no reason was told';
  const after = Number(headers['retry-after'] ?? Number.NaN);
  const requestId = headers['x-request-id'];
  return new ApiError({
    status,
    code: graph.code ?? codes[status] ?? `HTTP_${status}`,
    message,
    retryable: graph.retryable ?? (status === 503 || status === 429 || status === 425),
    retryAfterSeconds: Number.isFinite(after) ? Math.max(0, after) : null,
    problems: graph.problems ?? [],
    requestId: typeof requestId === 'string' ? requestId : null,
  });
}

function first(...candidates: unknown[]): string | undefined {
  return candidates.find((one): one is string => typeof one === 'string' && one !== '');
}

function parsed(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
