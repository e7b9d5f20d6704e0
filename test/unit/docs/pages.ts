import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../../src/config/project-root.js';

/**
 * The pages for people, and what tests read in them. Examples are fenced blocks whose info string says more than the language:
 *
 *     ```python file=hello.py     a file that the examples after it use
 *     ```sh test                  commands that are run
 *     ```text output              what the block before it prints; … stands for anything
 *
 * All other blocks are only shown.
 */
export interface Page {
  /** Relative to the project, such as `docs/rest.md`. */
  readonly path: string;
  readonly text: string;
}

export interface Block {
  readonly line: number;
  readonly language: string;
  /** The words after the language. */
  readonly words: readonly string[];
  readonly text: string;
}

export function pages(): Page[] {
  const docs = readdirSync(join(projectRoot, 'docs'), { recursive: true, encoding: 'utf8' });
  const names = docs.filter((name) => name.endsWith('.md')).map((name) => `docs/${name.replaceAll('\\', '/')}`);
  return ['README.md', ...names.sort()].map(page);
}

export function page(path: string): Page {
  return { path, text: readFileSync(join(projectRoot, path), 'utf8') };
}

export function blocksOf({ text }: Page): Block[] {
  const blocks: Block[] = [];
  let open: { line: number; info: string; fence: string; lines: string[] } | null = null;
  for (const [index, line] of text.split('\n').entries()) {
    const fence = /^(`{3,})(.*)$/.exec(line);
    if (open === null) {
      if (fence !== null) open = { line: index + 1, info: fence[2] ?? '', fence: fence[1] ?? '', lines: [] };
    } else if (line.trimEnd() === open.fence) {
      const [language = '', ...words] = open.info.trim().split(/\s+/);
      blocks.push({ line: open.line, language, words, text: `${open.lines.join('\n')}\n` });
      open = null;
    } else {
      open.lines.push(line);
    }
  }
  if (open !== null) throw new Error(`the block of line ${open.line} is not closed`);
  return blocks;
}

/** The text without its code, in which `#` and brackets mean nothing. */
export function proseOf(text: string): string {
  return text.replace(/^(`{3,}).*\n[\s\S]*?^\1\s*$/gm, '');
}

/** Anchors of the headings, as GitHub makes them. */
export function anchorsOf({ text }: Page): Set<string> {
  const anchors = new Set<string>();
  for (const [, title = ''] of proseOf(text).matchAll(/^#{1,6}\s+(.*?)\s*$/gm)) {
    const plain = title.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*]/g, '');
    const slug = plain
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    let anchor = slug;
    for (let n = 1; anchors.has(anchor); n += 1) anchor = `${slug}-${n}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** Rows of every table below a heading (until the next heading): cells without their spaces, `\|` undone. */
export function tableBelow({ text }: Page, heading: string): string[][] {
  const at = text.split('\n').findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading);
  if (at < 0) throw new Error(`there is no heading "${heading}"`);
  const rows: string[][] = [];
  for (const line of text.split('\n').slice(at + 1)) {
    if (/^#+ /.test(line)) break;
    if (!line.startsWith('|') || /^\|[\s|:-]+$/.test(line)) continue;
    rows.push(
      line
        .slice(1, line.trimEnd().length - 1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim().replaceAll('\\|', '|')),
    );
  }
  return rows;
}
