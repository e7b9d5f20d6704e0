import { createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/**
 * Streams an upload to a new file.
 * @param see called with every piece before it is written; what it throws ends the upload
 * @returns bytes
 */
export async function storePart(source: Readable, path: string, see: (chunk: Buffer) => void): Promise<number> {
  let size = 0;
  const seen = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      size += chunk.length;
      see(chunk);
      yield chunk;
    }
  };
  // Mode 0777: workers may run as another user of the same share.
  const target = createWriteStream(path, { flags: 'wx', mode: 0o777, highWaterMark: 1024 * 1024 });
  await pipeline(source, seen, target);
  return size;
}
