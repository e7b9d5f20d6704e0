import { type Code, errorCodes } from './codes.js';

/** A failure with a code of the table and a sentence for people: what happened, to which thing, and what to do. */
export class EngineError extends Error {
  readonly code: Code;
  /** Small, plain JSON for programs; never secrets. */
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(code: Code, message: string, facts: Readonly<Record<string, unknown>> = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = 'EngineError';
    this.code = code;
    this.facts = facts;
  }

  get status(): number {
    return errorCodes[this.code].status;
  }

  get retryable(): boolean {
    return errorCodes[this.code].retryable;
  }
}
