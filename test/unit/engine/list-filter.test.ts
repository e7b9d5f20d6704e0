import { expect, test } from 'vitest';
import { listFilter } from '../../../src/engine/list-filter.js';

const failed = { states: ['FAILURE'] } as const;

test('jobs of graphs are looked for whatever became of their graph, unless they are not wanted', () => {
  expect(listFilter(failed)).toContain("OR ExecutionStatus = 'TimedOut') OR PixyzGraph IS NOT NULL)");
  expect(listFilter({ ...failed, graphs: false })).toMatch(/PixyzGraph IS NULL AND .*'TimedOut'\)\)$/);
  expect(listFilter({ ...failed, graphs: true })).toMatch(/PixyzGraph IS NOT NULL$/);
});
