import { createWriteStream } from 'node:fs';
import { mkdir, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, ConnectionError, RequestError } from './errors.js';
import type { Http } from './http.js';
import type { OnProgress } from './multipart.js';
import type { Answer } from './transport.js';

export interface DownloadOptions {
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Downloaded {
  readonly path: string;
  readonly sizeBytes: number;
  /** Bytes that an earlier, broken download had already. */
  readonly resumedAt: number;
}

/** Broken connections in a row, without a byte between them, until it gives up. */
const maxBreaks = 6;

/**
 * A file of the API to a file here. What has come stays in `<name>.<version>.part` beside it, whatever happens: the next
 * call goes on from there, as long as the file on the server is the same version (its ETag). The name appears when all is
 * there. A device or a pipe is written to as it is: it must not become a file.
 *
 * @throws RequestError where a folder is
 */
export async function download(
  http: Http,
  path: string,
  wanted: string,
  options: DownloadOptions = {},
): Promise<Downloaded> {
  const there = await stat(wanted).catch(() => null);
  if (there?.isDirectory()) throw new RequestError(`${wanted} is a folder: name a file in it`);
  if (there !== null && (!there.isFile() || isOpenFile(wanted))) return straight(http, path, wanted, options);
  // A link stays a link: what it leads to is replaced.
  const target = there === null ? wanted : await realpath(wanted);
  await mkdir(dirname(target), { recursive: true });
  let part = await findPart(target);
  const resumedAt = part?.sizeBytes ?? 0;
  let began = part !== null;
  for (let breaks = 0; ; ) {
    const before = part?.sizeBytes ?? 0;
    try {
      const answer = await http.retrying(() => request(http, path, part, options.signal), options.signal);
      const etag = versionOf(answer);
      if (part !== null && answer.status === 206) {
        await receive(answer, part.path, part.sizeBytes, options);
      } else {
        if (part !== null) await rm(part.path, { force: true });
        began = false;
        part = { path: partName(target, etag), etag, sizeBytes: 0 };
        await receive(answer, part.path, 0, options);
      }
      await rename(part.path, target);
      return { path: wanted, sizeBytes: (await stat(target)).size, resumedAt: began ? resumedAt : 0 };
    } catch (error) {
      options.signal?.throwIfAborted();
      if (error instanceof ApiError && error.status === 416 && part !== null) {
        // All of it was there already, or more than there is now: then from the beginning.
        await rm(part.path, { force: true });
        part = null;
        continue;
      }
      if (!isBroken(error)) throw error;
      part = part === null ? null : { ...part, sizeBytes: await sizeOf(part.path) };
      breaks = (part?.sizeBytes ?? 0) > before ? 1 : breaks + 1;
      if (breaks >= maxBreaks) throw error;
      began ||= part !== null;
      await sleep(200 * 2 ** breaks, undefined, options.signal === undefined ? {} : { signal: options.signal });
    }
  }
}

/** The same into a stream, such as standard output: nothing to resume. */
export async function downloadTo(
  http: Http,
  path: string,
  sink: Writable,
  options: DownloadOptions = {},
): Promise<void> {
  const answer = await http.retrying(() => http.open({ method: 'GET', path, signal: options.signal }), options.signal);
  await pipeline(counted(answer, 0, options.onProgress), sink, { end: false });
}

/** `/dev/stdout`, `/proc/self/fd/3`: whoever opened it goes on writing to it, and would lose a file put in its place. */
function isOpenFile(path: string): boolean {
  return /^\/(?:dev|proc)\//.test(path);
}

async function straight(http: Http, path: string, target: string, options: DownloadOptions): Promise<Downloaded> {
  let sizeBytes = 0;
  const onProgress: OnProgress = (done, total) => {
    sizeBytes = done;
    options.onProgress?.(done, total);
  };
  const sink = createWriteStream(target, { flags: 'a' });
  const written = finished(sink);
  // What goes wrong with the download is told, not what that does to the file.
  written.catch(() => undefined);
  try {
    await downloadTo(http, path, sink, { ...options, onProgress });
  } finally {
    sink.end();
  }
  await written;
  return { path: target, sizeBytes, resumedAt: 0 };
}

interface Part {
  readonly path: string;
  readonly etag: string;
  readonly sizeBytes: number;
}

async function request(http: Http, path: string, part: Part | null, signal?: AbortSignal): Promise<Answer> {
  const headers =
    part === null || part.sizeBytes === 0 ? {} : { range: `bytes=${part.sizeBytes}-`, 'if-range': `"${part.etag}"` };
  return http.open({ method: 'GET', path, headers, signal });
}

async function receive(
  answer: Answer,
  path: string,
  from: number,
  { onProgress, signal }: DownloadOptions,
): Promise<void> {
  const file = createWriteStream(path, { flags: from === 0 ? 'w' : 'a' });
  await pipeline(counted(answer, from, onProgress), file, signal === undefined ? {} : { signal });
}

async function* counted({ headers, body }: Answer, from: number, onProgress?: OnProgress): AsyncGenerator<Buffer> {
  const length = headers['content-length'];
  const total = length === undefined ? null : from + Number(length);
  let done = from;
  onProgress?.(done, total);
  for await (const piece of body) {
    done += (piece as Buffer).length;
    yield piece as Buffer;
    onProgress?.(done, total);
  }
}

/** Without quotes, in characters that a file name can have; empty where the API tells none. */
function versionOf({ headers }: Answer): string {
  const [, etag = ''] = /^"([\w.-]{1,64})"$/.exec(headers.etag ?? '') ?? [];
  return etag;
}

const partName = (target: string, etag: string) => join(dirname(target), `${basename(target)}.${etag || 'new'}.part`);

async function findPart(target: string): Promise<Part | null> {
  const start = `${basename(target)}.`;
  for (const name of await readdir(dirname(target))) {
    if (!name.startsWith(start) || !name.endsWith('.part')) continue;
    const etag = name.slice(start.length, -'.part'.length);
    const path = join(dirname(target), name);
    // The version of one that was never told cannot be compared.
    if (/^[\w-]+$/.test(etag) && etag !== 'new') return { path, etag, sizeBytes: await sizeOf(path) };
  }
  return null;
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.size ?? 0;
}

function isBroken(error: unknown): boolean {
  if (error instanceof ConnectionError) return !error.refused;
  const code = (error as { code?: string }).code;
  return code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ETIMEDOUT' || code === 'EPIPE';
}
