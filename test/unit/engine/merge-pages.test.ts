import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergePages, type Source } from '../../../src/engine/merge-pages.js';

/** As Temporal's visibility: pages of whatever the list is now; a token names the last item of the page before. */
function source(items: () => readonly string[], size: number): Source<string> {
  return async (token) => {
    const after = Buffer.from(token).toString();
    const rest = items().filter((item) => item > after);
    const page = rest.slice(0, size);
    return { items: page, token: rest.length > size ? Buffer.from(page.at(-1) ?? '') : new Uint8Array() };
  };
}

const placeOf = (item: string): string => item;
const text = (number: number): string => String(number).padStart(4, '0');

/** Lists whose items are all different, each sorted. */
const listsOf = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 100, max: 199 }), fc.integer({ min: 0, max: 2 })), {
    maxLength: 60,
    selector: ([item]) => item,
  })
  .map((pairs) => [0, 1, 2].map((of) => pairs.filter(([, at]) => at === of).map(([item]) => text(item))))
  .map((lists) => lists.map((items) => items.sort()));
const limitsOf = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 });

async function readAll(lists: string[][], limits: readonly number[], between: () => void): Promise<string[]> {
  const seen: string[] = [];
  let cursor: string | undefined;
  for (let page = 0; ; page++) {
    const limit = limits[page % limits.length] as number;
    const sources = lists.map((_, at) => source(() => lists[at] ?? [], limit));
    const { items, next } = await mergePages(sources, { limit, placeOf, ...(cursor ? { cursor } : {}) });
    expect(items.length).toBeLessThanOrEqual(limit);
    seen.push(...items);
    if (next === null) return seen;
    cursor = next;
    between();
  }
}

describe('pages of several lists', () => {
  it('give every item once, in order, whatever the sizes of pages are', async () => {
    await fc.assert(
      fc.asyncProperty(listsOf, limitsOf, async (lists, limits) => {
        expect(await readAll(lists, limits, () => undefined)).toEqual(lists.flat().sort());
      }),
    );
  });

  it('leave no item out while others come, go and move behind, and come to an end', async () => {
    await fc.assert(
      fc.asyncProperty(listsOf, limitsOf, fc.infiniteStream(fc.nat(1000)), async (lists, limits, choices) => {
        const all = lists.flat();
        const choose = (below: number): number => (choices.next().value as number) % below;
        let fresh = 99;
        let ended = 1000;
        const seen = await readAll(lists, limits, () => {
          const list = lists[choose(lists.length)] ?? [];
          if (fresh > 0) list.unshift(text(fresh--)); // a new job: before all
          // A job that ends is found behind all that run, before those that have ended: here with its old name.
          const moved = list[choose(list.length)] ?? '';
          if (moved < '0200') list.splice(list.indexOf(moved), 1, `${text(ended--)}-${moved}`);
          list.sort();
        });
        const told = seen.map((item) => item.split('-').at(-1));
        for (const item of all) expect(told).toContain(item);
      }),
    );
  });

  it('refuse a cursor that they did not give', async () => {
    for (const cursor of ['', 'nonsense', Buffer.from('[]').toString('base64url')]) {
      await expect(mergePages([source(() => ['1'], 1)], { limit: 1, cursor, placeOf })).rejects.toThrow(
        /cursor: must be/,
      );
    }
  });
});
