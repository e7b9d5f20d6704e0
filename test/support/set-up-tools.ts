import type { SetUpTools } from '../../src/setup/tools.js';
import { withLock } from '../../tools/lib/lock.mjs';
import { runProgram } from '../../tools/lib/run-program.mjs';

/** The tools of set-up, silent, with what they would have shown. */
export function setUpTools(): SetUpTools & { readonly said: string[]; readonly steps: string[] } {
  const said: string[] = [];
  const steps: string[] = [];
  return {
    said,
    steps,
    say: (text) => void said.push(text),
    step: (title, work) => {
      steps.push(title);
      return work(() => {});
    },
    withLock,
    runProgram,
  };
}
