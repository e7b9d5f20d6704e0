// @ts-check
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './bootstrap.mjs';
import { captured } from './captured.mjs';
import { foreground } from './foreground.mjs';
import { say } from './progress.mjs';

/** @typedef {{ passed: number, failed: number, skipped: number }} Count */

/**
 * All tests: TypeScript with vitest, and beside them Python with pytest, shown afterwards. The last line adds both up.
 * With arguments, vitest alone gets them: `npm test -- --project unit graph`.
 * @param {readonly string[]} args
 * @param {{ python: string }} setUp
 * @returns {Promise<number>}
 */
export async function test(args, { python }) {
  const results = join(root, '.data', 'test-results');
  rmSync(results, { recursive: true, force: true });
  mkdirSync(results, { recursive: true });
  const env = { ...process.env, PYTHON: python };

  const pythonTests = join(root, 'python', 'tests');
  const pytestReport = join(results, 'pytest.xml');
  const pytest =
    args.length === 0 && existsSync(pythonTests)
      ? captured(python, ['-m', 'pytest', '-q', '--no-header', `--junitxml=${pytestReport}`, pythonTests], root, env)
      : null;

  const vitestReport = join(results, 'vitest.json');
  const vitestCode = await foreground(
    process.execPath,
    [
      join(root, 'node_modules', 'vitest', 'vitest.mjs'),
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${vitestReport}`,
      ...args,
    ],
    env,
  );
  let total = vitestCount(vitestReport, vitestCode);
  let code = vitestCode;

  if (pytest !== null) {
    const { code: pytestCode, output } = await pytest;
    say(output.trimEnd());
    total = add(total, pytestCount(pytestReport, pytestCode));
    code ||= pytestCode;
  }
  if (code === 0 && total.failed > 0) code = 1;
  say('');
  process.stdout.write(
    `${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}\n`,
  );
  return code;
}

/** @param {Count} a @param {Count} b @returns {Count} */
const add = (a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped });

/** A runner that failed without a failed test (a file that does not load, an error outside of any) counts as one. */
const withCode = (/** @type {Count} */ count, /** @type {number} */ code) =>
  code !== 0 && count.failed === 0 ? { ...count, failed: 1 } : count;

/** @param {string} file @param {number} code @returns {Count} */
function vitestCount(file, code) {
  if (!existsSync(file)) return withCode({ passed: 0, failed: 0, skipped: 0 }, code);
  const report = JSON.parse(readFileSync(file, 'utf8'));
  return withCode(
    {
      passed: report.numPassedTests,
      failed: report.numFailedTests,
      skipped: report.numPendingTests + (report.numTodoTests ?? 0),
    },
    code,
  );
}

/** @param {string} file @param {number} code @returns {Count} */
function pytestCount(file, code) {
  if (!existsSync(file)) return withCode({ passed: 0, failed: 0, skipped: 0 }, code);
  const suite = /<testsuite [^>]*>/.exec(readFileSync(file, 'utf8'))?.[0] ?? '';
  const number = (/** @type {string} */ name) => Number(new RegExp(` ${name}="(\\d+)"`).exec(suite)?.[1] ?? 0);
  const failed = number('failures') + number('errors');
  return withCode({ passed: number('tests') - failed - number('skipped'), failed, skipped: number('skipped') }, code);
}
