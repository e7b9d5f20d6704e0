import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { startApi, token } from '../../support/api-under-test.js';

/**
 * Uploads may be larger than memory. CI sends a quarter of a gigabyte, which a server that collects bodies would show as
 * clearly as more; `PIXYZ_TEST_UPLOAD_BYTES=2147483648` sends the two gigabytes of the promise.
 */
const uploadBytes = Number(process.env['PIXYZ_TEST_UPLOAD_BYTES'] ?? 256 * 2 ** 20);
const allowedGrowth = 150 * 10 ** 6;

const boundary = 'memory';
const chunk = Buffer.alloc(1024 * 1024, 'model ');

function* parts(): Generator<Buffer> {
  yield Buffer.from(
    `--${boundary}\r\nContent-Disposition: form-data; name="script"; filename="s.py"\r\n\r\ndef main(params, pc): pass\n\r\n` +
      `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="big.step"\r\n\r\n`,
  );
  for (let left = uploadBytes; left > 0; left -= chunk.length) yield chunk.subarray(0, Math.min(left, chunk.length));
  yield Buffer.from(`\r\n--${boundary}--\r\n`);
}

describe('a large upload', () => {
  it.each([
    ['is streamed to the store, memory stays flat', {}],
    ['is hashed on the way when it has an idempotency key, memory stays flat', { 'idempotency-key': 'big' }],
  ])(
    '%s',
    async (_, headers) => {
      const api = await startApi();
      await api.submit(); // everything is loaded before the measuring begins
      const before = process.memoryUsage().rss;
      let peak = before;
      const sampling = setInterval(() => {
        peak = Math.max(peak, process.memoryUsage().rss);
      }, 20);
      const request = httpRequest({
        port: api.port,
        method: 'POST',
        path: '/jobs',
        headers: { 'x-api-key': token, 'content-type': `multipart/form-data; boundary=${boundary}`, ...headers },
      });
      const answered = new Promise<string>((resolve, reject) => {
        request.on('error', reject);
        request.on('response', async (answer) => resolve(Buffer.concat(await answer.toArray()).toString()));
      });
      await pipeline(parts, request);
      const { uuid } = JSON.parse(await answered) as { uuid: string };
      clearInterval(sampling);

      const stored = join(api.store.root, uuid, 'inputs', 'big.step');
      expect((await stat(stored)).size).toBe(uploadBytes);
      expect(await digestOf(createReadStream(stored))).toBe(await digestOf(content()));
      expect(peak - before).toBeLessThan(allowedGrowth);
    },
    120_000,
  );
});

function* content(): Generator<Buffer> {
  for (let left = uploadBytes; left > 0; left -= chunk.length) yield chunk.subarray(0, Math.min(left, chunk.length));
}

async function digestOf(bytes: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of bytes) hash.update(piece);
  return hash.digest('hex');
}
