import type { Param } from './entry-facts.js';

/** What was typed into the fields of a form, by parameter; empty: not given. */
export type Typed = Readonly<Record<string, string>>;

export interface ParamsText {
  /** JSON text for the API: numbers keep their digits. */
  readonly text: string;
  readonly problems: Readonly<Record<string, string>>;
}

/** From fields to JSON. What is not given is left out: the script then takes its default. */
export function paramsText(params: readonly Param[], typed: Typed): ParamsText {
  const problems: Record<string, string> = {};
  const parts: string[] = [];
  for (const param of params) {
    const value = typed[param.name] ?? '';
    if (value === '') {
      if (param.required) problems[param.name] = 'is needed';
      continue;
    }
    const json = jsonOf(param, value);
    if (json === null) problems[param.name] = kinds[param.type];
    else parts.push(`${JSON.stringify(param.name)}: ${json}`);
  }
  return { text: `{${parts.join(', ')}}`, problems };
}

const kinds: Readonly<Record<Param['type'], string>> = {
  string: 'must be a text',
  integer: 'must be a whole number',
  number: 'must be a number',
  boolean: 'must be true or false',
  object: 'must be a JSON object, such as {"key": "value"}',
  array: 'must be a JSON list, such as [1, 2]',
  any: 'must be JSON: a text needs quotes',
};

function jsonOf({ type, choices }: Param, value: string): string | null {
  if (choices !== null) return value;
  if (type === 'string') return JSON.stringify(value);
  const text = value.trim();
  if (type === 'integer') return /^-?\d+$/.test(text) ? text.replace(/^(-?)0+(?=\d)/, '$1') : null;
  if (type === 'boolean') return text === 'true' || text === 'false' ? text : null;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return null;
  }
  if (type === 'number') return typeof parsed === 'number' ? text : null;
  if (type === 'array') return Array.isArray(parsed) ? text : null;
  if (type === 'object') return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? text : null;
  return text;
}
