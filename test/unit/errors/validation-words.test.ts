import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { useValidationWords } from '../../../src/errors/validation-words.js';

beforeAll(useValidationWords);

test.each([
  [z.string(), undefined, 'is missing'],
  [z.string(), 5, 'must be a text'],
  [z.number(), 'five', 'must be a number'],
  [z.int(), 1.5, 'must be a whole number'],
  [z.boolean(), 'yes', 'must be true or false'],
  [z.array(z.string()), {}, 'must be a list'],
  [z.object({}), [], 'must be an object'],
  [z.record(z.string(), z.string()), 'a', 'must be an object'],
  [z.number().max(10), 11, 'must be at most 10'],
  [z.number().lt(10), 10, 'must be less than 10'],
  [z.number().min(2), 1, 'must be at least 2'],
  [z.number().gt(0), 0, 'must be more than 0'],
  [z.number().multipleOf(4), 3, 'must be a multiple of 4'],
  [z.string().max(3), 'four', 'must have at most 3 characters'],
  [z.string().min(1), '', 'must not be empty'],
  [z.array(z.string()).max(1), ['a', 'b'], 'must have at most 1 entries'],
  [z.enum(['a', 'b']), 'c', 'must be one of a, b'],
  [z.literal(true), false, 'must be true'],
  [z.strictObject({}), { a: 1 }, 'there is no field "a"'],
  [z.uuid(), 'x', 'must be a UUID'],
  [z.string().regex(/^a+$/), 'b', 'must have the form /^a+$/'],
  [z.record(z.string().regex(/^a+$/, 'is no name'), z.string()), { b: 'x' }, 'is no name'],
  [z.union([z.string(), z.number()]), true, 'has none of the forms that are allowed here'],
])('%#: a rule is told in words that a user knows', (schema: z.ZodType, value, words) => {
  expect(schema.safeParse(value).error?.issues[0]?.message).toBe(words);
});

test('a rule with a sentence of its own keeps it', () => {
  expect(z.string({ error: 'a name is needed' }).safeParse(5).error?.issues[0]?.message).toBe('a name is needed');
  expect(z.string().min(1, 'a name is needed').safeParse('').error?.issues[0]?.message).toBe('a name is needed');
});
