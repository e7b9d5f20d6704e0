// @ts-check
import { join } from 'node:path';
import { root } from './bootstrap.mjs';
import { foreground } from './foreground.mjs';

/**
 * Writes docs/reference anew. The test that holds these pages to the program writes them, too: there is one way to make them.
 * @param {{ python: string }} setUp
 * @returns {Promise<number>}
 */
export function reference({ python }) {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  // The flag stands last: it would take the name of the file for its value, and every test would run.
  const words = ['run', '--project', 'unit', 'test/unit/docs/reference-pages.test.ts', '--update'];
  return foreground(process.execPath, [vitest, ...words], { ...process.env, PYTHON: python });
}
