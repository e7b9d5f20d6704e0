import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { type Class, type Comment, type Node, parseSync, type Statement } from 'oxc-parser';
import { projectRoot } from '../../src/config/project-root.js';
import { linkTo, row } from './json-schema.js';

/**
 * `docs/reference/typescript.md`: what the entry points of the package export, as declarations with their comments.
 *
 * Read from the sources with a parser: typedoc and its like need the compiler API of TypeScript 5 or 6, and this project
 * is compiled with 7, which has none.
 */

export interface EntryPoint {
  /** `pixyz-temporal-scheduler/client`. */
  readonly name: string;
  /** From the root of the project. */
  readonly file: string;
  readonly intro: string;
}

interface Exported {
  readonly name: string;
  readonly declaration: Statement;
  readonly file: SourceFile;
}

interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly body: readonly Statement[];
  readonly comments: readonly Comment[];
}

const head = `# TypeScript reference

What the entry points of the package export, with the comments of the sources: made by \`npm run reference\`, not by hand. How they are used stands in
[cli](../cli.md#from-typescript) for the client and in [workflows](../workflows.md) for workflow files.`;

export async function typescriptPage(entries: readonly EntryPoint[]): Promise<string> {
  const sections = await Promise.all(entries.map(entrySection));
  return `${[head, ...sections].join('\n\n')}\n`;
}

async function entrySection({ name, file, intro }: EntryPoint): Promise<string> {
  const found = exportsOf(parsed(join(projectRoot, file)));
  const shapes: string[] = [];
  const declared: string[] = [];
  for (const one of found.own.sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name, 'en'))) {
    const shape = await shapeOf(one);
    if (shape !== null) shapes.push(row([`\`${one.name}\``, shape]));
    else declared.push(`### ${one.name}\n\n\`\`\`ts\n${declarationText(one)}\n\`\`\``);
  }
  const parts = [`## ${name}`, intro, ...declared];
  if (shapes.length > 0)
    parts.push(
      `### Shapes of ${name}`,
      'Types of what the API takes and answers, inferred from its schemas:',
      ['| Type | Shape |', '| --- | --- |', ...shapes].join('\n'),
    );
  if (found.foreign.length > 0)
    parts.push(
      `### From Temporal`,
      "The same as in Temporal's own packages, whose [documentation](https://typescript.temporal.io) tells of them:",
      found.foreign
        .sort()
        .map((other) => `\`${other}\``)
        .join(', '),
    );
  return parts.join('\n\n');
}

/** Classes first, then functions, then types. */
function rank({ declaration }: Exported): number {
  const order = ['ClassDeclaration', 'FunctionDeclaration'];
  const at = order.indexOf(inner(declaration).type);
  return at < 0 ? order.length : at;
}

const files = new Map<string, SourceFile>();

function parsed(path: string): SourceFile {
  const known = files.get(path);
  if (known !== undefined) return known;
  const text = readFileSync(path, 'utf8');
  const { program, comments, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`);
  const file = { path, text, body: program.body as readonly Statement[], comments };
  files.set(path, file);
  return file;
}

/** What a file exports, re-exports followed to where they are declared. */
function exportsOf(file: SourceFile): { readonly own: Exported[]; readonly foreign: string[] } {
  const own: Exported[] = [];
  const foreign: string[] = [];
  for (const statement of file.body) {
    if (statement.type === 'ExportAllDeclaration') {
      own.push(...exportsOf(parsed(resolved(file, statement.source.value))).own);
    } else if (statement.type === 'ExportNamedDeclaration') {
      if (statement.declaration !== null && 'id' in statement.declaration)
        own.push({ name: nameOf(statement.declaration.id), declaration: statement, file });
      for (const { local, exported } of statement.specifiers) {
        const name = nameOf(exported);
        const source = statement.source?.value;
        if (source === undefined || !source.startsWith('.')) foreign.push(name);
        else own.push(renamed(declarationOf(resolved(file, source), nameOf(local)), name));
      }
    }
  }
  return { own, foreign };
}

const renamed = (exported: Exported, name: string): Exported => ({ ...exported, name });

function declarationOf(path: string, name: string): Exported {
  const found = exportsOf(parsed(path)).own.find((one) => one.name === name);
  if (found === undefined) throw new Error(`${relative(projectRoot, path)} declares no ${name}`);
  return found;
}

const resolved = (from: SourceFile, source: string) => join(dirname(from.path), source.replace(/\.js$/, '.ts'));

function nameOf(node: unknown): string {
  const { name, value } = node as { name?: string; value?: string };
  return name ?? value ?? '';
}

const inner = (statement: Statement): Node =>
  statement.type === 'ExportNamedDeclaration' && statement.declaration !== null ? statement.declaration : statement;

/** The name of a schema that a type is inferred from, linked; null for types that are written out. */
async function shapeOf({ declaration, file }: Exported): Promise<string | null> {
  const node = inner(declaration);
  const [, schema] =
    /^z\.\w+<typeof (\w+)>$/.exec(
      node.type === 'TSTypeAliasDeclaration' ? file.text.slice(node.typeAnnotation.start, node.typeAnnotation.end) : '',
    ) ?? [];
  if (schema === undefined) return null;
  const id = await schemaId(file, schema);
  return id === undefined ? null : linkTo(id).replace('(#', '(rest.md#');
}

async function schemaId(file: SourceFile, schema: string): Promise<string | undefined> {
  const imported = file.body.find(
    (one) => one.type === 'ImportDeclaration' && one.specifiers.some(({ local }) => local.name === schema),
  );
  const path = imported?.type === 'ImportDeclaration' ? resolved(file, imported.source.value) : file.path;
  const module = (await import(path)) as Record<string, { meta?(): { id?: string } | undefined }>;
  return module[schema]?.meta?.()?.id;
}

function declarationText({ name, declaration, file }: Exported): string {
  const node = inner(declaration);
  const comment = commentBefore(file, declaration.start);
  const text = node.type === 'ClassDeclaration' ? classText(node, file) : withoutBody(node, file);
  // As it is called from outside, whatever it is called where it is declared.
  const declared = 'id' in node ? nameOf(node.id) : name;
  return comment + (declared === name ? text : text.replace(new RegExp(`\\b${declared}\\b`), name));
}

function classText(node: Class, file: SourceFile): string {
  const members = node.body.body
    .filter((member) => isPublic(member) && !isBareOverride(member, file))
    .map((member) => {
      const text = `${commentBefore(file, member.start)}${withoutBody(member, file)}`;
      return `  ${text.replaceAll(/\n {2}(?=\S)/g, '\n  ')}`;
    });
  return `${file.text.slice(node.start, node.body.start).trim()} {\n${members.join('\n')}\n}`;
}

function isPublic(member: Class['body']['body'][number]): boolean {
  if (member.type === 'StaticBlock' || !('key' in member)) return false;
  if (member.key.type === 'PrivateIdentifier') return false;
  return !('accessibility' in member) || (member.accessibility !== 'private' && member.accessibility !== 'protected');
}

/** Says again what the class it extends says, such as the name of an error. */
function isBareOverride(member: Class['body']['body'][number], file: SourceFile): boolean {
  return 'override' in member && member.override === true && commentBefore(file, member.start) === '';
}

/** A declaration without what it does: no function body, no value. */
function withoutBody(node: Node, file: SourceFile): string {
  const { start, end } = node;
  const body =
    node.type === 'FunctionDeclaration'
      ? node.body
      : node.type === 'MethodDefinition'
        ? node.value.body
        : node.type === 'PropertyDefinition'
          ? node.value
          : null;
  if (body === null) return file.text.slice(start, end);
  const head = file.text
    .slice(start, body.start)
    .replace(/\s*=?\s*$/, '')
    .replace(/\basync \*?(?=[\w[])/, '');
  return `${head};`;
}

/** The documentation comment that ends right before a place, with a line of its own. */
function commentBefore(file: SourceFile, at: number): string {
  const comment = file.comments.findLast(({ type, end }) => type === 'Block' && end <= at);
  if (comment === undefined || !comment.value.startsWith('*')) return '';
  if (file.text.slice(comment.end, at).trim() !== '') return '';
  const indent = /[ \t]*$/.exec(file.text.slice(0, comment.start))?.[0] ?? '';
  return `${file.text.slice(comment.start, comment.end)}\n${indent}`;
}
