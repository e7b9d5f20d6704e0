import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { NativeConnection } from '@temporalio/worker';
import { describe, expect, inject, it } from 'vitest';
import { engineDataConverter, GzipCodec, gzipFromBytes } from '../../../src/engine/payload-codec.js';
import { startApi } from '../../support/api-under-test.js';

const codec = new GzipCodec();
const large = { nodes: Array.from({ length: 500 }, (_, index) => ({ index, queue: 'cpu', label: `node ${index}` })) };

interface JsonPayload {
  readonly metadata: Readonly<Record<string, string>>;
  readonly data: string;
}
const toJson = ({ metadata, data }: ReturnType<typeof defaultPayloadConverter.toPayload>): JsonPayload => ({
  metadata: Object.fromEntries(
    Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
  ),
  data: Buffer.from(data ?? []).toString('base64'),
});

describe('large payloads', () => {
  it('lie compressed in histories, small ones as they are, and both are read again', async () => {
    const connection = await NativeConnection.connect({ address: inject('temporalAddress') });
    const namespace = inject('temporalNamespace');
    const client = new Client({ connection, namespace, dataConverter: engineDataConverter });
    const workflowId = `codec-${randomUUID()}`;
    await client.workflow.start('nobodyRunsIt', { workflowId, taskQueue: workflowId, args: [large, 'small'] });
    const { history } = await connection.workflowService.getWorkflowExecutionHistory({
      namespace,
      execution: { workflowId },
    });
    const payloads = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    await client.workflow.getHandle(workflowId).terminate();
    await connection.close();
    const encodings = payloads.map(({ metadata }) => Buffer.from(metadata?.['encoding'] ?? []).toString());
    expect(encodings).toEqual(['binary/gzip', 'json/plain']);
    expect(payloads[0]?.data?.length).toBeLessThan(JSON.stringify(large).length / 4);

    // What the Web UI of Temporal does: no token, from its own origin.
    const api = await startApi();
    const ask = (verb: string, asked: readonly JsonPayload[]) =>
      fetch(`${api.url}/codec/${verb}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-namespace': namespace, origin: 'http://127.0.0.1:8233' },
        body: JSON.stringify({ payloads: asked }),
      });
    const answer = await ask('decode', payloads.map(toJson));
    expect(answer.headers.get('access-control-allow-origin')).toBe('http://127.0.0.1:8233');
    const decoded = (await answer.json()) as { payloads: JsonPayload[] };
    expect(decoded.payloads.map(({ data }) => JSON.parse(Buffer.from(data, 'base64').toString()))).toEqual([
      large,
      'small',
    ]);
    expect(decoded.payloads[0]?.metadata).toEqual({ encoding: Buffer.from('json/plain').toString('base64') });
    const again = (await (await ask('encode', decoded.payloads)).json()) as { payloads: JsonPayload[] };
    expect(again.payloads[0]?.metadata['encoding']).toBe(Buffer.from('binary/gzip').toString('base64'));

    // A few KiB that would become hundreds of MiB: nobody needs a token to try.
    const bomb = toJson({
      metadata: { encoding: Buffer.from('binary/gzip') },
      data: gzipSync(Buffer.alloc(3 * 2 ** 20)),
    });
    const bombs = await ask(
      'decode',
      Array.from({ length: 40 }, () => bomb),
    );
    expect(bombs.status).toBe(400);
    expect(await bombs.text()).toMatch(/larger than|too large/);

    const broken = await ask('decode', [{ ...(again.payloads[0] as JsonPayload), data: 'AAAA' }]);
    expect(broken.status).toBe(400);
    expect(await broken.json()).toMatchObject({ detail: { details: expect.stringContaining('cannot be read') } });
  });

  it('are not touched where that would gain nothing, nor twice', async () => {
    const noise = Buffer.from(Array.from({ length: gzipFromBytes }, () => Math.floor(Math.random() * 256)));
    const payload = defaultPayloadConverter.toPayload(noise);
    expect(await codec.encode([payload])).toEqual([payload]);
    const [once] = await codec.encode([defaultPayloadConverter.toPayload(large)]);
    if (once === undefined) throw new Error('nothing came back');
    expect(await codec.encode([once])).toEqual([once]);
    expect(defaultPayloadConverter.fromPayload((await codec.decode([once]))[0] as never)).toEqual(large);
  });
});
