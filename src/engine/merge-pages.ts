import { EngineError } from '../errors/engine-error.js';

/**
 * One list out of several that are each sorted by the places of their items and come in pages. A cursor names the last item
 * that was given by its place, and the page of each source that holds the next one; pages are read again rather than kept.
 *
 * Items come and move while somebody pages. What has moved behind the last item is given (again), what has moved or come
 * before it is not; counting the items of a page instead would lose some, or give a page for ever.
 */

export interface SourcePage<T> {
  readonly items: readonly T[];
  /** Of the page after; empty: there is none. */
  readonly token: Uint8Array;
}

/** Reads the page that a token names; an empty token is the first page. */
export type Source<T> = (token: Uint8Array) => Promise<SourcePage<T>>;

interface Cursor {
  /** Of the page of each source that has its next item; null: it has none. */
  readonly tokens: readonly (Uint8Array | null)[];
  /** Of the last item given; before all where there is none. */
  readonly place: string;
}

/**
 * @param options.limit items at most; may differ from call to call of one listing
 * @param options.placeOf sorts as text; no two items have the same
 */
export async function mergePages<T>(
  sources: readonly Source<T>[],
  options: { readonly limit: number; readonly cursor?: string; readonly placeOf: (item: T) => string },
): Promise<{ readonly items: T[]; readonly next: string | null }> {
  const { limit, placeOf } = options;
  const start: Cursor =
    options.cursor === undefined
      ? { tokens: sources.map(() => new Uint8Array()), place: '' }
      : decode(options.cursor, sources.length);
  const isNew = (item: T): boolean => placeOf(item) > start.place;
  const heads = await Promise.all(sources.map((source, at) => Head.open(source, start.tokens[at] ?? null, isNew)));
  const items: T[] = [];
  while (items.length < limit) {
    let best: Head<T> | null = null;
    for (const head of heads) {
      if (head.item === undefined) continue;
      if (best === null || placeOf(head.item) < placeOf(best.item as T)) best = head;
    }
    if (best === null) break;
    items.push(best.item as T);
    await best.advance();
  }
  const tokens = heads.map((head) => (head.item === undefined ? null : head.token));
  const last = items.at(-1);
  const place = last === undefined ? start.place : placeOf(last);
  return { items, next: tokens.every((token) => token === null) ? null : encode({ tokens, place }) };
}

class Head<T> {
  readonly #source: Source<T>;
  readonly #isNew: (item: T) => boolean;
  #rest: readonly T[] = [];
  #next: Uint8Array | null;
  /** Of the page that has the item. */
  token = new Uint8Array();

  private constructor(source: Source<T>, token: Uint8Array | null, isNew: (item: T) => boolean) {
    this.#source = source;
    this.#next = token;
    this.#isNew = isNew;
  }

  static async open<T>(source: Source<T>, token: Uint8Array | null, isNew: (item: T) => boolean): Promise<Head<T>> {
    const head = new Head(source, token, isNew);
    await head.#turn();
    return head;
  }

  get item(): T | undefined {
    return this.#rest[0];
  }

  async advance(): Promise<void> {
    this.#rest = this.#rest.slice(1);
    await this.#turn();
  }

  /** To the next page that has an item, if there is one. */
  async #turn(): Promise<void> {
    while (this.item === undefined && this.#next !== null) {
      this.token = new Uint8Array(this.#next);
      const page = await this.#source(this.token);
      this.#rest = page.items.filter(this.#isNew);
      this.#next = page.token.length > 0 ? page.token : null;
    }
  }
}

function encode({ tokens, place }: Cursor): string {
  const texts = tokens.map((token) => (token === null ? null : Buffer.from(token).toString('base64')));
  return Buffer.from(JSON.stringify([place, ...texts])).toString('base64url');
}

/** @throws EngineError BAD_REQUEST when it is not a cursor of ours. */
function decode(cursor: string, sources: number): Cursor {
  try {
    const [place, ...texts] = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')) as unknown[];
    if (typeof place !== 'string' || texts.length !== sources) throw new RangeError('other sources');
    const tokens = texts.map((text) => {
      if (text !== null && typeof text !== 'string') throw new TypeError('token');
      return text === null ? null : new Uint8Array(Buffer.from(text, 'base64'));
    });
    return { tokens, place };
  } catch (error) {
    throw new EngineError('BAD_REQUEST', 'cursor: must be the text of "next" of the page before', {}, { cause: error });
  }
}
