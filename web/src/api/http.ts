import { type ApiError, apiError } from '../../../src/client/errors.js';
import { sessionEnded } from '../session.js';

/** Calls of the page. The cookie of the session goes with them by itself; the page never knows the token. */

export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | null | undefined>>;

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

class UnreachableError extends Error {
  override readonly name = 'UnreachableError';

  constructor(options?: ErrorOptions) {
    super('The server cannot be reached.', options);
  }
}

/** The API refuses what writes without it: another site cannot make a browser send it. */
const pageHeader = { 'x-pixyz-ui': '1' };

export function get<T>(path: string, query: Query = {}, options: CallOptions = {}): Promise<T> {
  return json<T>(path + queryText(query), { method: 'GET', ...options });
}

/** @param body JSON, a form, or nothing */
export function post<T>(path: string, body?: object, options: CallOptions & HeaderOptions = {}): Promise<T> {
  return write<T>('POST', path, body, options);
}

export function remove<T>(path: string, options: CallOptions = {}): Promise<T> {
  return write<T>('DELETE', path, undefined, options);
}

/** Why a stream that the browser could not open was refused; ends the call before anything of it is read. */
export async function refusalOf(path: string): Promise<Error | null> {
  const ending = new AbortController();
  try {
    await call(path, { method: 'GET', signal: ending.signal });
    return null;
  } catch (error) {
    return error as Error;
  } finally {
    ending.abort();
  }
}

export async function text(path: string, query: Query = {}, options: CallOptions = {}): Promise<string> {
  return (await call(path + queryText(query), { method: 'GET', ...options })).text();
}

export async function blob(path: string, options: CallOptions = {}): Promise<Blob> {
  return (await call(path, { method: 'GET', ...options })).blob();
}

interface HeaderOptions {
  readonly headers?: Readonly<Record<string, string>>;
}

function write<T>(
  method: string,
  path: string,
  body: object | undefined,
  { headers, ...options }: CallOptions & HeaderOptions,
): Promise<T> {
  const isForm = body instanceof FormData;
  return json<T>(path, {
    method,
    headers: {
      ...pageHeader,
      ...headers,
      ...(body === undefined || isForm ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
    ...options,
  });
}

type Init = Omit<RequestInit, 'signal'> & CallOptions;

async function json<T>(path: string, init: Init): Promise<T> {
  return (await (await call(path, init)).json()) as T;
}

/** @throws ApiError, UnreachableError, or what the signal was aborted with */
async function call(path: string, { signal, ...init }: Init): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, { credentials: 'same-origin', signal: signal ?? null, ...init });
  } catch (error) {
    signal?.throwIfAborted();
    throw new UnreachableError({ cause: error });
  }
  if (answer.ok) return answer;
  throw refused(answer.status, Object.fromEntries(answer.headers), await answer.text());
}

function refused(status: number, headers: Record<string, string>, body: string): ApiError {
  if (status === 401) sessionEnded();
  return apiError(status, headers, body);
}

/**
 * A form with files, with the progress of its upload, which `fetch` does not tell.
 * @param onProgress of 0 to 1
 */
export function upload<T>(
  path: string,
  form: FormData,
  {
    onProgress,
    signal,
    headers = {},
  }: CallOptions & HeaderOptions & { readonly onProgress?: (done: number) => void } = {},
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', path);
    for (const [name, value] of Object.entries({ ...pageHeader, ...headers })) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => onProgress?.(total === 0 ? 1 : loaded / total);
    request.onerror = () => reject(new UnreachableError());
    request.onabort = () => reject(signal?.reason as Error);
    request.onload = () => {
      if (request.status < 400) resolve(JSON.parse(request.responseText) as T);
      else reject(refused(request.status, headersOf(request), request.responseText));
    };
    signal?.addEventListener('abort', () => request.abort());
    request.send(form);
  });
}

function headersOf(request: XMLHttpRequest): Record<string, string> {
  const lines = request
    .getAllResponseHeaders()
    .trim()
    .split(/[\r\n]+/);
  return Object.fromEntries(lines.map((line) => line.split(': ', 2) as [string, string]));
}

export function queryText(query: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null && one !== '') parameters.append(name, String(one));
    }
  }
  const shown = parameters.toString();
  return shown === '' ? '' : `?${shown}`;
}
