/** The parts of an OpenAPI document that the page shows. */
export interface ApiDocument {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string };
  readonly tags?: readonly { readonly name: string; readonly description?: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}

interface Operation {
  readonly tags?: readonly string[];
  readonly summary?: string;
  readonly description?: string;
  readonly security?: readonly object[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly description?: string;
    readonly schema?: Schema;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema?: Schema }>> };
  readonly responses?: Readonly<
    Record<
      string,
      { readonly description?: string; readonly content?: Readonly<Record<string, { readonly schema?: Schema }>> }
    >
  >;
}

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

/**
 * The reference as one page that loads nothing else: no script, no font, no network. Made from the OpenAPI document, so it
 * cannot say anything that the API does not do.
 */
export function renderReference(document: ApiDocument): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation, id: anchor(method, path) })),
  );
  const tags = document.tags ?? [];
  const byTag = (tag: string) => operations.filter(({ operation }) => (operation.tags ?? []).includes(tag));
  const schemas = Object.entries(document.components?.schemas ?? {});
  const navigation = tags.map(
    (tag) =>
      `<h2>${text(tag.name)}</h2><ul>${byTag(tag.name)
        .map(({ id, method, path }) => `<li><a href="#${id}"><b>${method}</b> ${text(path)}</a></li>`)
        .join('')}</ul>`,
  );
  const sections = tags.map(
    (tag) =>
      `<section><h2>${text(tag.name)}</h2><p>${text(tag.description ?? '')}</p>${byTag(tag.name)
        .map((item) => renderOperation(item))
        .join('')}</section>`,
  );
  const models = schemas.map(
    ([name, schema]) => `<article id="schema-${text(name)}"><h3>${text(name)}</h3>${renderSchema(schema)}</article>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(document.info.title)} reference</title><style>${styles}</style></head>
<body><nav><h1>${text(document.info.title)} <small>${text(document.info.version)}</small></h1>${navigation.join('')}
<h2>schemas</h2><ul>${schemas.map(([name]) => `<li><a href="#schema-${text(name)}">${text(name)}</a></li>`).join('')}</ul></nav>
<main><p>${text(document.info.description ?? '')}</p><p><a href="openapi.json">openapi.json</a> · <a href="docs">try it out</a></p>
${sections.join('\n')}<section><h2>schemas</h2>${models.join('\n')}</section></main></body></html>
`;
}

function renderOperation(item: { path: string; method: string; operation: Operation; id: string }): string {
  const { path, method, operation, id } = item;
  const parameters = (operation.parameters ?? []).map(
    (parameter) =>
      `<tr><td><code>${text(parameter.name)}</code></td><td>${text(parameter.in)}${parameter.required ? ', required' : ''}</td>` +
      `<td>${typeOf(parameter.schema)}</td><td>${text(parameter.description ?? parameter.schema?.description ?? '')}</td></tr>`,
  );
  const bodies = Object.entries(operation.requestBody?.content ?? {}).map(
    ([type, { schema }]) => `<h4>Body <small>${text(type)}</small></h4>${schema ? renderSchema(schema) : ''}`,
  );
  const answers = Object.entries(operation.responses ?? {}).map(([status, answer]) => {
    const contents = Object.entries(answer.content ?? {}).map(
      ([type, { schema }]) =>
        `<small>${text(type)}</small> ${schema ? typeOf(schema) : ''}${schema ? exampleOf(schema) : ''}`,
    );
    const words = answer.description === 'Default Response' ? '' : (answer.description ?? '');
    return `<tr><td><b class="s${status.charAt(0)}">${text(status)}</b></td><td>${text(words)} ${contents.join('')}</td></tr>`;
  });
  return `<article id="${id}"><h3><b class="m ${method}">${method}</b> <code>${text(path)}</code>${operation.security ? ' <small>token</small>' : ''}</h3>
<p><strong>${text(operation.summary ?? '')}</strong></p><p>${text(operation.description ?? '')}</p>
${parameters.length > 0 ? `<h4>Parameters</h4><table>${parameters.join('')}</table>` : ''}${bodies.join('')}
<h4>Answers</h4><table>${answers.join('')}</table></article>`;
}

function renderSchema(schema: Schema): string {
  const required = new Set(schema.required ?? []);
  const rows = Object.entries(schema.properties ?? {}).map(
    ([name, property]) =>
      `<tr><td><code>${text(name)}</code>${required.has(name) ? '' : ' <small>optional</small>'}</td>` +
      `<td>${typeOf(property)}</td><td>${text(property.description ?? '')}${defaultOf(property)}</td></tr>`,
  );
  const table = rows.length > 0 ? `<table>${rows.join('')}</table>` : `<p>${typeOf(schema)}</p>`;
  return `<p>${text(schema.description ?? '')}</p>${table}${exampleOf(schema)}`;
}

function typeOf(schema: Schema | undefined): string {
  if (schema === undefined) return '';
  if (schema.$ref !== undefined) {
    const name = text(schema.$ref.split('/').at(-1) ?? '');
    return `<a href="#schema-${name}">${name}</a>`;
  }
  if (schema.enum !== undefined)
    return schema.enum.map((value) => `<code>${text(JSON.stringify(value))}</code>`).join(' | ');
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives !== undefined) return alternatives.map(typeOf).join(' | ');
  if (schema.items !== undefined) return `list of ${typeOf(schema.items)}`;
  const type = [schema.type ?? 'any'].flat().join(' | ');
  return text(schema.format === undefined ? type : `${type} (${schema.format})`);
}

function defaultOf(schema: Schema): string {
  return schema.default === undefined ? '' : ` <small>default ${text(JSON.stringify(schema.default))}</small>`;
}

function exampleOf(schema: Schema): string {
  return (schema.examples ?? [])
    .map((example) => `<pre>${text(typeof example === 'string' ? example : JSON.stringify(example, null, 2))}</pre>`)
    .join('');
}

function anchor(method: string, path: string): string {
  return `${method}${path.replace(/[^A-Za-z0-9]+/g, '-')}`;
}

function text(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

const styles = `
:root{color-scheme:light dark;--line:#8884;--soft:#8881;--link:#2563eb}
*{box-sizing:border-box}body{margin:0;font:15px/1.5 system-ui,sans-serif;display:flex}
nav{width:20rem;height:100vh;position:sticky;top:0;overflow:auto;padding:1rem;border-right:1px solid var(--line);flex:none}
nav h1{font-size:1.1rem}nav h2{font-size:.8rem;text-transform:uppercase;letter-spacing:.05em;opacity:.7;margin:1rem 0 .25rem}
nav ul{list-style:none;margin:0;padding:0;font-size:.85rem}nav b{display:inline-block;width:3.6em;text-transform:uppercase;font-size:.7rem}
main{padding:1rem 2rem;max-width:70rem;min-width:0}a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}
article{border:1px solid var(--line);border-radius:8px;padding:0 1rem 1rem;margin:1rem 0;scroll-margin-top:1rem}
table{border-collapse:collapse;width:100%}td{border-top:1px solid var(--line);padding:.3rem .5rem;vertical-align:top}
pre{background:var(--soft);padding:.6rem;border-radius:6px;overflow:auto;font-size:.8rem;white-space:pre-wrap}
h4{margin:.8rem 0 .2rem}small{opacity:.7}.m{text-transform:uppercase;font-size:.75rem;padding:.1rem .4rem;border-radius:4px;background:var(--soft)}
.get{color:#15803d}.post{color:#2563eb}.delete{color:#b91c1c}.s2{color:#15803d}.s4,.s5{color:#b91c1c}
@media(max-width:800px){body{display:block}nav{width:auto;height:auto;position:static}}
`;
