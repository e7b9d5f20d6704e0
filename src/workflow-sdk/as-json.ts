import { ApplicationFailure } from '@temporalio/common';

/**
 * What a program gives to the engine, as text. Later, where the engine uses it, a failure would be taken for a fault of the
 * worker, and tried again for ever.
 *
 * @throws ApplicationFailure for what JSON cannot hold
 */
export function asJson(value: unknown, what: string): string {
  let reason: string;
  try {
    const text = JSON.stringify(value);
    if (text !== undefined) return text;
    reason = `it is a ${typeof value}`;
  } catch (error) {
    reason = error instanceof Error ? error.message : String(error);
  }
  throw ApplicationFailure.nonRetryable(`${what} cannot be written as JSON: ${reason}`, 'NO_JSON');
}
