import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../../src/config/project-root.js';
import { anchorsOf, blocksOf, type Page, page, pages, proseOf } from './pages.js';

function linksOf(from: Page): { readonly target: string; readonly anchor: string | undefined }[] {
  const prose = proseOf(from.text).replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => {
      const [file = '', anchor] = link.split('#');
      return { target: file === '' ? from.path : normalize(join(dirname(from.path), file)), anchor };
    });
}

describe.each(pages().map((one) => [one.path, one] as const))('%s', (_, one) => {
  it('links only to files and headings that are there', () => {
    const broken = linksOf(one).filter(({ target, anchor }) => {
      if (!existsSync(join(projectRoot, target))) return true;
      return anchor !== undefined && !anchorsOf(page(target)).has(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('marks its examples with words that mean something', () => {
    for (const { line, words } of blocksOf(one)) {
      for (const word of words) expect(word, `line ${line}`).toMatch(/^(test|output|file=[\w./-]+)$/);
    }
  });

  it('names no host and no path of a machine it was written on', () => {
    expect(one.text).not.toMatch(/\/(?:root|home\/\w+|work|tmp\/\w+)\//);
  });
});

it('a page in docs is reachable from the README', () => {
  const linked = new Set(linksOf(page('README.md')).map(({ target }) => target));
  for (const { path } of pages().filter((one) => one.path !== 'README.md' && one.path !== 'docs/benchmarks.md')) {
    expect(linked).toContain(path);
  }
});
