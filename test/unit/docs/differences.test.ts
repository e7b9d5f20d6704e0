import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../../src/config/project-root.js';
import { page } from './pages.js';

// A page that says "and this is shown by that test" is only as good as the test is there.

const { text } = page('docs/differences.md');
const claims = [...text.matchAll(/`([^`]+?) › ([^`]+)`/g)].map(([, file = '', title = '']) => ({ file, title }));

/** Titles stand in the sources as texts, in one row of a table of cases or in another. */
function hasTest(source: string, file: string, title: string): boolean {
  if (file.endsWith('.py')) return source.includes(`def ${title}(`);
  return ["'", '"', '`'].some((quote) => source.includes(`${quote}${title}${quote}`));
}

describe('differences', () => {
  it.each(claims.map(({ file, title }) => [file, title] as const))('%s has the test "%s"', (file, title) => {
    if (title === '…' || file === 'file') return;
    const path = join(projectRoot, file);
    expect(existsSync(path), `${file} is there`).toBe(true);
    expect(hasTest(readFileSync(path, 'utf8'), file, title), `"${title}" is in ${file}`).toBe(true);
  });

  it('goes through W1 to W59, each once', () => {
    const numbers = text
      .split('\n')
      .filter((line) => line.startsWith('| W'))
      .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/W(\d+)/g)].map(([, number]) => Number(number)))
      .sort((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: 59 }, (_, index) => index + 1));
  });

  it('names a test for each that is settled', () => {
    const settled = text.slice(0, text.indexOf('## Not settled yet'));
    for (const line of settled.split('\n').filter((row) => row.startsWith('| W'))) expect(line).toContain(' › ');
  });
});
