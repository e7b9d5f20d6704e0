import {
  defineSearchAttributeKey,
  type SearchAttributePair,
  SearchAttributeType,
  TypedSearchAttributes,
} from '@temporalio/common';
import type { SearchAttributeName } from './search-attributes.js';

/** Reading and writing the fields of Temporal's visibility store. */

export function attributes(values: Partial<Record<SearchAttributeName, string | null>>): TypedSearchAttributes {
  const pairs: SearchAttributePair[] = [];
  for (const [name, value] of Object.entries(values)) {
    if (value !== null) pairs.push({ key: defineSearchAttributeKey(name, SearchAttributeType.KEYWORD), value });
  }
  return new TypedSearchAttributes(pairs);
}

export function jsonOf(data: Uint8Array | null | undefined): unknown {
  return data == null || data.length === 0 ? undefined : JSON.parse(Buffer.from(data).toString('utf8'));
}

export function firstText(data: Uint8Array | null | undefined): string | null {
  const value = jsonOf(data);
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === 'string' ? first : null;
}

/** A time as Temporal's answers have it. */
export interface Timestamp {
  readonly seconds?: unknown;
  readonly nanos?: number | null;
}

/**
 * Where a run stands in the visibility store's own order, the only one it has: open runs first, newest first, then ended
 * ones, last ended first. The nanoseconds count: runs of the same millisecond would change places without them.
 */
export function placeOf(started: Timestamp | null | undefined, ended: Timestamp | null | undefined, runId: string) {
  return `${latestFirst(ended)}.${latestFirst(started)}.${runId}`;
}

const digits = 20;
const beyondAll = 10n ** BigInt(digits) - 1n;

/** Sorts later times first, and none before all. */
function latestFirst(time: Timestamp | null | undefined): string {
  const nanos = time == null ? beyondAll : BigInt(Number(time.seconds ?? 0)) * 1_000_000_000n + BigInt(time.nanos ?? 0);
  return String(beyondAll - nanos).padStart(digits, '0');
}

/** A text in a visibility query. */
export function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
