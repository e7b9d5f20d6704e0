import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergePages, type Source } from '../../../src/engine/merge-pages.js';

/** A sorted list that comes in pages of a size of its own; its tokens are positions. */
function source(items: readonly number[], size: number): Source<number> {
  return async (token) => {
    const from = token.length === 0 ? 0 : Number(Buffer.from(token).toString());
    const to = from + size;
    return { items: items.slice(from, to), token: to < items.length ? Buffer.from(String(to)) : new Uint8Array() };
  };
}

const newerFirst = (a: number, b: number): number => b - a;

describe('pages of several lists', () => {
  it('give every item once, newest first, whatever the sizes of pages are', async () => {
    const list = fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 40 }).map((items) => items.sort(newerFirst));
    await fc.assert(
      fc.asyncProperty(
        fc.array(list, { minLength: 1, maxLength: 3 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 }),
        async (lists, limits) => {
          const seen: number[] = [];
          let cursor: string | undefined;
          for (let page = 0; ; page++) {
            const limit = limits[page % limits.length] as number;
            // As Temporal does: a page is as long as the list that is asked for.
            const sources = lists.map((items) => source(items, limit));
            const { items, next } = await mergePages(sources, { limit, newerFirst, ...(cursor ? { cursor } : {}) });
            expect(items.length).toBeLessThanOrEqual(limit);
            seen.push(...items);
            if (next === null) break;
            cursor = next;
          }
          expect(seen).toEqual(lists.flat().sort(newerFirst));
        },
      ),
    );
  });

  it('refuse a cursor that they did not give', async () => {
    for (const cursor of ['', 'nonsense', Buffer.from('[]').toString('base64url')]) {
      await expect(mergePages([source([1], 1)], { limit: 1, cursor, newerFirst })).rejects.toThrow(/cursor: must be/);
    }
  });
});
