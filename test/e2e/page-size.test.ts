import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/config/project-root.js';

/** The size of the page's JavaScript, as browsers fetch it, held to the budgets that `docs/page.md` states. */

interface Chunk {
  readonly file: string;
  readonly imports?: readonly string[];
}

const page = join(projectRoot, 'dist', 'web');
const chunks = JSON.parse(readFileSync(join(page, 'manifest.json'), 'utf8')) as Record<string, Chunk>;

/** A chunk with all that it needs before it can run. */
function withImports(name: string, found = new Set<string>()): Set<string> {
  if (found.has(name)) return found;
  found.add(name);
  for (const other of chunks[name]?.imports ?? []) withImports(other, found);
  return found;
}

/** Bytes over the wire: small files are sent as they are. */
function bytes(names: Iterable<string>): number {
  return [...names]
    .map((name) => join(page, (chunks[name] as Chunk).file))
    .reduce((sum, file) => sum + statSync(existsSync(`${file}.br`) ? `${file}.br` : file).size, 0);
}

const first = withImports('index.html');
const text = readFileSync(join(projectRoot, 'docs', 'page.md'), 'utf8');
const rows = [...text.matchAll(/^\| `(\S+)` \|.*\| (\d+) kB \|$/gm)].map(
  ([, name, budget]) => [name as string, Number(budget)] as const,
);

describe('the JavaScript of the page', () => {
  it.each(rows)('%s is within its budget of %i kB', (name, budget) => {
    const own = name === 'index.html' ? first : [...withImports(name)].filter((chunk) => !first.has(chunk));
    expect(chunks[name], `${name} is no part of the page`).toBeDefined();
    expect(bytes(own) / 1000).toBeLessThanOrEqual(budget);
  });

  it('has a budget for every view', () => {
    const views = Object.keys(chunks).filter((name) => /-view\w*\.tsx$|viewer\.tsx$/.test(name));
    expect(rows.map(([name]) => name)).toEqual(expect.arrayContaining(views));
  });
});
