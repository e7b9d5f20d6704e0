// @ts-check
import { join } from 'node:path';
import { root } from './bootstrap.mjs';
import { captured } from './captured.mjs';
import { say } from './progress.mjs';

/**
 * What is to be green before a commit: format, lint, types, dead code, the unit tier. Everything runs, also after a
 * failure; only what failed shows its output.
 * @param {{ python: string }} setUp
 * @returns {Promise<number>}
 */
export async function check({ python }) {
  const bin = (/** @type {string} */ path) => join(root, 'node_modules', path);
  const node = process.execPath;
  const pythonFolder = join(root, 'python');
  const ruff = [
    '--config',
    'pyproject.toml',
    '.',
    join('..', 'processes'),
    join('..', 'scripts'),
    join('..', 'workflows'),
    join('..', 'tools'),
  ];
  /** @type {[title: string, command: string, args: string[], folder?: string][]} */
  const checks = [
    ['format and import order (biome)', node, [bin('@biomejs/biome/bin/biome'), 'check', '--error-on-warnings']],
    ['types (tsc)', node, [bin('typescript/bin/tsc'), '-p', '.']],
    ['types of the page (tsc)', node, [bin('typescript/bin/tsc'), '-p', 'web', '--noEmit']],
    [
      'lint (oxlint)',
      node,
      [
        bin('oxlint/bin/oxlint'),
        '--type-aware',
        '--deny-warnings',
        'src',
        'test',
        'bench',
        'tools',
        'workflows',
        'web',
      ],
    ],
    ['dead code (knip)', node, [bin('knip/bin/knip.js')]],
    ['Python format (ruff)', python, ['-m', 'ruff', 'format', '--check', ...ruff], pythonFolder],
    ['Python lint (ruff)', python, ['-m', 'ruff', 'check', ...ruff], pythonFolder],
    ['Python types (mypy)', python, ['-m', 'mypy', 'pixyz_worker'], pythonFolder],
    ['unit tests (vitest)', node, [bin('vitest/vitest.mjs'), 'run', '--project', 'unit']],
  ];
  let failed = 0;
  // Two at a time: as many as the smallest machine has cores.
  const queue = [...checks];
  await Promise.all(
    [1, 2].map(async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const [title, command, args, folder = root] = next;
        const started = performance.now();
        const { code, output } = await captured(command, args, folder, { ...process.env, PYTHON: python });
        const time = `${((performance.now() - started) / 1000).toFixed(1)} s`;
        say(`  ${code === 0 ? 'ok    ' : 'FAILED'} ${title} (${time})`);
        if (code !== 0) {
          failed += 1;
          say(output.trimEnd());
        }
      }
    }),
  );
  say(failed === 0 ? 'all checks passed' : `${failed} of ${checks.length} checks failed`);
  return failed === 0 ? 0 : 1;
}
