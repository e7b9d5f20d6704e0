import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bundled, bundleFile } from '../../../src/workflow-files/bundle.js';

/** One bundle takes a second or two: each file here has as much wrong with it as can be told at once. */

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pixyz-bundle-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function bundled(name: string, lines: readonly string[]): Promise<Bundled> {
  writeFileSync(join(folder, `${name}.ts`), lines.join('\n'));
  return bundleFile(folder, name, `${name}.ts`, '');
}

async function problems(name: string, lines: readonly string[]): Promise<string[]> {
  const made = await bundled(name, lines);
  if (made.ok) throw new Error(`${name} was bundled`);
  return made.problems.map(({ file, line, message }) => `${file}:${line}: ${message}`);
}

describe('a workflow file', () => {
  const sound = [
    `import { z } from 'zod';`,
    `import { task } from 'pixyz-temporal-scheduler/workflow';`,
    `import { double } from './lib-double.js';`,
    `export const input = z.object({ n: z.number().default(double(2)) });`,
    `/** Sleeps. */`,
    `export default async (given: z.infer<typeof input>) => task({ process: 'sleep', params: given });`,
  ];

  it('tells what it is, and what it was made from; the same sources give the same version', async () => {
    writeFileSync(join(folder, 'lib-double.ts'), 'export const double = (n: number): number => 2 * n;\n');
    const first = await bundled('sound', sound);
    expect(first).toMatchObject({
      ok: true,
      doc: 'Sleeps.',
      input: { type: 'object', properties: { n: { type: 'number', default: 4 } } },
      sources: expect.arrayContaining(['sound.ts', 'lib-double.ts']),
    });
    const again = await bundled('sound', sound);
    expect(again.ok && first.ok && again.version === first.version).toBe(true);
    writeFileSync(join(folder, 'lib-double.ts'), 'export const double = (n: number): number => n + n;\n');
    const changed = await bundled('sound', sound);
    expect(changed.ok && first.ok && changed.version !== first.version).toBe(true);
  }, 60_000);

  it('that reaches out of a workflow is told where, and what to do instead', async () => {
    const found = await problems('reaches-out', [
      `import { task } from 'pixyz-temporal-scheduler/workflow';`,
      `import type { Stats } from 'node:fs';`,
      `import { readFile } from 'fs/promises';`,
      `import { Client } from '@temporalio/client';`,
      `// fetch of process.env would be wrong, too`,
      `export default async function reachesOut(given: Stats) {`,
      `  const home = process.env['HOME'];`,
      `  await fetch('http://localhost');`,
      `  return [await readFile('x'), home, given, Client, task];`,
      `}`,
    ]);
    expect(found.map((text) => text.split(/[:,] (?=which|a workflow)/)[0])).toEqual([
      'reaches-out.ts:3: imports "fs/promises"',
      'reaches-out.ts:4: imports "@temporalio/client"',
      'reaches-out.ts:7: uses process',
      'reaches-out.ts:8: uses fetch',
    ]);
  }, 60_000);

  it('that does not compile is told where, line and column, and so is what it imports', async () => {
    const write = (name: string, lines: readonly string[]): void => writeFileSync(join(folder, name), lines.join('\n'));
    write('lib-half.ts', ['// a', 'export async function half() {', '\tconst a = 1;', '\treturn a +;', '}']);
    // swc lets this pass; what webpack then reads has lost the first three lines, and its margin.
    write('lib-twice.ts', [
      'interface A {',
      '  readonly a: string;',
      '}',
      'export const twice = (): A => {',
      "      let a: string = '';",
      '      let a = b;',
      '      return { a };',
      '};',
    ]);
    write('lib-text.js', ["export const said = 'open;"]);
    const lines = ['half', 'twice', 'text'].map((name) => `import './lib-${name}.js';`);
    const made = await bundled('imports', [...lines, 'export default async () => 1;']);
    expect(made.ok ? [] : made.problems).toEqual([
      { file: 'lib-half.ts', line: 4, column: 12, message: 'does not compile: Expression expected' },
      { file: 'lib-text.js', line: 1, column: 21, message: 'does not compile: Unterminated string constant' },
      {
        file: 'lib-twice.ts',
        line: 6,
        column: 11,
        message: "does not compile: Identifier 'a' has already been declared",
      },
    ]);
  }, 60_000);

  it('that imports what is not there is told where', async () => {
    const lines = ['', `import { x } from './nowhere.js';`, 'export default async () => x;'];
    expect(await problems('lost', lines)).toEqual(['lost.ts:2: imports "./nowhere.js", which cannot be found']);
  }, 60_000);

  it('whose code fails as soon as it is loaded is told where', async () => {
    const lines = [
      'interface Part { readonly name: string }',
      'const parts: Record<string, Part> = {};',
      '',
      `const first = (parts['bolt'] as Part).name;`,
      'export default async () => first;',
    ];
    expect(await problems('early', lines)).toEqual([
      expect.stringMatching(/^early\.ts:4: cannot be loaded: Cannot read properties of undefined/),
    ]);
  }, 60_000);

  it('without a function as its default export is no workflow', async () => {
    expect(await problems('empty', ['export const x = 1;'])).toEqual([
      expect.stringContaining('has no default export that is a function'),
    ]);
  }, 60_000);
});
