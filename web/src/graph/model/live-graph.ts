import { signal } from '@preact/signals';
import type { GraphEvent, GraphState, NodeList } from '../../../../src/client/types.js';
import { follow } from '../../api/follow.js';
import { get } from '../../api/http.js';
import { GraphModel } from './graph-model.js';

/** Those that run tell how far they are. */
const progressEveryMs = 1000;
/** However many events come, the page is drawn anew at most so often. */
const shownEveryMs = 120;

const eventTypes = [
  ...(['started', 'added', 'closed', 'paused', 'resumed', 'ended'] as const),
  ...(['queued', 'returned', 'retrying', 'mapped', 'succeeded', 'failed', 'revoked', 'skipped', 'revived'] as const),
  'priority',
] as const satisfies readonly GraphEvent['type'][];

/** A graph as it is now, and goes on being: read once, then kept current by its events. */
export class LiveGraph {
  readonly id: string;
  readonly model = new GraphModel();
  readonly state = signal<GraphState | null>(null);
  /** Changes when the nodes have. */
  readonly version = signal(0);
  /** How many nodes have been read, until all have; null then. */
  readonly reading = signal<number | null>(0);
  readonly error = signal<Error | null>(null);
  readonly isConnected = signal(true);
  readonly isDeleted = signal(false);
  readonly #ending = new AbortController();
  #stopFollowing: () => void = () => {};
  #shown: ReturnType<typeof setTimeout> | null = null;
  #progress: ReturnType<typeof setTimeout> | null = null;
  #lastEvent = 0;
  #missingAfter: number | null = null;

  constructor(id: string) {
    this.id = id;
  }

  async start(): Promise<void> {
    try {
      await this.#readState();
      this.#lastEvent = this.state.value?.last_event ?? 0;
      await this.#readNodes(0, (count) => {
        this.reading.value = count;
      });
      this.reading.value = null;
      this.#show();
      if (this.#isOver()) return;
      this.#follow();
      this.#askProgress();
    } catch (error) {
      this.#fail(error);
    }
  }

  stop(): void {
    this.#ending.abort(new DOMException('the view was left', 'AbortError'));
    this.#stopFollowing();
    if (this.#shown !== null) clearTimeout(this.#shown);
    if (this.#progress !== null) clearTimeout(this.#progress);
  }

  /** After something was done to it that no event tells, or not yet. */
  async refresh(): Promise<void> {
    await this.#readState().catch((error: unknown) => this.#fail(error));
  }

  #follow(): void {
    const take = (event: GraphEvent) => this.#take(event);
    this.#stopFollowing = follow(() => `/graphs/${this.id}/events?after=${this.#lastEvent}`, {
      on: {
        ...Object.fromEntries(eventTypes.map((type) => [type, take])),
        deleted: () => {
          this.isDeleted.value = true;
        },
      },
      isLast: (type) => type === 'ended' || type === 'deleted',
      onError: (error) => this.#fail(error),
      onConnection: (connected) => {
        this.isConnected.value = connected;
      },
    });
  }

  #take(event: GraphEvent): void {
    this.#lastEvent = Math.max(this.#lastEvent, event.seq);
    const missing = this.model.apply(event);
    if (missing !== null) this.#readSoon(missing.after);
    if (event.node === undefined) void this.refresh();
    this.#showSoon();
  }

  /** Many events may ask for what one read brings. */
  #readSoon(after: number): void {
    const isAsked = this.#missingAfter !== null;
    this.#missingAfter = Math.min(after, this.#missingAfter ?? after);
    if (isAsked) return;
    setTimeout(() => {
      const from = this.#missingAfter ?? after;
      this.#missingAfter = null;
      if (!this.#ending.signal.aborted) void this.#readNodes(from).catch((error: unknown) => this.#fail(error));
    }, shownEveryMs);
  }

  async #readState(): Promise<void> {
    this.state.value = await get<GraphState>(`/graphs/${this.id}`, {}, { signal: this.#ending.signal });
    // What could not be had before is over.
    this.error.value = null;
  }

  async #readNodes(after: number, onCount: (count: number) => void = () => {}): Promise<void> {
    for (let cursor: string | null = after === 0 ? '' : String(after); cursor !== null; ) {
      cursor = await this.#readPage({ limit: 1000, cursor });
      onCount(this.model.size);
    }
    this.#showSoon();
  }

  async #readPage(query: Readonly<Record<string, string | number>>): Promise<string | null> {
    const { signal } = this.#ending;
    const { nodes, next } = await get<NodeList>(`/graphs/${this.id}/nodes`, query, { signal });
    this.model.refresh(nodes);
    return next;
  }

  #askProgress(): void {
    const round = async () => {
      const { queued, running } = this.model.counts;
      if (!document.hidden && queued + running > 0) {
        // What cannot be had now can be had in a second; that the connection is gone the stream tells.
        await this.#readPage({ state: 'running', limit: 1000 }).catch(() => null);
        this.#showSoon();
      }
      if (!this.#ending.signal.aborted && !this.#isOver()) this.#askProgress();
    };
    this.#progress = setTimeout(() => void round(), progressEveryMs);
  }

  #isOver(): boolean {
    return this.isDeleted.value || this.state.value?.time_info.stopped != null;
  }

  #showSoon(): void {
    this.#shown ??= setTimeout(() => this.#show(), shownEveryMs);
  }

  #show(): void {
    this.#shown = null;
    this.version.value = this.model.version;
  }

  #fail(error: unknown): void {
    if (!this.#ending.signal.aborted) this.error.value = error as Error;
  }
}
