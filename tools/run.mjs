// @ts-check
import { bench } from './lib/bench.mjs';
import { buildPage, checkNode, compile, installPackages } from './lib/bootstrap.mjs';
import { check } from './lib/check.mjs';
import { withLock } from './lib/lock.mjs';
import { Problem } from './lib/problem.mjs';
import { say, step } from './lib/progress.mjs';
import { reference } from './lib/reference.mjs';
import { runProgram } from './lib/run-program.mjs';
import { test } from './lib/test.mjs';

/**
 * The npm scripts: `node tools/run.mjs COMMAND`. Whatever is missing is installed, compiled, made, downloaded or built
 * first; what is there is left alone, and a look at it costs a fraction of a second.
 */

const tools = { say, step, withLock, runProgram };
const [command = '', ...args] = process.argv.slice(2);

// While set-up works, an interrupt ends the programs that it runs; a part that starts later listens for itself.
const interrupted = () => process.exit(130);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, interrupted);

/** Our own code, once it is compiled. */
const own = () => import(new URL('../dist/start/main.js', import.meta.url).href);

/** @returns {Promise<number>} */
async function run() {
  checkNode();
  await installPackages();
  await compile();
  await buildPage();
  const { main, setUpForTests } = await own();
  const prepare = () => setUpForTests(tools, process.env, process.cwd());
  switch (command) {
    case 'test':
      return test(args, await prepare());
    case 'check':
      return check(await prepare());
    case 'reference':
      return reference(await prepare());
    case 'bench':
      return bench(args, await prepare());
    case 'pixyz':
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeListener(signal, interrupted);
      return (await import(new URL('../dist/cli/main.js', import.meta.url).href)).main(args);
    default:
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeListener(signal, interrupted);
      return main(command, args, tools, process.env, process.cwd());
  }
}

/** What the user can put right is said in a sentence; anything else is a fault of ours, with its stack. */
const sentences = new Set(['Problem', 'SettingsError', 'TemporalStartError']);

try {
  process.exitCode = await run();
} catch (error) {
  if (error instanceof Problem || (error instanceof Error && sentences.has(error.name))) say(`\n${error.message}`);
  else say(`\n${error instanceof Error ? error.stack : String(error)}`);
  process.exitCode = 1;
}
// A connection or timer that is still open keeps nobody waiting.
process.exit();
