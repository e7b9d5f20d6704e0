/** Times as scripts and clients read them: UTC, ISO 8601, microseconds; the fraction is left out when it is zero. */

/** `2026-11-21T11:49:05.570674`: when a job was asked for. */
export function utcWithoutOffset(epochMs: number): string {
  const whole = Math.floor(epochMs / 1000);
  const micros = Math.floor((epochMs - whole * 1000) * 1000);
  const seconds = new Date(whole * 1000).toISOString().slice(0, 19);
  return micros === 0 ? seconds : `${seconds}.${String(micros).padStart(6, '0')}`;
}

/** `2026-11-21T11:49:05.577974+00:00`: when an attempt started or stopped. */
export function utcWithOffset(epochMs: number): string {
  return `${utcWithoutOffset(epochMs)}+00:00`;
}

/** Milliseconds since 1970 with the fraction that the clock offers. */
export function preciseNow(): number {
  return performance.timeOrigin + performance.now();
}
