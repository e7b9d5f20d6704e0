import type { NodeState } from '../../../../src/client/types.js';
import { lookOf, type Tone } from '../../ui/states.js';

export type StateName = NodeState['state'];

export function toneOf(state: StateName): Tone {
  return lookOf(state).tone;
}

/** Within a sentence. */
export function wordOf(state: StateName): string {
  return lookOf(state).words.toLowerCase();
}

/** From what matters most where many are shown as one. */
export const bySeverity = ['failed', 'revoked', 'running', 'queued', 'waiting', 'skipped', 'succeeded'] as const;

export type StateCounts = Readonly<Record<StateName, number>>;

export function noCounts(): Record<StateName, number> {
  return { waiting: 0, queued: 0, running: 0, succeeded: 0, failed: 0, revoked: 0, skipped: 0 };
}

export function isEnd(state: StateName): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'revoked' || state === 'skipped';
}

export function endedOf(counts: StateCounts): number {
  return counts.succeeded + counts.failed + counts.revoked + counts.skipped;
}

export function worstOf(counts: StateCounts): StateName {
  return bySeverity.find((state) => counts[state] > 0) ?? 'waiting';
}

/** `3 failed, 12 running, 985 succeeded` */
export function countsText(counts: StateCounts): string {
  return bySeverity
    .filter((state) => counts[state] > 0)
    .map((state) => `${counts[state].toLocaleString('en')} ${wordOf(state)}`)
    .join(', ');
}
