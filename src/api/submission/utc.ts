import { performance } from 'node:perf_hooks';

/**
 * Now, as Python writes a naive UTC time: ISO 8601 without offset, microseconds, no fraction when it is exactly zero.
 * The clock of Node has milliseconds; the rest comes from the monotonic one, so that times of one process differ.
 */
export function pythonUtcNow(): string {
  const micros = Math.floor((performance.now() % 1) * 1000);
  return pythonUtc(new Date(), micros);
}

export function pythonUtc(date: Date, micros: number): string {
  const [seconds = '', millis = '000'] = date.toISOString().slice(0, -1).split('.');
  const fraction = `${millis}${String(micros).padStart(3, '0')}`;
  return fraction === '000000' ? seconds : `${seconds}.${fraction}`;
}
