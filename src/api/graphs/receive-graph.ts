import { createHash } from 'node:crypto';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { MultipartFile } from '@fastify/multipart';
import { uploadNamePattern } from '../../compile/graph-request.js';
import type { Problems } from '../../compile/problems.js';
import { EngineError } from '../../errors/engine-error.js';
import { pooledFiles } from '../../store/files.js';
import type { Request } from '../deps.js';
import { PlainError } from '../plugins/error-facts.js';
import { formError, tooLarge } from '../uploads/receive-form.js';
import { safeName } from '../uploads/safe-name.js';
import { storePart } from '../uploads/store-part.js';

/** The graph itself; files are not counted. */
export const maxGraphBytes = 64 * 1024 * 1024;
const maxFiles = 1000;

/** A file that came with a graph. It lies at `<inputs>/<name>/<file name>`, so its place tells both. */
export interface Upload {
  /** Relative to the inputs. */
  readonly place: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

export interface ReceivedGraph {
  /** JSON, as it was sent. */
  readonly text: string;
  /** By the name of the form's part. */
  readonly uploads: ReadonlyMap<string, Upload>;
  /** The same for the same request. */
  readonly digest: string;
}

/** Reads a JSON body, or a form with the part `graph` (or another name) and files, which go straight to the disk. */
export async function receiveGraph(
  request: Request,
  inputs: string,
  maxBytes: number,
  problems: Problems,
  partName = 'graph',
): Promise<ReceivedGraph> {
  if (!request.isMultipart()) return received(typeof request.body === 'string' ? request.body : '', new Map());
  if (request.raw.destroyed) throw new PlainError(400, 'the client went away');
  let text: string | null = null;
  let bytes = 0;
  const count = (more: number) => {
    bytes += more;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
  };
  const uploads = new Map<string, Upload>();
  try {
    const parts = request.parts({
      limits: { fields: maxFiles, files: maxFiles, parts: 2 * maxFiles, fileSize: Number.MAX_SAFE_INTEGER },
      // The graph, too: the parser would turn it from JSON to numbers that have lost digits.
      isPartAFile: (field, _type, fileName) => fileName !== undefined || field === partName,
    });
    for await (const part of parts) {
      if (part.type !== 'file') {
        problems.add(['files', part.fieldname], 'bad-file', 'was sent as text: send it as a file, with a file name');
      } else if (part.fieldname === partName) {
        text = await textOf(part);
      } else {
        await store(part, inputs, uploads, count, problems);
      }
    }
  } catch (error) {
    throw formError(error);
  }
  if (text === null)
    throw new EngineError('BAD_REQUEST', `the form has no part "${partName}": that is the ${partName}, as JSON`, {});
  return received(text, uploads);
}

function received(text: string, uploads: ReadonlyMap<string, Upload>): ReceivedGraph {
  const files = [...uploads]
    .map(([name, { place, sizeBytes, sha256 }]) => [name, place, sizeBytes, sha256] as const)
    .sort((a, b) => (a[0] < b[0] ? -1 : 1));
  const digest = createHash('sha256')
    .update(JSON.stringify([text, files]))
    .digest('hex');
  return { text, uploads, digest };
}

async function textOf(part: MultipartFile): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of part.file as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxGraphBytes) throw new EngineError('TOO_LARGE', `the graph is larger than ${maxGraphBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function store(
  part: MultipartFile,
  inputs: string,
  uploads: Map<string, Upload>,
  count: (bytes: number) => void,
  problems: Problems,
): Promise<void> {
  const name = part.fieldname;
  const sent = part.filename ?? '';
  const lower = name.toLowerCase();
  let problem: string | null = null;
  if (!uploadNamePattern.test(name) || safeName(name, '') !== name) {
    problem = 'is not a name for a file: letters, digits, dot, dash and underscore, at most 100';
  } else if ([...uploads.keys()].some((other) => other.toLowerCase() === lower)) {
    // Some shares do not tell upper case from lower case.
    problem = 'there is another file of this name in the form';
  } else if (sent === '') {
    problem = 'has no file name';
  }
  if (problem !== null) {
    problems.add(['files', name], 'bad-file', problem);
    for await (const chunk of part.file as AsyncIterable<Buffer>) count(chunk.length);
    return;
  }
  const place = `${name}/${safeName(sent, 'file')}`;
  await mkdir(join(inputs, name));
  const hash = createHash('sha256');
  // Written under another name first: a name that was sent must never meet a file of ours.
  const temporary = join(inputs, name, '.part');
  const sizeBytes = await storePart(pooledFiles, part.file, temporary, (chunk) => {
    count(chunk.length);
    hash.update(chunk);
  });
  const path = join(inputs, place);
  await rename(temporary, path);
  uploads.set(name, { place, path, sizeBytes, sha256: hash.digest('hex') });
}
