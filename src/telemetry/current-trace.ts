import { AsyncLocalStorage } from 'node:async_hooks';

/** The trace of the request that is being answered; nothing where tracing is off. */
const storage = new AsyncLocalStorage<string>();

export function withTrace(trace: string, work: () => void): void {
  storage.run(trace, work);
}

/** To be spread into what is kept of the request. */
export function currentTrace(): { readonly trace?: string } {
  const trace = storage.getStore();
  return trace === undefined ? {} : { trace };
}
