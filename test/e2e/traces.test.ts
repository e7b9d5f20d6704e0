import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PixyzClient } from '../../src/client/index.js';
import { startTracing } from '../../src/telemetry/tracing.js';
import { type ReceivedSpan, startOtlpReceiver } from '../support/otlp-receiver.js';
import { type SystemUnderTest, startSystemUnderTest, testToken } from '../support/system.js';
import { waitFor } from '../support/wait-for.js';

// From the request through the interpreter and the attempt to the steps of the script, as a collector gets it.

let receiver: Awaited<ReturnType<typeof startOtlpReceiver>>;
let system: SystemUnderTest;
let client: PixyzClient;

beforeAll(async () => {
  receiver = await startOtlpReceiver();
  system = await startSystemUnderTest({
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_EXPORTER_OTLP_HEADERS: 'x-key=a%20b' },
  });
  client = new PixyzClient({ url: system.api.url, token: testToken });
}, 60_000);
afterAll(async () => {
  await system?.stop();
  await receiver?.stop();
});

const traced = (traceId: string) => receiver.spans.filter((span) => span.traceId === traceId);

/** The spans of a trace, when there are so many of them. */
function spansOf(traceId: string, count: number): Promise<ReceivedSpan[]> {
  return waitFor(
    () => {
      const spans = traced(traceId);
      expect(spans.map(({ name }) => name)).toHaveLength(count);
      return spans.toSorted((a, b) => a.from - b.from);
    },
    { timeoutMs: 20_000 },
  );
}

function named(spans: readonly ReceivedSpan[], name: string): ReceivedSpan {
  const span = spans.find((one) => one.name === name);
  if (span === undefined) throw new Error(`there is no span "${name}": ${spans.map((one) => one.name).join(', ')}`);
  return span;
}

const traceOf = (digit: string) => ({
  traceId: digit.repeat(32),
  headers: { traceparent: `00-${digit.repeat(32)}-${'b'.repeat(16)}-01` },
});

describe('a trace', () => {
  it('goes from the request of a client through the attempt to the steps of the script', async () => {
    const { traceId, headers } = traceOf('1');
    const script = `import os
def main(pc, params):
    pc.progress_set_total(2)
    pc.progress_next("read")
    pc.progress_next("write")
    return [os.environ["TRACEPARENT"], pc["traceparent"]]
`;
    const answer = await system.api.post({ script, name: 'mine', config: { queue: 'gpu' } }, headers);
    const { uuid } = (await answer.json()) as { uuid: string };
    const { result } = await system.api.ended(uuid);
    const spans = await spansOf(traceId, 4);
    const request = named(spans, 'POST /jobs');
    const attempt = named(spans, 'attempt mine');
    expect(request).toMatchObject({
      service: 'pixyz-api',
      parentSpanId: 'b'.repeat(16),
      attributes: {
        'http.route': '/jobs',
        'http.response.status_code': 200,
        'pixyz.request.id': answer.headers.get('x-request-id'),
      },
    });
    expect(attempt).toMatchObject({
      service: 'pixyz-worker',
      parentSpanId: request.spanId,
      error: null,
      attributes: { 'pixyz.job': uuid, 'pixyz.attempt': 1, 'pixyz.queue': 'gpu', 'pixyz.outcome': 'succeeded' },
    });
    for (const name of ['read', 'write']) {
      const step = named(spans, name);
      expect(step.parentSpanId).toBe(attempt.spanId);
      expect(step.from).toBeGreaterThanOrEqual(attempt.from);
      expect(step.to).toBeLessThanOrEqual(attempt.to);
    }
    const parent = `00-${traceId}-${attempt.spanId}-01`;
    expect(result, 'for scripts that trace by themselves').toEqual([parent, parent]);
    expect(receiver.headers[0]).toMatchObject({ 'x-key': 'a b' });
  });

  it('has a span for the graph, with its nodes below it, and tells what failed', async () => {
    const { traceId, headers } = traceOf('2');
    const answer = await fetch(`${system.api.url}/graphs`, {
      method: 'POST',
      headers: { 'x-api-key': testToken, 'content-type': 'application/json', ...headers },
      body: JSON.stringify({
        name: 'two',
        nodes: [
          { id: 'a', process: 'api_test' },
          { id: 'b', command: ['false'], retries: 0, deps: ['a'] },
        ],
      }),
    });
    const { id } = (await answer.json()) as { id: string };
    await waitFor(async () => expect((await client.graphs.state(id)).state).toBe('failed'));
    const spans = await spansOf(traceId, 5);
    const graph = named(spans, 'graph two');
    expect(graph).toMatchObject({
      parentSpanId: named(spans, 'POST /graphs').spanId,
      attributes: { 'pixyz.graph': id, 'pixyz.front': 'rest', 'pixyz.outcome': 'failed' },
    });
    expect(graph.error).not.toBeNull();
    const attempts = spans.filter(({ name }) => name.startsWith('attempt '));
    expect(attempts.map(({ parentSpanId }) => parentSpanId)).toEqual([graph.spanId, graph.spanId]);
    expect(attempts.map(({ attributes }) => attributes['pixyz.node'])).toEqual([1, 2]);
    expect(attempts.map(({ error }) => error !== null)).toEqual([false, true]);
    for (const span of attempts) expect(span.to).toBeLessThanOrEqual(graph.to + 1);
  });

  it('goes on where a script sends jobs of its own', async () => {
    const { traceId, headers } = traceOf('3');
    const script = `from pixyz_worker.script import *
def sub(pc, params):
    return 1
def main(pc, params):
    link = pc.clone(entrypoint="sub", raw=True)
    return chain(pixyz_execute.s({}, link).set(queue="cpu"), pixyz_execute.s(pc=link).set(queue="cpu"))().as_tuple()
`;
    const answer = await system.api.post({ script, name: 'parent' }, headers);
    const { uuid } = (await answer.json()) as { uuid: string };
    expect((await system.api.ended(uuid)).status).toBe('SUCCESS');
    // The request, the attempt of the parent, the graph that it sent, and two attempts in that.
    const spans = await spansOf(traceId, 5);
    const graph = spans.find((span) => span.name.startsWith('graph '));
    expect(graph).toMatchObject({
      parentSpanId: named(spans, 'attempt parent').spanId,
      attributes: { 'pixyz.front': 'script' },
    });
    expect(spans.filter(({ parentSpanId }) => parentSpanId === graph?.spanId)).toHaveLength(2);
  });

  it('is not begun by requests that only read, nor where no collector is named', async () => {
    expect(receiver.spans.filter(({ name }) => name.startsWith('GET'))).toEqual([]);
    const off = { OTEL_EXPORTER_OTLP_ENDPOINT: undefined, OTEL_EXPORTER_OTLP_HEADERS: undefined };
    expect(await startTracing(off, 'api')).toBeUndefined();
  });
});
