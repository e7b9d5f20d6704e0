import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { Reply, Request } from '../deps.js';
import { stringifyJson } from './json-text.js';

export interface ServerEvent {
  readonly event: string;
  /** Comes back as `Last-Event-ID` when a client that lost its connection comes again. */
  readonly id: string;
  readonly data: unknown;
}

export interface EventStreamOptions {
  /** Silence after which a comment is sent, so that proxies keep the connection. */
  readonly keepAliveMs: number;
  /** Aborted when the API stops: open streams would hold it for ever. */
  readonly closing: AbortSignal;
}

/** How long a client that lost its connection should wait before it comes again, ms. */
const retryMs = 2000;

/**
 * Answers with server-sent events until the producer ends or the client goes away; then the producer's signal aborts.
 * A client that reads slowly slows the producer down, nothing piles up here.
 */
export function sendEvents(
  request: Request,
  reply: Reply,
  options: EventStreamOptions,
  produce: (signal: AbortSignal) => AsyncIterable<ServerEvent>,
): Reply {
  const gone = new AbortController();
  const stream = new PassThrough();
  stream.once('close', () => gone.abort());
  const signal = AbortSignal.any([gone.signal, options.closing]);
  void pump(stream, produce(signal), signal, options.keepAliveMs).catch((error: unknown) => {
    if (!signal.aborted) request.log.error({ err: error }, 'an event stream broke');
    stream.end();
  });
  return reply
    .headers({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      // nginx would collect events before it passes them on.
      'x-accel-buffering': 'no',
      // Ends with the stream: it may be the last thing that holds an API which is told to stop.
      connection: 'close',
    })
    .send(stream);
}

async function pump(
  stream: PassThrough,
  events: AsyncIterable<ServerEvent>,
  signal: AbortSignal,
  keepAliveMs: number,
): Promise<void> {
  const keepAlive = setInterval(() => stream.write(': keep-alive\n\n'), keepAliveMs);
  try {
    stream.write(`retry: ${retryMs}\n\n`);
    for await (const event of events) {
      keepAlive.refresh();
      if (!stream.write(encode(event))) await once(stream, 'drain', { signal });
    }
  } finally {
    clearInterval(keepAlive);
    stream.end();
  }
}

/** JSON has no line breaks of its own, so one data line is enough. */
function encode({ event, id, data }: ServerEvent): string {
  return `event: ${event}\nid: ${id}\ndata: ${stringifyJson(data)}\n\n`;
}

/** The id of the last event that a client which comes again has seen. */
export function lastEventId(request: Request): string | null {
  const id = request.headers['last-event-id'];
  return typeof id === 'string' && id !== '' ? id : null;
}
