import type { JobSpec } from '../contract/job.js';
import type { ScriptTask } from '../contract/runner.js';

/**
 * The script that stands for a job's command: a command runs in a Python child like any script, so the limits, the memory guard,
 * cancel, logs and the sweep of what it leaves behind hold for it.
 * @param commandScript `python/pixyz_worker/_command.py`
 */
export function commandTask(
  command: NonNullable<JobSpec['command']>,
  commandScript: string,
): Pick<ScriptTask, 'script' | 'entrypoint' | 'paramsText'> {
  return { script: commandScript, entrypoint: 'main', paramsText: JSON.stringify(command) };
}
