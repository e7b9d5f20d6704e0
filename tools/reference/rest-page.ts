import { cell, fieldTable, type JsonSchema, linkTo, row, typeWords, whatOf } from './json-schema.js';

/** `docs/reference/rest.md`: every call of the API, from the OpenAPI document that the API makes of its schemas. */

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: JsonSchema;
  readonly example?: unknown;
}

interface Content {
  readonly schema?: JsonSchema;
  readonly example?: unknown;
}

interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly unknown[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Content>> };
  readonly responses: Readonly<
    Record<string, { readonly description?: string; readonly content?: Readonly<Record<string, Content>> }>
  >;
}

export interface OpenApiDocument {
  readonly tags?: readonly { readonly name: string; readonly description?: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> };
}

const head = `# REST reference

Every call with its parameters, bodies and answers, from the schemas that the API checks requests with: made by \`npm run reference\`, not by hand.
A running API has the same at \`/docs\`, \`/redoc\` and \`/openapi.json\`. How calls go together, with examples, stands in [rest](../rest.md), [graphs](../graphs.md)
and [workflows](../workflows.md). Calls with a key 🔑 need the token in the header \`x-api-key\`.`;

export function restPage({ tags = [], paths, components }: OpenApiDocument): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ call: `${method.toUpperCase()} ${path}`, operation })),
  );
  const groups = tags.map(({ name, description = '' }) => {
    const own = operations.filter(({ operation }) => operation.tags?.[0] === name);
    const index = own.map(({ call, operation }) =>
      row([`[\`${call}\`](#${anchorOf(call)})`, operation.security === undefined ? '' : '🔑', operation.summary ?? '']),
    );
    return [
      `## ${name[0]?.toUpperCase()}${name.slice(1)}`,
      description,
      ['| Call | | What |', '| --- | --- | --- |', ...index].join('\n'),
      ...own.map(({ call, operation }) => callSection(call, operation)),
    ].join('\n\n');
  });
  const shapes = Object.entries(components.schemas)
    .sort(([a], [b]) => a.localeCompare(b, 'en'))
    .map(([name, schema]) => shapeSection(name, schema));
  return `${[head, ...groups, '## Shapes', 'What goes in and comes out, by the names that the calls use.', ...shapes].join('\n\n')}\n`;
}

function anchorOf(call: string): string {
  return call
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');
}

function callSection(call: string, operation: Operation): string {
  const { summary = '', description = '', parameters = [], requestBody, responses } = operation;
  const parts = [`### ${call}`, `**${summary}.** ${description}`.trim()];
  if (parameters.length > 0) parts.push(parameterTable(parameters));
  for (const [type, content] of Object.entries(requestBody?.content ?? {})) parts.push(bodyText(type, content));
  const answers = Object.entries(responses).filter(([status]) => status.startsWith('2'));
  parts.push(answers.map(([status, answer]) => answerText(status, answer)).join('\n\n'));
  const errors = Object.entries(responses).filter(([status]) => /^[45]/.test(status));
  if (errors.length > 0) parts.push(`Errors: ${errorText(errors)}.`);
  return parts.join('\n\n');
}

function parameterTable(parameters: readonly Parameter[]): string {
  const places = ['path', 'query', 'header'];
  const rows = [...parameters]
    .sort((a, b) => places.indexOf(a.in) - places.indexOf(b.in))
    .map(({ name, in: place, required, description, schema = {}, example }) =>
      row([
        `\`${name}\``,
        place,
        typeWords(schema) + (required ? '' : ', optional'),
        cell(whatOf({ ...schema, ...(description === undefined ? {} : { description }) })),
        example === undefined ? '' : `\`${cell(JSON.stringify(example))}\``,
      ]),
    );
  return ['| Parameter | In | Type | What | Example |', '| --- | --- | --- | --- | --- |', ...rows].join('\n');
}

function bodyText(type: string, { schema = {} }: Content): string {
  const what = schema.$ref === undefined ? '' : `: ${linkTo(schema.$ref)}`;
  const more =
    type === 'multipart/form-data' && typeof schema.additionalProperties === 'object'
      ? ' Every further part is a file, under the name by which it is called.'
      : '';
  const table = Object.keys(schema.properties ?? {}).length === 0 ? '' : `\n\n${fieldTable(schema)}`;
  return `Body \`${type}\`${what}.${more}${table}`;
}

function answerText(status: string, { description = '', content = {} }: Operation['responses'][string]): string {
  const [[type, { schema = {} }] = ['', {} as Content]] = Object.entries(content);
  if (schema.$ref !== undefined) return `Answers ${status}: ${linkTo(schema.$ref)}.`;
  const said = `Answers ${status}${type === '' ? '' : `, \`${type}\``}: ${description}`;
  if (schema.properties !== undefined) return `${said}\n\n${fieldTable(schema)}`;
  const [example] = schema.examples ?? [];
  return typeof example === 'string' && example.includes('\n')
    ? `${said}\n\n\`\`\`text\n${example.trimEnd()}\n\`\`\``
    : said;
}

/** Statuses by the shape of their answer. */
function errorText(errors: readonly (readonly [string, Operation['responses'][string]])[]): string {
  const byShape = new Map<string, string[]>();
  for (const [status, { content = {} }] of errors) {
    const shape = Object.values(content)
      .map(({ schema }) => (schema === undefined ? '' : typeWords(schema)))
      .join(' or ');
    byShape.set(shape, [...(byShape.get(shape) ?? []), status]);
  }
  return [...byShape]
    .map(([shape, statuses]) => `${statuses.join(', ')}${shape === '' ? '' : ` (${shape})`}`)
    .join('; ');
}

function shapeSection(name: string, schema: JsonSchema): string {
  const parts = [`### ${name}`];
  if (schema.description !== undefined) parts.push(schema.description);
  parts.push(
    Object.keys(schema.properties ?? {}).length > 0
      ? fieldTable(schema)
      : `${typeWords({ ...schema, $ref: undefined as never })}.`,
  );
  const [example = schema.example] = schema.examples ?? [];
  if (example !== undefined) parts.push(`\`\`\`json\n${JSON.stringify(example, null, 2)}\n\`\`\``);
  return parts.join('\n\n');
}
