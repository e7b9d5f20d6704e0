import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { problemCodes } from '../../../src/api/graphs/problems.js';
import { graphNodeRequestSchema, graphRequestSchema } from '../../../src/api/schemas/graph-request.js';
import { projectRoot } from '../../../src/config/project-root.js';
import { journalEntrySchema } from '../../../src/contract/journal.js';
import { nodeFacts } from '../../../src/store/expressions.js';
import { referenceTable } from './graph-reference.js';
import { page, tableBelow } from './pages.js';

const graphs = page('docs/graphs.md');

/** The page with its reference made anew; `UPDATE_DOCS=1` writes it. */
function withReference(text: string): string {
  const tables = { 'The graph': referenceTable(graphRequestSchema), 'A node': referenceTable(graphNodeRequestSchema) };
  return Object.entries(tables).reduce(
    (made, [heading, table]) =>
      made.replace(
        new RegExp(`(^### ${heading}\n\n)[^]*?(?=\n\n### |\n*$(?![^]))`, 'm'),
        (_, start: string) => start + table,
      ),
    text,
  );
}

describe('docs/graphs.md', () => {
  it('has the reference that the schema gives', () => {
    const expected = withReference(graphs.text);
    if (process.env['UPDATE_DOCS'] !== undefined) writeFileSync(join(projectRoot, 'docs/graphs.md'), expected);
    else expect(graphs.text).toBe(expected);
    for (const schema of [graphRequestSchema, graphNodeRequestSchema]) {
      for (const field of Object.keys(schema.shape)) expect(expected).toContain(`| \`${field}\` |`);
    }
  });

  it('explains every code of a problem', () => {
    const told = tableBelow(graphs, 'Errors').flatMap(([codes = '']) =>
      [...codes.matchAll(/`([\w-]+)`/g)].map(([, code]) => code),
    );
    for (const code of problemCodes) expect(told).toContain(code);
  });

  it('names every type of event, and every fact of a node', () => {
    for (const type of journalEntrySchema.shape.type.options) expect(graphs.text).toContain(`\`${type}\``);
    for (const fact of nodeFacts) expect(graphs.text).toContain(`nodes.measure.${fact}`);
  });
});
