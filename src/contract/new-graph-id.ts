import { createHash, randomUUID } from 'node:crypto';

/** A new graph id. */
export function newGraphId(): string {
  return `${randomUUID().slice(0, 28)}00000000`;
}

/** The same graph id for the same text, so that a repeated request meets the graph it made the first time. */
export function graphIdFromKey(key: string): string {
  const hex = createHash('sha256').update(key).digest('hex');
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 24)}00000000`;
}
