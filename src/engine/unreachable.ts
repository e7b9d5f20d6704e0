import { EngineError } from '../errors/engine-error.js';

/** gRPC: CANCELLED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAVAILABLE. */
const unreachableCodes: readonly unknown[] = [1, 4, 8, 14];

/** Whether a call failed because the Temporal server is away, or overloaded: the same call may succeed later. */
export function isUnreachable(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof EngineError) return false;
    if (cause.name === 'TransportError') return true;
    if ('code' in cause && unreachableCodes.includes(cause.code)) return true;
  }
  return false;
}
