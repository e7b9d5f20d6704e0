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

export function dateOf(time: { seconds?: unknown; nanos?: number | null } | null | undefined): Date | null {
  return time == null ? null : new Date(Number(time.seconds ?? 0) * 1000 + (time.nanos ?? 0) / 1e6);
}

/** A text in a visibility query. */
export function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
