import { createHash, type Hash, randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { MultipartFile, MultipartValue } from '@fastify/multipart';
import { EngineError } from '../../errors/engine-error.js';
import { errorCode } from '../../store/atomic.js';
import type { Files } from '../../store/files.js';
import type { Request } from '../deps.js';
import { PlainError } from '../plugins/error-facts.js';
import { storePart } from './store-part.js';

/**
 * Reads the form of `POST /jobs`: texts into memory (bounded), files straight to the disk. Rules of the contract:
 * 1. An empty text means "not given", for every field.
 * 2. A file part without a name and without content means "no file"; with a name and no content it is an empty file.
 * 3. Text where a file belongs, or a file where text belongs, is refused.
 * 4. Other parts are read and ignored, but for their names; of a repeated part the last one counts.
 */
export interface ReceivedForm {
  readonly fields: Readonly<Partial<Record<TextField, string>>>;
  readonly file: ReceivedFile | null;
  readonly script: ReceivedFile | null;
  /** Names of other parts, the first few: for the refusal where a part is missing. */
  readonly ignored: readonly string[];
}

export interface ReceivedFile {
  /** Where it lies now. */
  readonly path: string;
  /** As the client called it. */
  readonly sentName: string;
  readonly sizeBytes: number;
  /** Of the content; null unless asked for. */
  readonly sha256: string | null;
}

export interface FormLimits {
  /** Of all parts together. */
  readonly maxBytes: number;
  readonly hash: boolean;
  readonly files: Files;
}

const textFields = ['process', 'params', 'name', 'config'] as const;
const fileFields = ['file', 'script'] as const;
type TextField = (typeof textFields)[number];
type FileField = (typeof fileFields)[number];

/** Every field that means something. */
export const formFields: readonly string[] = [...textFields, ...fileFields];

/** One text field; parameters larger than this belong into the input file. */
const maxTextBytes = 8 * 1024 * 1024;
const maxIgnored = 20;

export async function receiveForm(request: Request, folder: string, limits: FormLimits): Promise<ReceivedForm> {
  const form = new FormReader(folder, limits);
  if (request.isMultipart()) {
    // The parser hears of a client that goes away from its first read on; one that is gone already would be waited for.
    if (request.raw.destroyed) throw new PlainError(400, 'the client went away');
    try {
      const parts = request.parts({
        limits: { fieldSize: maxTextBytes, fields: 32, files: 32, parts: 64, fileSize: Number.MAX_SAFE_INTEGER },
        // By the file name alone: a part with a binary content type but no name is text that should have been a file.
        // JSON as well, which the parser would read by itself: digits that a number of JavaScript cannot hold would be gone.
        isPartAFile: (_field, type, fileName) => fileName !== undefined || isJson(type),
      });
      for await (const part of parts) await form.take(part);
    } catch (error) {
      throw formError(error);
    }
  } else if (typeof request.body === 'object' && request.body !== null) {
    for (const [name, value] of Object.entries(request.body)) form.takeText(name, String([value].flat().at(-1) ?? ''));
  }
  return form.received();
}

class FormReader {
  readonly #folder: string;
  readonly #limits: FormLimits;
  readonly #texts = new Map<string, string>();
  readonly #files = new Map<string, ReceivedFile | null>();
  readonly #ignored = new Set<string>();
  #bytes = 0;

  constructor(folder: string, limits: FormLimits) {
    this.#folder = folder;
    this.#limits = limits;
  }

  async take(part: MultipartFile | MultipartValue): Promise<void> {
    if (part.type === 'file') return isNameless(part) ? this.#takeStreamedText(part) : this.#takeFile(part);
    if (part.valueTruncated) throw textTooLong(part.fieldname);
    this.takeText(part.fieldname, String(part.value));
    return undefined;
  }

  async #takeStreamedText(part: MultipartFile): Promise<void> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of part.file as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxTextBytes) throw textTooLong(part.fieldname);
      chunks.push(chunk);
    }
    this.takeText(part.fieldname, Buffer.concat(chunks).toString('utf8'));
  }

  /** @param sent as it came: a byte order mark, which editors on Windows put first, is no part of the text */
  takeText(field: string, sent: string): void {
    const text = sent.replace(/^\u{feff}/u, '');
    this.#count(text.length);
    if (isFileField(field)) {
      if (text !== '') {
        throw new EngineError(
          'BAD_REQUEST',
          `"${field}" was sent as text: send it as a file, with a file name (curl: -F ${field}=@path)`,
        );
      }
      this.#files.set(field, null);
    } else if (isTextField(field)) {
      if (text === '') this.#texts.delete(field);
      else this.#texts.set(field, text);
    } else {
      this.#ignore(field);
    }
  }

  #ignore(field: string): void {
    if (this.#ignored.size < maxIgnored) this.#ignored.add(field);
  }

  async #takeFile(part: MultipartFile): Promise<void> {
    const field = part.fieldname;
    if (!isFileField(field)) {
      this.#ignore(field);
      for await (const chunk of part.file) {
        this.#count((chunk as Buffer).length);
        if (isTextField(field)) throw new EngineError('BAD_REQUEST', `"${field}" was sent as a file: send it as text`);
      }
      return;
    }
    // A name that no upload can have: it gets its own only when all have come.
    const path = join(this.#folder, `.part-${randomUUID()}`);
    const hash = this.#limits.hash ? createHash('sha256') : null;
    const sizeBytes = await this.#write(part, path, hash);
    const before = this.#files.get(field);
    if (before) await rm(before.path, { force: true });
    if (part.filename === '') {
      if (sizeBytes > 0) throw new EngineError('BAD_REQUEST', `the file "${field}" has no file name`);
      await rm(path, { force: true });
      this.#files.set(field, null);
    } else {
      this.#files.set(field, { path, sentName: part.filename, sizeBytes, sha256: hash?.digest('hex') ?? null });
    }
  }

  #write(part: MultipartFile, path: string, hash: Hash | null): Promise<number> {
    return storePart(this.#limits.files, part.file, path, (chunk) => {
      this.#count(chunk.length);
      hash?.update(chunk);
    });
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#limits.maxBytes) throw tooLarge(this.#limits.maxBytes);
  }

  received(): ReceivedForm {
    return {
      fields: Object.fromEntries(this.#texts),
      file: this.#files.get('file') ?? null,
      script: this.#files.get('script') ?? null,
      ignored: [...this.#ignored],
    };
  }
}

/** A body that is no form, told before it is read. */
export function notAForm(contentType: string): EngineError {
  const type = (contentType.split(';')[0] ?? '').trim();
  const what = /[/+]json$/i.test(type)
    ? 'JSON'
    : type === ''
      ? 'a body without a content type'
      : `a body of type ${type}`;
  return new EngineError(
    'BAD_REQUEST',
    `${what} is not read: send a form (multipart/form-data; curl: -F process=… -F file=@path) with the text fields ` +
      'process, params (JSON), name and config (JSON), and the files file and script',
  );
}

export function tooLarge(maxBytes: number): EngineError {
  return new EngineError('TOO_LARGE', `the request is larger than ${maxBytes} bytes (MAX_UPLOAD_SIZE)`);
}

function textTooLong(field: string): EngineError {
  return new EngineError('TOO_LARGE', `the text of "${field}" is longer than ${maxTextBytes} bytes`);
}

/** A part that was read as a file for its type alone. */
function isNameless(part: MultipartFile): boolean {
  return (part.filename as string | undefined) === undefined;
}

function isJson(type: string | undefined): boolean {
  return type?.toLowerCase().startsWith('application/json') === true;
}

function isTextField(name: string): name is TextField {
  return (textFields as readonly string[]).includes(name);
}

function isFileField(name: string): name is FileField {
  return (fileFields as readonly string[]).includes(name);
}

/** Faults of the disk stay what they are, and are told by whoever answers; everything else that parsing throws is the fault of the form. */
export function formError(error: unknown): unknown {
  if (error instanceof EngineError || !(error instanceof Error)) return error;
  const code = errorCode(error) ?? '';
  if ('errno' in error && code !== 'ECONNRESET') return error;
  if (code.endsWith('_LIMIT'))
    return new EngineError('TOO_LARGE', 'the form has too many parts: send only those that mean something');
  return new PlainError(400, `the form cannot be read: ${error.message}`);
}
