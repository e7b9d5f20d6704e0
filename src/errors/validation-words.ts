import { z } from 'zod';

/**
 * What is wrong with a value, in the words that a user of the API or of the settings reads, for every rule that has no
 * sentence of its own. Those of the library speak to programmers: "Too big: expected number to be <=65535".
 */
export function useValidationWords(): void {
  z.config({ customError: sentence });
}

function sentence(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is missing' : `must be ${kinds[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`;
    case 'too_big':
      return `must ${sized(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum)}`;
    case 'too_small':
      if (issue.minimum === 1 && sizes[issue.origin] !== undefined) return 'must not be empty';
      return `must ${sized(issue.origin, issue.inclusive === false ? 'more than' : 'at least', issue.minimum)}`;
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'unrecognized_keys':
      return `there is no ${issue.keys.length === 1 ? 'field' : 'fields'} ${issue.keys.map((key) => `"${key}"`).join(', ')}`;
    case 'invalid_format':
      return formats[issue.format] ?? (issue.pattern === undefined ? undefined : `must have the form ${issue.pattern}`);
    case 'invalid_key':
      return issue.issues[0]?.message;
    case 'invalid_union':
      return 'has none of the forms that are allowed here';
    default:
      return undefined;
  }
}

const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  bigint: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
  date: 'a time',
};

const formats: Readonly<Record<string, string>> = {
  uuid: 'must be a UUID',
  guid: 'must be a UUID',
  url: 'must be a web address',
  datetime: 'must be a time such as 2026-11-21T18:00:00Z',
  date: 'must be a day such as 2026-11-21',
  json_string: 'must be JSON',
};

/** What is counted where a size is too large or too small; without an entry it is the value itself. */
const sizes: Readonly<Record<string, string>> = {
  string: 'characters',
  array: 'entries',
  set: 'entries',
  object: 'fields',
  record: 'fields',
  map: 'entries',
  file: 'bytes',
};

function sized(origin: string, how: string, limit: number | bigint): string {
  const what = sizes[origin];
  return what === undefined ? `be ${how} ${limit}` : `have ${how} ${limit} ${what}`;
}
