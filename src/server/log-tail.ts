import { closeSync, openSync, readSync, statSync } from 'node:fs';

const longestLine = 400;
const readBytes = 64 * 1024;

/** The end of what was logged after the byte `from`, with the sentences of JSON lines instead of the lines. */
export function logTail(file: string, from: number, count = 8): string {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  const begin = Math.max(from, size - readBytes);
  if (size <= begin) return '  (nothing)';
  const buffer = Buffer.alloc(size - begin);
  const handle = openSync(file, 'r');
  try {
    readSync(handle, buffer, 0, buffer.length, begin);
  } finally {
    closeSync(handle);
  }
  return buffer
    .toString('utf8')
    .trimEnd()
    .split('\n')
    .slice(-count)
    .map((line) => readable(line).slice(0, longestLine))
    .map((line) => `  ${line}`)
    .join('\n');
}

/** pino writes `err`, the Temporal server `error`. */
function readable(line: string): string {
  try {
    const { msg, err, error } = JSON.parse(line) as { msg?: string; err?: { message?: string }; error?: unknown };
    if (typeof msg !== 'string') return line;
    const reason = err?.message ?? (typeof error === 'string' ? error : '');
    return reason === '' || msg.includes(reason) ? msg : `${msg}: ${reason}`;
  } catch {
    return line;
  }
}
