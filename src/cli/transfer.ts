import type { OnProgress } from '../client/index.js';
import type { Context } from './context.js';
import { sizeText } from './output.js';

/** Below this a bar would only flicker. */
const worthShowingMs = 300;

/** A bar for an upload or a download, on a terminal. `done` takes it away. */
export function transferBar({ live }: Context, title: string): { onProgress: OnProgress; done: () => void } {
  const began = performance.now();
  return {
    onProgress(doneBytes, totalBytes) {
      const seconds = (performance.now() - began) / 1000;
      if (seconds * 1000 < worthShowingMs) return;
      const speed = `${sizeText(doneBytes / seconds)}/s`;
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
