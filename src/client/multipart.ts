import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Body } from './transport.js';

/** A file of this machine, or content in memory. */
export type Upload = string | { readonly name: string; readonly content: string | Uint8Array };

export interface Field {
  readonly name: string;
  readonly value: string | { readonly upload: Upload };
  /** Of a text part. */
  readonly type?: string;
}

export type OnProgress = (doneBytes: number, totalBytes: number | null) => void;

interface Part {
  readonly head: Buffer;
  readonly sizeBytes: number;
  open(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

const blockBytes = 256 * 1024;

/** A form that is read from its files while it is sent: nothing of them is held in memory. */
export async function multipartBody(fields: readonly Field[], onProgress?: OnProgress): Promise<Body> {
  const boundary = `pixyz-${randomBytes(18).toString('hex')}`;
  const parts = await Promise.all(fields.map((field) => partOf(field, boundary)));
  const end = Buffer.from(`--${boundary}--\r\n`);
  const lineEnd = Buffer.from('\r\n');
  const sizeBytes = parts.reduce((sum, part) => sum + part.head.length + part.sizeBytes + 2, end.length);
  return {
    type: `multipart/form-data; boundary=${boundary}`,
    sizeBytes,
    async *open() {
      let done = 0;
      const counted = (piece: Uint8Array) => {
        done += piece.length;
        onProgress?.(done, sizeBytes);
        return piece;
      };
      for (const part of parts) {
        yield counted(part.head);
        for await (const piece of part.open()) yield counted(piece);
        yield counted(lineEnd);
      }
      yield counted(end);
    },
  };
}

async function partOf({ name, value, type }: Field, boundary: string): Promise<Part> {
  const start = `--${boundary}\r\nContent-Disposition: form-data; name="${quoted(name)}"`;
  if (typeof value === 'string') {
    const content = Buffer.from(value);
    const typeLine = type === undefined ? '' : `\r\nContent-Type: ${type}`;
    return { head: Buffer.from(`${start}${typeLine}\r\n\r\n`), sizeBytes: content.length, open: () => [content] };
  }
  const { upload } = value;
  const fileName = typeof upload === 'string' ? basename(upload) : upload.name;
  const head = Buffer.from(
    `${start}; filename="${quoted(fileName)}"\r\nContent-Type: application/octet-stream\r\n\r\n`,
  );
  if (typeof upload !== 'string') {
    const content = typeof upload.content === 'string' ? Buffer.from(upload.content) : upload.content;
    return { head, sizeBytes: content.length, open: () => [content] };
  }
  const facts = await stat(upload);
  if (!facts.isFile()) throw new Error(`${upload} is not a file`);
  return { head, sizeBytes: facts.size, open: () => fileOf(upload, facts.size) };
}

/** A file that grows while it is sent would send more than was announced, and break the form. */
async function* fileOf(path: string, sizeBytes: number): AsyncGenerator<Uint8Array> {
  if (sizeBytes === 0) return;
  let left = sizeBytes;
  for await (const piece of createReadStream(path, { end: sizeBytes - 1, highWaterMark: blockBytes })) {
    left -= (piece as Buffer).length;
    yield piece as Buffer;
  }
  if (left > 0) throw new Error(`${path} became shorter while it was sent`);
}

/** As browsers do it. */
function quoted(text: string): string {
  return text.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}
