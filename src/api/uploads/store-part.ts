import { createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Files } from '../../store/files.js';

/** A file up to this size is written at once, larger ones as they come. */
const smallBytes = 256 * 1024;
/** Workers may run as another user of the same share. */
const mode = 0o777;

/**
 * Stores an upload as a new file.
 * @param see called with every piece before it is written; what it throws ends the upload
 * @returns bytes
 */
export async function storePart(
  files: Files,
  source: Readable,
  path: string,
  see: (chunk: Buffer) => void,
): Promise<number> {
  let size = 0;
  const seen = async function* () {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      size += chunk.length;
      see(chunk);
      yield chunk;
    }
  };
  const chunks = seen();
  const start = await firstBytes(chunks);
  if (start.whole) {
    await files.write(path, start.bytes, { mode });
    return size;
  }
  const all = async function* () {
    yield start.bytes;
    yield* chunks;
  };
  await pipeline(all(), createWriteStream(path, { flags: 'wx', mode, highWaterMark: 1024 * 1024 }));
  return size;
}

/** The beginning of a stream, and whether that is all of it. */
async function firstBytes(
  chunks: AsyncGenerator<Buffer>,
): Promise<{ readonly bytes: Buffer; readonly whole: boolean }> {
  const held: Buffer[] = [];
  let size = 0;
  while (size <= smallBytes) {
    const next = await chunks.next();
    if (next.done === true) return { bytes: Buffer.concat(held), whole: true };
    held.push(next.value);
    size += next.value.length;
  }
  return { bytes: Buffer.concat(held), whole: false };
}
