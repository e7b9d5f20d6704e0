// @ts-check
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './bootstrap.mjs';
import { foreground } from './foreground.mjs';
import { Problem } from './problem.mjs';
import { runProgram } from './run-program.mjs';

/**
 * The benchmarks of `bench/*.ts`, or the one that is named, with its options: `npm run bench -- jobs --rounds 1`.
 * @param {readonly string[]} args
 * @param {{ python: string }} setUp
 * @returns {Promise<number>}
 */
export async function bench([name, ...options], { python }) {
  const all = readdirSync(join(root, 'bench'))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -3))
    .sort();
  if (name !== undefined && !all.includes(name)) {
    throw new Problem(`there is no benchmark "${name}": ${all.join(', ')}`);
  }
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  await runProgram(process.execPath, [compiler, '-p', 'tsconfig.bench.json'], {
    cwd: root,
    what: 'compiling the benchmarks',
  });
  let code = 0;
  for (const one of name === undefined ? all : [name]) {
    const program = join(root, '.data', 'bench-build', 'bench', `${one}.js`);
    code ||= await foreground(process.execPath, [program, ...options], { ...process.env, PYTHON: python });
  }
  return code;
}
