import type { Attributes, Span as OtelSpan, SpanKind as OtelSpanKind } from '@opentelemetry/api';
import { productVersion } from '../config/product-version.js';
import type { Settings } from '../config/settings.js';
import { parseTraceParent, traceParentText } from '../contract/trace.js';

/**
 * Traces in OpenTelemetry's form, sent over OTLP/HTTP. Off unless an endpoint is configured: then nothing of OpenTelemetry is
 * even loaded, and whoever would open a span finds no {@link Tracing}.
 *
 * The context travels with what is kept on the share (`src/contract/trace.ts`), not in Temporal's headers: a job that is a
 * standalone activity has no workflow, attempts of lost workers and taken-over jobs keep their trace, and the bundle of the
 * workflows stays free of it.
 */
export interface Tracing {
  begin(name: string, options: SpanOptions): Span;
  /** Sends what has not been sent. */
  stop(): Promise<void>;
}

export interface SpanOptions {
  /** `traceparent` of the parent; absent: a new trace. */
  readonly parent?: string | undefined;
  readonly kind?: 'server' | 'consumer';
  readonly attributes?: Attributes;
  /** ms since 1970; absent: now. */
  readonly startedAt?: number;
  /** 16 hexadecimal digits; absent: any. */
  readonly spanId?: string;
}

export interface Span {
  /** For what happens below it. */
  readonly trace: string;
  set(attributes: Attributes): void;
  /** @param options.error what went wrong; absent: nothing. @param options.at ms since 1970; absent: now */
  end(options?: { readonly error?: string | undefined; readonly at?: number }): void;
}

/** @param part `api` or `worker`: the name of the service is `pixyz-<part>` */
export async function startTracing(
  settings: Pick<Settings, 'OTEL_EXPORTER_OTLP_ENDPOINT' | 'OTEL_EXPORTER_OTLP_HEADERS'>,
  part: string,
): Promise<Tracing | undefined> {
  const endpoint = settings.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (endpoint === undefined) return undefined;
  const [api, sdk, { Resource }, { OTLPTraceExporter }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace-base'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/exporter-trace-otlp-http'),
  ]);
  const ids = new ChosenIds(new sdk.RandomIdGenerator());
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
    headers: headersOf(settings.OTEL_EXPORTER_OTLP_HEADERS),
  });
  const provider = new sdk.BasicTracerProvider({
    resource: new Resource({ 'service.name': `pixyz-${part}`, 'service.version': productVersion }),
    idGenerator: ids,
    spanProcessors: [new sdk.BatchSpanProcessor(exporter, { scheduledDelayMillis: 1000 })],
  });
  const tracer = provider.getTracer('pixyz-temporal-scheduler', productVersion);
  const kinds: Readonly<Record<NonNullable<SpanOptions['kind']>, OtelSpanKind>> = {
    server: api.SpanKind.SERVER,
    consumer: api.SpanKind.CONSUMER,
  };
  return {
    begin(name, { parent, kind, attributes = {}, startedAt, spanId }) {
      const above = parseTraceParent(parent);
      const context =
        above === null
          ? api.ROOT_CONTEXT
          : api.trace.setSpanContext(api.ROOT_CONTEXT, {
              traceId: above.traceId,
              spanId: above.spanId,
              traceFlags: above.flags,
              isRemote: true,
            });
      const span = ids.choosing(spanId, () =>
        tracer.startSpan(
          name,
          {
            attributes,
            kind: kind === undefined ? api.SpanKind.INTERNAL : kinds[kind],
            ...(startedAt === undefined ? {} : { startTime: startedAt }),
          },
          context,
        ),
      );
      return wrapped(span, api.SpanStatusCode.ERROR);
    },
    stop: () => provider.shutdown(),
  };
}

function wrapped(span: OtelSpan, failed: number): Span {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return {
    trace: traceParentText({ traceId, spanId, flags: traceFlags }),
    set: (attributes) => void span.setAttributes(attributes),
    end({ error, at } = {}) {
      if (error !== undefined) span.setStatus({ code: failed, message: error });
      span.end(at);
    },
  };
}

interface IdGenerator {
  generateTraceId(): string;
  generateSpanId(): string;
}

/** The SDK asks for an id while it starts a span; some of ours have one already. */
class ChosenIds implements IdGenerator {
  readonly #random: IdGenerator;
  #chosen: string | undefined;

  constructor(random: IdGenerator) {
    this.#random = random;
  }

  choosing<T>(spanId: string | undefined, start: () => T): T {
    this.#chosen = spanId;
    try {
      return start();
    } finally {
      this.#chosen = undefined;
    }
  }

  generateTraceId(): string {
    return this.#random.generateTraceId();
  }

  generateSpanId(): string {
    return this.#chosen ?? this.#random.generateSpanId();
  }
}

/** `name=value,name=value`, values percent-encoded, as OpenTelemetry has it. */
function headersOf(text: string | undefined): Record<string, string> {
  const pairs = (text ?? '').split(',').map((pair) => pair.trim().split(/=(.*)/s));
  return Object.fromEntries(
    pairs.filter(([name]) => name).map(([name, value = '']) => [name?.trim(), decodeURIComponent(value.trim())]),
  );
}
