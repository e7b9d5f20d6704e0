import { readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { CliError, exitCodes } from './exit-codes.js';

/** A graph as it is sent: the document as it was written, and the files that it names. */
export interface GraphInput {
  readonly text: string;
  readonly document: Readonly<Record<string, unknown>>;
  readonly files: Readonly<Record<string, string>>;
}

/**
 * Reads a graph document. Files that its nodes name are those given with `-f name=path`, else those of that name beside
 * the document, with `.py` for scripts.
 */
export function readGraph(path: string, given: readonly string[], cwd: string): GraphInput {
  const text = readText(path, cwd);
  const document = parse(path, text);
  const folder = path === '-' ? cwd : dirname(resolve(cwd, path));
  const files: Record<string, string> = {};
  for (const { name, endings } of namedFiles(document)) {
    const beside = endings.map((ending) => join(folder, `${name}${ending}`)).find(isFile);
    if (beside !== undefined) files[name] = beside;
  }
  return { text, document, files: { ...files, ...givenFiles(given, cwd) } };
}

/** `name=path` */
export function givenFiles(given: readonly string[], cwd: string): Record<string, string> {
  return Object.fromEntries(
    given.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1)
        throw new CliError(`-f ${pair}: it is name=path, with the name by which nodes call the file`, exitCodes.usage);
      const path = resolve(cwd, pair.slice(at + 1));
      if (!isFile(path)) throw new CliError(`-f ${pair}: there is no such file`, exitCodes.usage);
      return [pair.slice(0, at), path];
    }),
  );
}

function namedFiles(document: Readonly<Record<string, unknown>>) {
  const { nodes, defaults } = document;
  const all = [defaults, ...(Array.isArray(nodes) ? nodes : [])].filter(
    (node): node is Record<string, unknown> => typeof node === 'object' && node !== null,
  );
  const names = (key: string) => [...new Set(all.map((node) => node[key]))].filter((name) => typeof name === 'string');
  return [
    ...names('script').map((name) => ({ name, endings: ['', '.py'] })),
    ...names('data').map((name) => ({ name, endings: [''] })),
  ];
}

function readText(path: string, cwd: string): string {
  try {
    return readFileSync(path === '-' ? 0 : resolve(cwd, path), 'utf8');
  } catch (error) {
    throw new CliError(`${path} cannot be read: ${(error as Error).message}`, exitCodes.usage);
  }
}

function parse(path: string, text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new CliError(`${path} is no JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new CliError(`${path} is no graph: it has to be a JSON object with "nodes"`);
  return value as Record<string, unknown>;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
