const mostBytes = 200;

/**
 * A name as labels and histories carry it: the Temporal server refuses summaries of more than 400 bytes and long keywords.
 * The whole name is in the job's record.
 */
export function shortText<T extends string | null>(text: T): T {
  if (text === null || Buffer.byteLength(text) <= mostBytes) return text;
  const cut = Buffer.from(text)
    .subarray(0, mostBytes - 4)
    .toString('utf8');
  // The cut may have gone through a character.
  return `${cut.replace(/\uFFFD+$/, '')}…` as T;
}
