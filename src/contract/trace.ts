import { createHash } from 'node:crypto';

/**
 * Where something belongs in a trace, in the form of W3C's header `traceparent`: `00-<trace>-<span>-<flags>`. It is kept with
 * what was asked for (`spec.json`, `graph.json`), so it outlives every process, and whoever runs it later goes on with it.
 */
const pattern = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

export interface TraceParent {
  readonly traceId: string;
  readonly spanId: string;
  readonly flags: number;
}

export function parseTraceParent(text: string | undefined): TraceParent | null {
  const [, traceId, spanId, flags] = pattern.exec(text ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  return { traceId, spanId, flags: Number.parseInt(flags ?? '', 16) };
}

export function traceParentText({ traceId, spanId, flags }: TraceParent): string {
  return `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`;
}

/** The span of a graph is written when it has ended; what runs in it knows its id before. */
export function graphSpanId(graphId: string): string {
  return createHash('sha256').update(`graph ${graphId}`).digest('hex').slice(0, 16);
}

/** Below the span of its graph. */
export function inGraph(trace: string, graphId: string): string {
  const parent = parseTraceParent(trace);
  return parent === null ? trace : traceParentText({ ...parent, spanId: graphSpanId(graphId) });
}
