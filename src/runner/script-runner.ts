import { readFile } from 'node:fs/promises';
import type { Runner, ScriptTask } from '../contract/runner.js';
import type { RunnerOptions } from './options.js';
import { createRunner } from './runner.js';

/**
 * The runner of a worker. A child that has loaded the 3D libraries costs three times as much to fork as one that has not
 * (2.0 ms against 0.5, and its pages are copied as it runs), and most scripts that only coordinate never use them. So where
 * children are forked, two hosts keep two kinds ready, and a script gets the kind that its text asks for. A guess that is
 * wrong costs time and nothing else: a child without `pxz` loads it when the script imports it.
 *
 * The real `pxz` is another matter: its session and licence are taken ahead, for every script.
 */
export function createScriptRunner(options: RunnerOptions): Runner {
  const { pixyz } = options;
  const forks = options.mode === 'fork' || (options.mode === 'auto' && process.platform === 'linux');
  if (pixyz.disabled || pixyz.pythonPath !== null || !forks) return createRunner(options);
  const light = createRunner({ ...options, pixyz: { ...pixyz, preload: false } });
  const loaded = createRunner(options);
  return {
    async start() {
      await Promise.all([light.start(), loaded.start()]);
    },
    async run(task, hooks) {
      return (await mentionsPixyz(task)) ? loaded.run(task, hooks) : light.run(task, hooks);
    },
    stats() {
      const [a, b] = [light.stats(), loaded.stats()];
      return {
        warm: a.warm + b.warm,
        running: a.running + b.running,
        residentBytes: a.residentBytes + b.residentBytes,
      };
    },
    async stop() {
      await Promise.all([light.stop(), loaded.stop()]);
    },
  };
}

async function mentionsPixyz(task: ScriptTask): Promise<boolean> {
  try {
    return /\bpxz\b/.test(await readFile(task.script, 'latin1'));
  } catch {
    return false; // the child tells the user that the script is missing
  }
}
