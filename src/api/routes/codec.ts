import type { Payload } from '@temporalio/common';
import { z } from 'zod';
import { GzipCodec } from '../../engine/payload-codec.js';
import { EngineError } from '../../errors/engine-error.js';
import type { App } from '../deps.js';
import { errorAnswers } from '../schemas/errors.js';

/** The Web UI sends the payloads of a page of a history. */
const maxBodyBytes = 16 * 2 ** 20;

const payloadsSchema = z
  .object({
    payloads: z
      .array(z.object({ metadata: z.record(z.string(), z.base64()).optional(), data: z.base64().optional() }))
      .max(10_000),
  })
  .meta({
    id: 'Payloads',
    description: 'As Temporal writes payloads in JSON: every value in base64.',
    examples: [{ payloads: [{ metadata: { encoding: 'anNvbi9wbGFpbg==' }, data: 'MQ==' }] }],
  });

/**
 * A codec server for the Temporal Web UI, so that payloads that lie compressed in histories are readable there. It needs no
 * token, as it tells nothing: whoever calls has the payload already. Nothing is looked up and nothing is kept. For the same
 * reason anybody can make it work: what a call may take of memory is bounded, and calls wait for each other.
 */
export function codecRoutes(app: App): void {
  const codec = new GzipCodec();
  const verbs = {
    decode: (payloads: Payload[]) => codec.decodeBounded(payloads),
    encode: (payloads: Payload[]) => codec.encode(payloads),
  };
  let before: Promise<unknown> = Promise.resolve();
  /** One at a time. */
  const queued = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = before.then(work);
    before = turn.catch(() => undefined);
    return turn;
  };
  const route = (verb: keyof typeof verbs, summary: string) =>
    app.post(
      `/codec/${verb}`,
      {
        bodyLimit: maxBodyBytes,
        schema: {
          tags: ['dev'],
          summary,
          description: 'A codec server for the Temporal Web UI and the command `temporal`.',
          body: payloadsSchema,
          response: { 200: payloadsSchema, ...errorAnswers(400, 413, 500) },
        },
      },
      async (request) => {
        const payloads = request.body.payloads.map(fromJson);
        try {
          return { payloads: (await queued(() => verbs[verb](payloads))).map(toJson) };
        } catch (error) {
          throw new EngineError('BAD_REQUEST', `a payload cannot be read: ${(error as Error).message}`);
        }
      },
    );
  route('decode', 'Make payloads readable');
  route('encode', 'Make payloads as they lie in histories');
}

type Json = z.infer<typeof payloadsSchema>['payloads'][number];

function fromJson({ metadata = {}, data }: Json): Payload {
  const entries = Object.entries(metadata).map(([name, value]) => [name, Buffer.from(value, 'base64')] as const);
  return { metadata: Object.fromEntries(entries), data: Buffer.from(data ?? '', 'base64') };
}

function toJson({ metadata, data }: Payload): Json {
  const entries = Object.entries(metadata ?? {}).map(([name, value]) => [name, base64(value)] as const);
  return { metadata: Object.fromEntries(entries), data: base64(data ?? new Uint8Array()) };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
