import { EngineError } from '../errors/engine-error.js';

/**
 * One list out of several that are each sorted, newest first, and come in pages. A cursor names, for each source, the page
 * that holds its next item and how many items of that page are used up; pages are read again rather than kept.
 */

export interface SourcePage<T> {
  readonly items: readonly T[];
  /** Of the page after; empty: there is none. */
  readonly token: Uint8Array;
}

/** Reads the page that a token names; an empty token is the first page. */
export type Source<T> = (token: Uint8Array) => Promise<SourcePage<T>>;

interface Place {
  readonly token: Uint8Array;
  readonly used: number;
  readonly done: boolean;
}

/**
 * @param options.limit items at most; may differ from call to call of one listing
 * @param options.newerFirst negative when the first is to come first
 */
export async function mergePages<T>(
  sources: readonly Source<T>[],
  options: { readonly limit: number; readonly cursor?: string; readonly newerFirst: (a: T, b: T) => number },
): Promise<{ readonly items: T[]; readonly next: string | null }> {
  const start = options.cursor === undefined ? null : decode(options.cursor, sources.length);
  const heads = await Promise.all(sources.map((source, at) => Head.open(source, start?.[at] ?? beginning)));
  const items: T[] = [];
  while (items.length < options.limit) {
    let best: Head<T> | null = null;
    for (const head of heads) {
      if (head.item === undefined) continue;
      if (best === null || options.newerFirst(head.item, best.item as T) < 0) best = head;
    }
    if (best === null) break;
    items.push(best.item as T);
    await best.advance();
  }
  const places = heads.map((head) => head.place);
  return { items, next: places.every((place) => place.done) ? null : encode(places) };
}

const beginning: Place = { token: new Uint8Array(), used: 0, done: false };

class Head<T> {
  readonly #source: Source<T>;
  #page: SourcePage<T>;
  #token: Uint8Array;
  #used: number;

  private constructor(source: Source<T>, page: SourcePage<T>, token: Uint8Array, used: number) {
    this.#source = source;
    this.#page = page;
    this.#token = token;
    this.#used = used;
  }

  static async open<T>(source: Source<T>, place: Place): Promise<Head<T>> {
    const page = place.done ? { items: [], token: new Uint8Array() } : await source(place.token);
    const head = new Head(source, page, place.token, place.used);
    await head.#turn();
    return head;
  }

  get item(): T | undefined {
    return this.#page.items[this.#used];
  }

  get place(): Place {
    return { token: this.#token, used: this.#used, done: this.item === undefined };
  }

  async advance(): Promise<void> {
    this.#used += 1;
    await this.#turn();
  }

  /** To the next page that has an item, if there is one. */
  async #turn(): Promise<void> {
    while (this.item === undefined && this.#page.token.length > 0) {
      // A page may be shorter than the one that the cursor was made with.
      const used = Math.max(0, this.#used - this.#page.items.length);
      this.#token = this.#page.token;
      this.#page = await this.#source(this.#token);
      this.#used = used;
    }
  }
}

function encode(places: readonly Place[]): string {
  const text = places.map((place) => [Buffer.from(place.token).toString('base64'), place.used, place.done]);
  return Buffer.from(JSON.stringify(text)).toString('base64url');
}

/** @throws EngineError BAD_REQUEST when it is not a cursor of ours. */
function decode(cursor: string, sources: number): Place[] {
  try {
    const parsed = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')) as unknown;
    if (!Array.isArray(parsed) || parsed.length !== sources) throw new RangeError('other sources');
    return parsed.map((entry: unknown) => {
      const [token, used, done] = entry as [unknown, unknown, unknown];
      if (typeof token !== 'string' || !Number.isInteger(used) || typeof done !== 'boolean')
        throw new RangeError('shape');
      return { token: new Uint8Array(Buffer.from(token, 'base64')), used: used as number, done };
    });
  } catch (error) {
    throw new EngineError('BAD_REQUEST', 'cursor: must be the text of "next" of the page before', {}, { cause: error });
  }
}
