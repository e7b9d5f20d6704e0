/**
 * Every failure that the engine itself tells of, with its code. Codes are wire format: they are the `type` of Temporal
 * failures and stand in answers of the API. `retryable` is Temporal's word: may the *server* retry the activity as it is?
 * (Resubmission of scripts is the interpreter's decision and does not use it.)
 */
export interface ErrorCode {
  /** HTTP status where the API meets it. */
  readonly status: 400 | 404 | 409 | 413 | 425 | 429 | 500 | 503;
  readonly retryable: boolean;
  readonly meaning: string;
}

export const errorCodes = {
  BAD_REQUEST: { status: 400, retryable: false, meaning: 'the request cannot be carried out as it is' },
  INVALID_GRAPH: {
    status: 400,
    retryable: false,
    meaning: 'the graph has problems: they are listed, and nothing was kept',
  },
  NOT_FOUND: { status: 404, retryable: false, meaning: 'there is no such job, file or process' },
  CONFLICT: {
    status: 409,
    retryable: false,
    meaning: 'the job is not in a state that allows this, or the idempotency key belongs to another request',
  },
  TOO_LARGE: { status: 413, retryable: false, meaning: 'the request is larger than the limit' },
  TOO_EARLY: { status: 425, retryable: false, meaning: 'not ready yet: ask again' },
  UNAVAILABLE: { status: 503, retryable: true, meaning: 'the Temporal server or the share cannot be reached' },
  INTERNAL: { status: 500, retryable: true, meaning: 'a fault of the engine; the log has the details' },
  SCRIPT_EXCEPTION: { status: 500, retryable: false, meaning: 'the script raised an exception' },
  SCRIPT_INVALID: {
    status: 500,
    retryable: false,
    meaning: 'the job cannot be run as asked: its input, archive, entrypoint or result',
  },
  SCRIPT_EXIT: { status: 500, retryable: false, meaning: "the script's process ended with a code other than 0" },
  SCRIPT_SIGNAL: { status: 500, retryable: false, meaning: "the script's process was ended by a signal" },
  SCRIPT_TIME_LIMIT: { status: 500, retryable: false, meaning: 'the script ran longer than its time limit' },
  SCRIPT_MEMORY: { status: 500, retryable: false, meaning: 'the script used more memory than its limit' },
  WORKER_LOST: { status: 500, retryable: false, meaning: 'the worker that ran the script is gone' },
  REVOKED: { status: 500, retryable: false, meaning: 'the job was cancelled, or expired before it started' },
} as const satisfies Record<string, ErrorCode>;

export type Code = keyof typeof errorCodes;
