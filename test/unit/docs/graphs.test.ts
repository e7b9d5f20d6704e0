import { describe, expect, it } from 'vitest';
import { problemCodes } from '../../../src/compile/problems.js';
import { journalEntrySchema } from '../../../src/contract/journal.js';
import { nodeFacts } from '../../../src/store/expressions.js';
import { page, tableBelow } from './pages.js';

const graphs = page('docs/graphs.md');

describe('docs/graphs.md', () => {
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
