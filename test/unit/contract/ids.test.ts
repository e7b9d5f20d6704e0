import { describe, expect, it } from 'vitest';
import { graphIdOf, isUuid, jobIdOf, nodeIndexOf } from '../../../src/contract/ids.js';
import { graphIdFromKey, newGraphId } from '../../../src/contract/new-graph-id.js';
import { shortText } from '../../../src/contract/short-text.js';
import { utcWithOffset, utcWithoutOffset } from '../../../src/contract/time.js';

describe('ids', () => {
  it('a job id tells its graph and its node', () => {
    const graphId = newGraphId();
    for (const index of [1, 15, 10_000, 0xffff_ffff]) {
      const jobId = jobIdOf(graphId, index);
      expect(isUuid(jobId)).toBe(true);
      expect(graphIdOf(jobId)).toBe(graphId);
      expect(nodeIndexOf(jobId)).toBe(index);
    }
  });

  it('a node number that the id cannot hold is refused', () => {
    for (const index of [0, -1, 1.5, 2 ** 32]) expect(() => jobIdOf(newGraphId(), index)).toThrow(RangeError);
  });

  it('the same key gives the same graph id, a valid version 4 UUID', () => {
    expect(graphIdFromKey('a')).toBe(graphIdFromKey('a'));
    expect(graphIdFromKey('a')).not.toBe(graphIdFromKey('b'));
    for (const key of ['a', 'b', 'c', 'd'])
      expect(graphIdFromKey(key)).toMatch(
        /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{4}00000000$/,
      );
  });
});

describe('times', () => {
  it('have microseconds, and no fraction when it is zero', () => {
    expect(utcWithoutOffset(Date.UTC(2026, 10, 21, 11, 49, 5) + 570.674)).toBe('2026-11-21T11:49:05.570674');
    expect(utcWithOffset(Date.UTC(2026, 10, 21, 11, 49, 5))).toBe('2026-11-21T11:49:05+00:00');
  });
});

describe('names in labels', () => {
  it('stay as they are while they are short, and are cut at a character when they are not', () => {
    expect(shortText('bracket "Größe" 支架')).toBe('bracket "Größe" 支架');
    expect(shortText(null)).toBe(null);
    for (const character of ['x', 'ö', '支', '🔩']) {
      const cut = shortText(character.repeat(500));
      expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(200);
      expect(cut).toMatch(new RegExp(`^(${character})+…$`, 'u'));
    }
  });
});
