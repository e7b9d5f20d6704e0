/** Words and tables for the JSON schemas of the OpenAPI document. */

export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly $ref?: string;
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly example?: unknown;
  readonly default?: unknown;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly required?: readonly string[];
}

/** One row a field; fields of objects inside follow as `outer.inner`, of lists as `outer[].inner`. */
export function fieldTable(schema: JsonSchema): string {
  const rows = rowsOf(schema, '');
  const withExamples = rows.some(({ example }) => example !== '');
  const head = withExamples
    ? ['| Field | Type | What | Example |', '| --- | --- | --- | --- |']
    : ['| Field | Type | What |', '| --- | --- | --- |'];
  return [
    ...head,
    ...rows.map(({ name, type, what, example }) => row([name, type, what, ...(withExamples ? [example] : [])])),
  ].join('\n');
}

export function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

interface Row {
  readonly name: string;
  readonly type: string;
  readonly what: string;
  readonly example: string;
}

function rowsOf(schema: JsonSchema, prefix: string): Row[] {
  const { properties = {}, required = [] } = schema;
  return Object.entries(properties).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const row = {
      name: `\`${path}\``,
      type: typeWords(field) + (required.includes(name) || prefix !== '' ? '' : ', optional'),
      what: cell(whatOf(field)),
      example: examplesOf(field),
    };
    const inner = innerObject(field);
    return [row, ...(inner === null ? [] : rowsOf(inner.schema, `${path}${inner.list ? '[]' : ''}.`))];
  });
}

/** The object with fields of its own that a field is, or is a list of, be it null at times. */
function innerObject(schema: JsonSchema): { readonly schema: JsonSchema; readonly list: boolean } | null {
  const one = withoutNull(schema);
  if (one.properties !== undefined) return { schema: one, list: false };
  if (one.items?.properties !== undefined) return { schema: one.items, list: true };
  return null;
}

function withoutNull(schema: JsonSchema): JsonSchema {
  const [first, ...others] = (schema.anyOf ?? []).filter(({ type }) => type !== 'null');
  return first !== undefined && others.length === 0 ? first : schema;
}

export function whatOf(schema: JsonSchema): string {
  const fallback = schema.default === undefined ? '' : ` Default \`${JSON.stringify(schema.default)}\`.`;
  return `${schema.description ?? ''}${fallback}`.trim();
}

function examplesOf({ examples = [] }: JsonSchema): string {
  return examples.map((one) => `\`${cell(JSON.stringify(one))}\``).join('<br>');
}

export function typeWords(schema: JsonSchema): string {
  const [first = 'any JSON', ...others] = [...new Set(alternatives(schema))];
  return [first, ...others].join(' or ');
}

function alternatives(schema: JsonSchema): string[] {
  if (schema.$ref !== undefined) return [linkTo(schema.$ref)];
  if (schema.enum !== undefined) return [schema.enum.map((value) => `\`${String(value)}\``).join(', ')];
  if (schema.const !== undefined) return [`\`${JSON.stringify(schema.const)}\``];
  const choices = schema.anyOf ?? schema.oneOf;
  // What takes texts, numbers, flags, lists and objects takes anything.
  if (choices !== undefined) return choices.length > 4 ? ['any JSON'] : choices.flatMap(alternatives);
  if (schema.type === 'array') return [`list of ${plural(typeWords(schema.items ?? {}))}`];
  if (schema.type === undefined) return ['any JSON'];
  if (typeof schema.type !== 'string') return schema.type.map((type) => wordOf({ ...schema, type }));
  return [wordOf(schema)];
}

function wordOf({ type, format, minimum, maximum, additionalProperties }: JsonSchema): string {
  switch (type) {
    case 'string':
      return format === 'binary' ? 'file' : 'text';
    case 'boolean':
      return 'true or false';
    case 'integer':
      return `whole number${rangeWords(minimum, maximum)}`;
    case 'object':
      return typeof additionalProperties === 'object' && Object.keys(additionalProperties).length > 0
        ? `object of ${plural(typeWords(additionalProperties))}`
        : 'object';
    default:
      return String(type);
  }
}

function rangeWords(minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER): string {
  const bounded = { from: minimum > Number.MIN_SAFE_INTEGER, to: maximum < Number.MAX_SAFE_INTEGER };
  if (bounded.from && bounded.to) return ` ${minimum}…${maximum}`;
  return bounded.from ? ` from ${minimum}` : bounded.to ? ` to ${maximum}` : '';
}

function plural(words: string): string {
  return /^(text|file|object|number|whole number)$/.test(words) ? `${words}s` : words;
}

export function linkTo(reference: string): string {
  const name = reference.split('/').at(-1) ?? '';
  return `[${name}](#${name.toLowerCase()})`;
}

export function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/g, ' ');
}
