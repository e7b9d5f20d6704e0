import { ApiError } from '../../../src/client/errors.js';
import { refusalOf } from './http.js';

/** The browser itself gives up on a stream that is answered with an error. */
export const retryMs = 2000;

export interface Following {
  /** Events by their names, with their data as JSON, and as the text that it came as. */
  readonly on: Readonly<Record<string, (data: never, text: string) => void>>;
  /** The name of the last event: the stream is over when `isLast` says so of its data. Default: never. */
  readonly isLast?: (event: string, data: unknown) => boolean;
  readonly onError?: (error: Error) => void;
  /** Told each time before the stream begins anew from the start: what was shown of it comes again. */
  readonly onRestart?: () => void;
  /** The connection was lost and is tried again, or is there again. */
  readonly onConnection?: (connected: boolean) => void;
}

/**
 * Server-sent events of a path until it is told to stop. The browser takes a lost connection up again, after the last event
 * that was seen. A page in the background gives its connection back (a browser has six for all its tabs) and comes again
 * when it is looked at.
 * @param path a function is asked for it each time that the stream begins anew
 * @returns stops it
 */
export function follow(
  path: string | (() => string),
  { on, isLast, onError, onRestart, onConnection }: Following,
): () => void {
  let source: EventSource | null = null;
  let over = false;

  const close = () => {
    source?.close();
    source = null;
  };
  const finish = () => {
    over = true;
    close();
    document.removeEventListener('visibilitychange', look);
  };
  const open = () => {
    const address = typeof path === 'string' ? path : path();
    const opened = new EventSource(address);
    source = opened;
    opened.onopen = () => onConnection?.(true);
    for (const [name, take] of Object.entries(on)) {
      opened.addEventListener(name, (event) => {
        const text = (event as MessageEvent<string>).data;
        const data: unknown = JSON.parse(text);
        take(data as never, text);
        if (isLast?.(name, data) === true) finish();
      });
    }
    opened.onerror = () => {
      if (opened.readyState !== EventSource.CLOSED) {
        onConnection?.(false);
        return;
      }
      // Refused, or there is nothing more to see: the browser does not tell which, a call does.
      close();
      void refusalOf(address).then((error) => {
        if (over || source !== null) return;
        if (error !== null && mayPass(error)) {
          onConnection?.(false);
          setTimeout(look, retryMs);
          return;
        }
        finish();
        if (error !== null) onError?.(error);
      });
    };
  };
  const look = () => {
    if (over) return;
    if (document.hidden) close();
    else if (source === null) {
      onRestart?.();
      open();
    }
  };
  document.addEventListener('visibilitychange', look);
  if (!document.hidden) open();
  return finish;
}

/** The server is away, or not ready: it may be back in a moment. */
export function mayPass(error: Error): boolean {
  return !(error instanceof ApiError) || error.status >= 500;
}
