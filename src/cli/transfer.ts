import type { OnProgress } from '../client/index.js';
import type { Context } from './context.js';
import { sizeText } from './output.js';

/** Below this a bar would only flicker. */
const worthShowingMs = 300;

export interface TransferBar {
  readonly onProgress: OnProgress;
  /** Takes the bar away. */
  readonly done: () => void;
  /** How far it came, for a transfer that somebody stopped: `1.0MiB of 4.0MiB`. Empty before the first byte. */
  readonly reached: () => string;
}

/**
 * A bar for an upload or a download, on a terminal. What an earlier, broken transfer had already is told, and not in the speed.
 * @param canResume the first bytes that it hears of may be an earlier transfer's
 */
export function transferBar({ live }: Context, plainTitle: string, canResume = true): TransferBar {
  const began = performance.now();
  let from: number | null = canResume ? null : 0;
  let reached = '';
  return {
    reached: () => reached,
    onProgress(doneBytes, totalBytes) {
      from ??= doneBytes;
      const title = from === 0 ? plainTitle : `${plainTitle} (on from ${sizeText(from)})`;
      reached = totalBytes === null ? sizeText(doneBytes) : `${sizeText(doneBytes)} of ${sizeText(totalBytes)}`;
      const seconds = (performance.now() - began) / 1000;
      if (seconds * 1000 < worthShowingMs) return;
      const speed = `${sizeText((doneBytes - from) / seconds)}/s`;
      if (totalBytes === null || totalBytes === 0) live.draw([`${title} ${sizeText(doneBytes)} ${speed}`]);
      else live.draw([`${title}: [${blocks(doneBytes / totalBytes)}] ${percent(doneBytes / totalBytes)} ${speed}`]);
    },
    done: () => live.clear(),
  };
}

function blocks(share: number): string {
  const full = Math.round(Math.min(1, share) * 30);
  return '█'.repeat(full) + '-'.repeat(30 - full);
}

const percent = (share: number) => `${(Math.min(1, share) * 100).toFixed(1)}%`;
