import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, ConnectionError } from './errors.js';
import type { Http } from './http.js';
import type { Answer } from './transport.js';

export interface StreamEvent {
  readonly event: string;
  readonly id: string | null;
  readonly data: unknown;
}

export interface FollowOptions {
  readonly signal?: AbortSignal | undefined;
  /** How long an API that is away is waited for, ms: it may be restarted. Default 120,000. */
  readonly patienceMs?: number;
  /** Told when the connection was lost and is tried again. */
  readonly onLost?: (error: Error) => void;
}

/** The API sends a comment every 15 seconds: longer silence means that the connection is gone. */
const silenceMs = 45_000;
const pauseMs = 500;

/**
 * Server-sent events of a path, over lost connections and restarts of the API: goes on after the last one that was seen.
 * @param isLast the event after which the stream ends; a connection that ends before it was lost
 */
export async function* follow(
  http: Http,
  path: string,
  isLast: (event: StreamEvent) => boolean,
  { signal, patienceMs = 120_000, onLost }: FollowOptions = {},
): AsyncGenerator<StreamEvent> {
  let lastId: string | null = null;
  let lostAt: number | null = null;
  let wasThere = false;
  for (;;) {
    try {
      const headers = { accept: 'text/event-stream', ...(lastId === null ? {} : { 'last-event-id': lastId }) };
      const answer = await http.open({ method: 'GET', path, headers, signal, silenceMs });
      wasThere = true;
      // Nothing that this client has not seen.
      if (answer.status === 204) return void answer.body.resume();
      for await (const event of eventsOf(answer)) {
        lostAt = null;
        if (event.id !== null) lastId = event.id;
        yield event;
        if (isLast(event)) return void answer.body.destroy();
      }
      // An API that is told to stop ends its streams.
      throw new ConnectionError('event stream', new Error('the stream ended early'));
    } catch (error) {
      signal?.throwIfAborted();
      // An address where nobody has ever listened is wrong, not away.
      if (!isPassing(error) || (!wasThere && error instanceof ConnectionError && error.refused)) throw error;
      lostAt ??= Date.now();
      if (Date.now() - lostAt > patienceMs) throw error;
      onLost?.(error as Error);
      await sleep(pauseMs, undefined, signal === undefined ? {} : { signal });
    }
  }
}

function isPassing(error: unknown): boolean {
  if (error instanceof ConnectionError) return true;
  if (error instanceof ApiError) return error.status === 503 || error.status === 502 || error.status === 504;
  const code = (error as { code?: string }).code;
  return code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ETIMEDOUT';
}

/** The fields of events as the standard has them; comments are left out. */
async function* eventsOf({ body }: Answer): AsyncGenerator<StreamEvent> {
  body.setEncoding('utf8');
  let rest = '';
  for await (const piece of body as AsyncIterable<string>) {
    rest += piece;
    for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
      const event = parseEvent(rest.slice(0, end));
      rest = rest.slice(end + 2);
      if (event !== null) yield event;
    }
  }
}

export function parseEvent(block: string): StreamEvent | null {
  let event = 'message';
  let id: string | null = null;
  const data: string[] = [];
  for (const line of block.split('\n')) {
    const [, field, value = ''] = /^(\w+): ?(.*)$/s.exec(line) ?? [];
    if (field === 'event') event = value;
    else if (field === 'id') id = value;
    else if (field === 'data') data.push(value);
  }
  return data.length === 0 ? null : { event, id, data: JSON.parse(data.join('\n')) };
}
