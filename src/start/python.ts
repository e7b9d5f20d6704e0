import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import { projectRoot } from '../config/project-root.js';
import type { Settings } from '../config/settings.js';
import { ensurePython } from '../setup/python-environment.js';
import type { SetUpTools } from '../setup/tools.js';

/**
 * `npm run python -- local.py …`: the interpreter that scripts have on a worker, with the same modules to import, for
 * running and debugging them by hand. Gives its exit code.
 */
export async function python(
  args: readonly string[],
  settings: Settings,
  tools: SetUpTools,
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const interpreter = settings.PYTHON ?? (await ensurePython(settings.PIXYZ_CACHE_PATH, 'run', tools));
  const own = join(projectRoot, 'python');
  const folders = [own, join(own, 'shims'), settings.PIXYZ_PYTHON_PATH, env['PYTHONPATH']];
  const child = spawn(interpreter, args, {
    stdio: 'inherit',
    env: { ...env, PYTHONPATH: folders.filter(Boolean).join(delimiter) },
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGTERM']));
  });
}
