/**
 * A history as text: JSON with payloads as text where they are (they are JSON themselves, and so can be read and altered).
 * The SDK's own `historyToJSON` does not work where npm has put several versions of its protobuf library side by side.
 */

interface Bytes {
  readonly utf8?: string;
  readonly base64?: string;
}

/** What a replay does not look at; stacks name folders of the machine that recorded them. */
const leftOut = new Set(['stackTrace', 'taskId', 'identity', 'workerVersion', 'meteringMetadata', 'requestId']);

export function historyToText(history: unknown): string {
  return JSON.stringify(plain(history));
}

export function historyFromText(text: string): unknown {
  return JSON.parse(text, (_, value: unknown) => {
    const { utf8, base64 } = (value ?? {}) as Bytes;
    if (utf8 !== undefined) return new TextEncoder().encode(utf8);
    return base64 === undefined ? value : new Uint8Array(Buffer.from(base64, 'base64'));
  });
}

function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return textOrBytes(value);
  if (Array.isArray(value)) return value.map(plain);
  // 64-bit numbers of the protocol: ids of events and seconds, far below 2^53.
  if ('toNumber' in value && typeof value.toNumber === 'function') return (value.toNumber as () => number)();
  const fields = Object.entries(value).filter(([name, field]) => field !== null && !leftOut.has(name));
  return Object.fromEntries(fields.map(([name, field]) => [name, plain(field)]));
}

function textOrBytes(bytes: Uint8Array): Bytes {
  const text = Buffer.from(bytes).toString('utf8');
  return Buffer.from(text).equals(bytes) ? { utf8: text } : { base64: Buffer.from(bytes).toString('base64') };
}
