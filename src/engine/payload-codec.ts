import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { DataConverter, Payload, PayloadCodec } from '@temporalio/common';

/**
 * Large payloads lie in histories as gzip, a fifth of their size: what a graph of hundreds of nodes is told, mostly. Small ones
 * stay as they are, readable for everything that looks into a history. Files and large results are never payloads: they are
 * on the share.
 *
 * Everybody reads both kinds. The Temporal Web UI, which cannot, asks the API (`/codec`).
 */
const encoding = 'binary/gzip';
/** Below, nobody would notice the difference, and the reader would have to ask for it. */
export const gzipFromBytes = 8 * 1024;
/** What a payload may become: the server takes none above 2 MiB, compressed or not. */
const maxBytes = 64 * 2 ** 20;

const compress = promisify(gzip);
const decompress = promisify(gunzip);

const innerEncoding = 'inner-encoding';

export class GzipCodec implements PayloadCodec {
  async encode(payloads: Payload[]): Promise<Payload[]> {
    // Most lists have nothing to do, and this is on the way of every task.
    return payloads.some(isLarge) ? Promise.all(payloads.map(encodeOne)) : payloads;
  }

  /** @throws RangeError for one that would become too large */
  async decode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.some(isEncoded) ? Promise.all(payloads.map((payload) => decodeOne(payload))) : payloads;
  }

  /**
   * For payloads of whoever sends them: one after the other, and all of them together no larger than one of ours may be.
   * A few KiB of gzip can be a thousand times as much.
   * @throws RangeError when they would be
   */
  async decodeBounded(payloads: Payload[]): Promise<Payload[]> {
    const decoded: Payload[] = [];
    let left = maxBytes;
    for (const payload of payloads) {
      if (isEncoded(payload) && left <= 0) throw new RangeError('together they are too large');
      const one = await decodeOne(payload, left);
      if (one !== payload) left -= one.data?.length ?? 0;
      decoded.push(one);
    }
    return decoded;
  }
}

/** For every client and every worker of a system: one that lacks it could not read what the others have written. */
export const engineDataConverter: DataConverter = { payloadCodecs: [new GzipCodec()] };

function isLarge({ data }: Payload): boolean {
  return data != null && data.length >= gzipFromBytes;
}

function isEncoded({ metadata }: Payload): boolean {
  return metadata?.['encoding'] !== undefined && textOf(metadata['encoding']) === encoding;
}

async function encodeOne(payload: Payload): Promise<Payload> {
  const inner = payload.metadata?.['encoding'];
  if (!isLarge(payload) || inner === undefined || isEncoded(payload)) return payload;
  const data = await compress(payload.data as Uint8Array, { level: 1 });
  if (data.length >= (payload.data?.length ?? 0)) return payload;
  return {
    ...payload,
    metadata: { ...payload.metadata, encoding: Buffer.from(encoding), [innerEncoding]: inner },
    data,
  };
}

async function decodeOne(payload: Payload, mostBytes = maxBytes): Promise<Payload> {
  if (!isEncoded(payload)) return payload;
  const { [innerEncoding]: inner, ...metadata } = payload.metadata ?? {};
  const data = await decompress(payload.data ?? new Uint8Array(), { maxOutputLength: mostBytes });
  return { ...payload, metadata: { ...metadata, encoding: inner ?? Buffer.from('json/plain') }, data };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
