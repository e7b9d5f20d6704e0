import { ApplicationFailure } from '@temporalio/common';
import type { AttemptFault } from '../contract/graph.js';
import type { FaultKind } from '../contract/job.js';
import type { Code } from '../errors/codes.js';

const codeOf: Readonly<Record<FaultKind, Code>> = {
  exception: 'SCRIPT_EXCEPTION',
  invalid: 'SCRIPT_INVALID',
  exit: 'SCRIPT_EXIT',
  signal: 'SCRIPT_SIGNAL',
  'time-limit': 'SCRIPT_TIME_LIMIT',
  memory: 'SCRIPT_MEMORY',
  cancelled: 'REVOKED',
  lost: 'WORKER_LOST',
};

/** The failure of an attempt, as Temporal and the interpreter see it: never repeated by Temporal itself. */
export function fault(kind: FaultKind, message: string, traceback?: string): ApplicationFailure {
  const details: AttemptFault & { readonly traceback?: string } = {
    kind,
    message: shorten(message, 2000),
    ...(traceback === undefined ? {} : { traceback: shorten(traceback, 8000) }),
  };
  return ApplicationFailure.create({
    message: shorten(message, 2000),
    type: codeOf[kind],
    nonRetryable: true,
    details: [details],
  });
}

/** Histories hold what a person needs to see there; the whole text is in the job's record. */
function shorten(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most / 2)} … ${text.slice(-most / 2)}`;
}
