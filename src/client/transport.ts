import { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request as plain } from 'node:http';
import { request as secure } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { ConnectionError, RequestError } from './errors.js';

/** A body that can be made again for another try. */
export interface Body {
  readonly type: string;
  readonly sizeBytes: number;
  open(): AsyncIterable<Uint8Array>;
}

export interface Call {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** With its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Body;
  readonly signal?: AbortSignal | undefined;
  /** Silence on the connection after which it counts as broken, ms. */
  readonly silenceMs?: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** To be read to its end, or destroyed. */
  readonly body: IncomingMessage;
}

/** One request over HTTP. Node's own client, since a body needs its length told and its progress seen. */
export type Transport = (call: Call) => Promise<Answer>;

const defaultSilenceMs = 120_000;

export function httpTransport(url: string, token: string | null): Transport {
  const base = new URL(url);
  const prefix = base.pathname.replace(/\/+$/, '');
  const send = base.protocol === 'https:' ? secure : plain;
  const key = token === null ? {} : { 'x-api-key': headerOf(token) };
  return (call) =>
    new Promise<Answer>((resolve, reject) => {
      const { body, signal } = call;
      const request = send(
        new URL(prefix + call.path, base),
        {
          method: call.method,
          headers: {
            'user-agent': 'pixyz-client',
            accept: 'application/json',
            ...key,
            ...(body === undefined ? {} : { 'content-type': body.type, 'content-length': String(body.sizeBytes) }),
            ...call.headers,
          },
          ...(signal === undefined ? {} : { signal }),
          timeout: call.silenceMs ?? defaultSilenceMs,
        },
        (answer) => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: answer }),
      );
      request.once('timeout', () => request.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })));
      request.once('error', (error) =>
        reject(signal?.aborted ? signal.reason : new ConnectionError(base.origin, error)),
      );
      if (body === undefined) request.end();
      else void sendBody(request, body).catch((error: unknown) => giveUp(request, error));
    });
}

/** In UTF-8, whose bytes Node takes as characters. */
function headerOf(token: string): string {
  if (/\p{Cc}/u.test(token)) throw new RequestError('the token has a line break or another control character in it');
  return Buffer.from(token, 'utf8').toString('latin1');
}

async function sendBody(request: ClientRequest, body: Body): Promise<void> {
  await pipeline(body.open(), request);
}

/** A refused upload ends with an answer and a closed connection: the answer is what counts. */
function giveUp(request: ClientRequest, error: unknown): void {
  const code = (error as { code?: string }).code;
  if (code !== 'EPIPE' && code !== 'ECONNRESET' && code !== 'ERR_STREAM_PREMATURE_CLOSE')
    request.destroy(error as Error);
}

export async function textOf(answer: Answer): Promise<string> {
  const pieces: Buffer[] = [];
  try {
    for await (const piece of answer.body) pieces.push(piece as Buffer);
  } catch (error) {
    throw new ConnectionError('the answer', error);
  }
  return Buffer.concat(pieces).toString('utf8');
}
