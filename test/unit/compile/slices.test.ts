import { describe, expect, it } from 'vitest';
import { atOnce, inSlices, type Pieces } from '../../../src/compile/slices.js';

/** Pieces that take a millisecond each. */
function* busy(pieces: number): Pieces<number> {
  for (let done = 0; done < pieces; done++) {
    for (const end = performance.now() + 1; performance.now() < end; );
    yield;
  }
  return pieces;
}

describe('work in slices', () => {
  it('lets others have a turn every few pieces, and gives the same value as at once', async () => {
    let turns = 0;
    let done = false;
    const watch = (): void => {
      turns += 1;
      if (!done) setImmediate(watch);
    };
    setImmediate(watch);
    expect(await inSlices(busy(50))).toBe(50);
    done = true;
    expect(turns).toBeGreaterThanOrEqual(5);
    expect(atOnce(busy(3))).toBe(3);
  });

  it('passes on what goes wrong in a piece', async () => {
    function* broken(): Pieces<number> {
      yield;
      throw new Error('broken');
    }
    await expect(inSlices(broken())).rejects.toThrow('broken');
    expect(() => atOnce(broken())).toThrow('broken');
  });
});
