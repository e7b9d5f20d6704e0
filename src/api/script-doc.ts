import type { Json } from '../contract/json.js';

/**
 * What the docstring of an entrypoint says, in parts, so that a form can be made of it:
 *
 *     Convert one file.                                        <- summary
 *
 *     Input: one 3D file.
 *     Params:
 *         extension (string, default "pxz"): format to write.
 *         size (int, pixels, required): of the pictures,
 *             in each direction.
 *     Output: {"output": …}
 *
 * Docstrings are free text: what is not understood is left out, and the text itself is shown beside the form.
 */
export interface ScriptDoc {
  readonly summary: string;
  readonly input: string | null;
  readonly output: string | null;
  readonly params: readonly ParamDoc[];
  /** What stands behind `Params:` itself, such as `none.` */
  readonly paramsNote: string | null;
}

export interface ParamDoc {
  readonly name: string;
  readonly type: ParamType;
  readonly default: Json;
  readonly required: boolean;
  readonly description: string;
  readonly choices: readonly Json[] | null;
}

export const paramTypes = ['string', 'integer', 'number', 'boolean', 'object', 'array', 'any'] as const;
type ParamType = (typeof paramTypes)[number];

export function parseScriptDoc(doc: string): ScriptDoc {
  const lines = doc.split('\n').map((line) => line.trimEnd());
  const sections = sectionsOf(lines);
  const params = sections.get('params');
  return {
    summary: firstParagraph(lines),
    input: textOf(sections.get('input')),
    output: textOf(sections.get('output')),
    params: params === undefined ? [] : items(params.lines),
    paramsNote: params?.head || null,
  };
}

interface Section {
  /** Behind the colon. */
  readonly head: string;
  readonly lines: string[];
}

const headings: Readonly<Record<string, string>> = {
  param: 'params',
  params: 'params',
  parameters: 'params',
  args: 'params',
  arguments: 'params',
  input: 'input',
  inputs: 'input',
  output: 'output',
  outputs: 'output',
  returns: 'output',
};

/** A section begins with `Word:` at the left edge, and goes on until the next one. */
function sectionsOf(lines: readonly string[]): Map<string, Section> {
  const sections = new Map<string, Section>();
  let current: Section | null = null;
  for (const line of lines) {
    const [, word, head] = /^([A-Z][A-Za-z]*):(?:\s+(.*))?$/.exec(line) ?? [];
    if (word !== undefined) {
      current = { head: head ?? '', lines: [] };
      const name = headings[word.toLowerCase()];
      if (name !== undefined && !sections.has(name)) sections.set(name, current);
    } else {
      current?.lines.push(line);
    }
  }
  return sections;
}

function firstParagraph(lines: readonly string[]): string {
  const end = lines.indexOf('');
  return lines
    .slice(0, end < 0 ? lines.length : end)
    .join(' ')
    .trim();
}

/** Up to the first empty line: what comes after belongs to nobody. */
function textOf(section: Section | undefined): string | null {
  if (section === undefined) return null;
  const end = section.lines.indexOf('');
  const more = section.lines.slice(0, end < 0 ? section.lines.length : end).map((line) => line.trim());
  return [section.head, ...more].join(' ').trim() || null;
}

function items(lines: readonly string[]): ParamDoc[] {
  const indented = lines.filter((line) => /^\s+\S/.test(line));
  const indent = Math.min(...indented.map(indentOf));
  const texts: string[] = [];
  for (const line of indented) {
    if (indentOf(line) === indent) texts.push(line.trim());
    else if (texts.length > 0) texts.push(`${texts.pop()} ${line.trim()}`);
  }
  return texts.flatMap(paramsOf);
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

/** `width, height (int, default 512): …` is two. */
function paramsOf(text: string): ParamDoc[] {
  const [, names, inside, description] =
    /^["'`]?(\w+(?:["'`]?, ["'`]?\w+)*)["'`]?\s*(?:\(((?:[^()]|\([^()]*\))*)\))?\s*:\s*(.*)$/.exec(text) ?? [];
  if (names === undefined) return [];
  const facts = factsOf(inside ?? '');
  const shown = [facts.unit, description].filter((part) => part).join('; ');
  return names.split(/["'`]?, ["'`]?/).map((name) => ({
    name,
    type: facts.type,
    default: facts.default,
    required: facts.required,
    description: shown,
    choices: facts.choices,
  }));
}

interface Facts {
  readonly type: ParamType;
  readonly default: Json;
  readonly required: boolean;
  readonly choices: readonly Json[] | null;
  /** Words that are none of these. */
  readonly unit: string;
}

const typeWords: Readonly<Record<string, ParamType>> = {
  str: 'string',
  string: 'string',
  text: 'string',
  path: 'string',
  int: 'integer',
  integer: 'integer',
  float: 'number',
  number: 'number',
  double: 'number',
  bool: 'boolean',
  boolean: 'boolean',
  dict: 'object',
  object: 'object',
  list: 'array',
  array: 'array',
};

/** `string, default "pxz"`, `int, pixels, required`, `"cpu" | "gpu"`. */
function factsOf(inside: string): Facts {
  let type: ParamType | null = null;
  let fallback: Json = null;
  let required = false;
  let choices: readonly Json[] | null = null;
  const unit: string[] = [];
  for (const part of atCommas(inside)) {
    const [, value] = /^default(?:s to|:|=)?\s+(.*)$/i.exec(part) ?? [];
    if (value !== undefined) fallback = valueOf(value);
    else if (/^required$/i.test(part)) required = true;
    else if (/^optional$/i.test(part)) required = false;
    else if (part.includes('|') || /^one of /i.test(part)) choices = choicesOf(part);
    else if (type === null && typeWords[part.toLowerCase()] !== undefined) type = typeWords[part.toLowerCase()] ?? null;
    else unit.push(part);
  }
  const told = type ?? typeOf(choices?.[0] ?? fallback);
  return { type: told, default: fallback, required, choices, unit: unit.join(', ') };
}

function choicesOf(part: string): readonly Json[] {
  return part
    .replace(/^one of /i, '')
    .split(/\s*\|\s*|\s*\/\s*/)
    .map(valueOf);
}

function typeOf(value: Json): ParamType {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  if (Array.isArray(value)) return 'array';
  return value === null ? 'any' : 'object';
}

const pythonWords: Readonly<Record<string, Json>> = { True: true, False: false, None: null };

function valueOf(text: string): Json {
  const bare = text.trim();
  if (bare in pythonWords) return pythonWords[bare] ?? null;
  try {
    return JSON.parse(bare.replace(/^'(.*)'$/, '"$1"')) as Json;
  } catch {
    return bare;
  }
}

/** At commas that stand in no quotes and no brackets. */
function atCommas(text: string): string[] {
  const parts: string[] = [];
  let part = '';
  let depth = 0;
  let quote: string | null = null;
  for (const letter of text) {
    if (quote !== null) quote = letter === quote ? null : quote;
    else if (letter === '"' || letter === "'") quote = letter;
    else if ('[{('.includes(letter)) depth += 1;
    else if (']})'.includes(letter)) depth -= 1;
    if (letter === ',' && depth === 0 && quote === null) {
      parts.push(part.trim());
      part = '';
    } else {
      part += letter;
    }
  }
  return [...parts, part.trim()].filter((one) => one !== '');
}
