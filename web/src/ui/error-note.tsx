import { ApiError } from '../../../src/client/errors.js';
import { Icon } from './icon.js';

/** A problem as a sentence, with the number under which the log of the API has it. */
export function ErrorNote({ error, onRetry }: { error: Error; onRetry?: (() => void) | undefined }) {
  const request = error instanceof ApiError ? error.requestId : null;
  return (
    <div class="note note-bad" role="alert">
      <Icon name="question" />
      <div>
        <p>{error.message}</p>
        {request !== null && error instanceof ApiError && error.status >= 500 && <p class="faint">Request {request}</p>}
      </div>
      {onRetry && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}
