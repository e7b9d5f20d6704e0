import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { EngineError } from '../../errors/engine-error.js';
import { errorCode, isMissing } from '../../store/atomic.js';
import type { Reply, Request } from '../deps.js';
import { contentDisposition } from './content-disposition.js';
import { parseRange } from './range.js';

/**
 * Sends a file as a download: whole, or the one range asked for. `Content-Length` is always there, since clients divide
 * by it; conditional headers other than `If-Range` are not looked at, as clients of this API expect 200.
 * @param path without links: the caller has resolved and confined it
 */
export async function sendFile(request: Request, reply: Reply, path: string, name: string): Promise<Reply> {
  const file = await openFile(path, name);
  try {
    const facts = await file.stat();
    if (!facts.isFile()) throw new EngineError('BAD_REQUEST', `"${name}" is not a file`);
    const etag = `"${facts.size.toString(16)}-${Math.trunc(facts.mtimeMs).toString(16)}"`;
    reply.headers({
      'content-type': 'application/octet-stream',
      'content-disposition': contentDisposition(name),
      'accept-ranges': 'bytes',
      etag,
      'last-modified': facts.mtime.toUTCString(),
      // What a script made must never run as a page of this site.
      'x-content-type-options': 'nosniff',
    });
    const range = isSameVersion(request, etag, facts.mtime) ? parseRange(request.headers.range, facts.size) : 'whole';
    if (range === 'unsatisfiable') {
      await file.close();
      return reply.code(416).header('content-range', `bytes */${facts.size}`).type('text/plain').send('');
    }
    if (range === 'whole') {
      reply.header('content-length', facts.size);
    } else {
      reply.code(206);
      reply.header('content-range', `bytes ${range.start}-${range.end}/${facts.size}`);
      reply.header('content-length', range.end - range.start + 1);
    }
    const part = range === 'whole' ? { start: 0, end: facts.size - 1 } : range;
    if (part.end < part.start) {
      await file.close();
      return reply.send('');
    }
    // The end is fixed: a file that grows meanwhile would send more than its Content-Length.
    return reply.send(file.createReadStream({ ...part, highWaterMark: 256 * 1024 }));
  } catch (error) {
    await file.close().catch(() => undefined);
    throw error;
  }
}

async function openFile(path: string, name: string) {
  try {
    // Without NONBLOCK opening a pipe that a script has left would wait for ever; NOFOLLOW, since the path was checked.
    return await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0));
  } catch (error) {
    if (isMissing(error)) throw new EngineError('NOT_FOUND', `there is no file "${name}"`);
    if (errorCode(error) === 'ELOOP' || errorCode(error) === 'ENXIO') {
      throw new EngineError('BAD_REQUEST', `"${name}" is not a file`);
    }
    throw error;
  }
}

/** A range is a part of the version that the client has seen; of another one it gets the whole. */
function isSameVersion(request: Request, etag: string, modified: Date): boolean {
  const condition = request.headers['if-range'];
  if (condition === undefined) return true;
  return condition === etag || condition === modified.toUTCString();
}
