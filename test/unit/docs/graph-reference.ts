import { z } from 'zod';

/** The reference of a request in `docs/graphs.md`, made from its schema: a row for each field. */

interface JsonSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
}

export function referenceTable(schema: z.ZodType): string {
  const root = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  const definitions = root.$defs ?? {};
  const followed = (one: JsonSchema): JsonSchema => definitions[one.$ref?.split('/').at(-1) ?? ''] ?? one;
  const { properties = {}, required = [] } = followed(root);
  const rows = Object.entries(properties).map(([name, field]) => {
    const example = field.examples?.map((one) => `\`${cell(JSON.stringify(one))}\``).join('<br>') ?? '';
    const need = required.includes(name) ? ' (required)' : '';
    const what = field.description ?? followed(field).description ?? '';
    return `| \`${name}\` | ${typeWord(followed(field))}${need} | ${cell(what)} | ${example} |`;
  });
  return ['| Field | Type | What | Example |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function typeWord(schema: JsonSchema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.anyOf !== undefined && schema.anyOf.length > 4) return 'any JSON';
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(typeWord))].join(' or ');
  if (schema.$ref !== undefined) return 'object';
  if (schema.type === 'array') return `list of ${plural(typeWord(schema.items ?? {}))}`;
  if (schema.type === undefined) return 'any JSON';
  return (
    { string: 'text', boolean: 'true or false', integer: 'whole number', number: 'number', object: 'object' }[
      schema.type
    ] ?? schema.type
  );
}

function plural(word: string): string {
  return word === 'text' || word === 'any JSON'
    ? `${word}s`
    : word.endsWith('number') || word === 'object'
      ? `${word}s`
      : word;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
