import { signal } from '@preact/signals';
import type { Attempt, NodeList } from '../../../../src/client/types.js';
import { get } from '../../api/http.js';
import { timeOf } from '../../ui/format.js';
import type { Span } from '../shape/critical-path.js';

/** Between two reads at least, and so many times as long as the last read took: a large graph is read seldom. */
const [leastMs, timesAsLong] = [2000, 10];

/** Who ran what when: read while somebody wants to see it, as no event of the graph tells it. */
export class GraphAttempts {
  readonly #id: string;
  readonly byNode = signal<ReadonlyMap<number, readonly Attempt[]>>(new Map());
  /** Until then `byNode` grows page by page: the first bars of a large graph do not wait for the last. */
  readonly isRead = signal(false);
  readonly error = signal<Error | null>(null);
  #ending: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(id: string) {
    this.#id = id;
  }

  /** @param isOver nothing more will come: one read is enough */
  start(isOver: () => boolean): void {
    this.stop();
    const ending = new AbortController();
    this.#ending = ending;
    const round = async () => {
      const began = performance.now();
      const wasOver = isOver();
      try {
        if (!document.hidden) await this.#read(ending.signal);
        this.error.value = null;
      } catch (error) {
        if (ending.signal.aborted) return;
        this.error.value = error as Error;
      }
      if (wasOver && this.error.value === null && this.isRead.value) return;
      const pause = Math.max(leastMs, timesAsLong * (performance.now() - began));
      if (!ending.signal.aborted) this.#timer = setTimeout(() => void round(), pause);
    };
    void round();
  }

  stop(): void {
    this.#ending?.abort(new DOMException('nobody looks any more', 'AbortError'));
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  async #read(signal: AbortSignal): Promise<void> {
    const found = new Map<number, readonly Attempt[]>();
    const query = { attempts: true, limit: 1000, state: ['running', 'succeeded', 'failed', 'revoked', 'queued'] };
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: NodeList = await get<NodeList>(`/graphs/${this.#id}/nodes`, { ...query, cursor }, { signal });
      for (const { number, attempts = [] } of page.nodes) if (attempts.length > 0) found.set(number, attempts);
      cursor = page.next;
      if (!this.isRead.value && cursor !== null) this.byNode.value = new Map(found);
    }
    this.byNode.value = found;
    this.isRead.value = true;
  }
}

/** From the first attempt to the end of the last one. */
export function spanOf(attempts: readonly Attempt[] | undefined): Span | null {
  const [first, last] = [attempts?.[0], attempts?.at(-1)];
  if (first === undefined || last === undefined) return null;
  return { from: timeOf(first.startedAt), to: last.endedAt === null ? null : timeOf(last.endedAt) };
}
