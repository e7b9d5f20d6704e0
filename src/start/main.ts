import { loadSettings, type Settings } from '../config/settings.js';
import { setUp } from '../setup/set-up.js';
import { Problem, type SetUpTools } from '../setup/tools.js';
import { ensureWorkflowBundle } from '../setup/workflow-bundle.js';

/**
 * What the npm scripts run once `tools/` has installed and compiled. Gives the exit code.
 * The commands are in `tools/run.mjs`; here are those that need our own code. What only some of them need is loaded by
 * them: a set-up that has nothing to do is not to wait for the Temporal SDK.
 */
export async function main(
  command: string,
  args: readonly string[],
  tools: SetUpTools,
  env: NodeJS.ProcessEnv,
  cwd: string,
): Promise<number> {
  switch (command) {
    case 'setup': {
      const { temporal } = await setUp(loadSettings(env, cwd), 'run', tools, env);
      tools.say(temporal === null ? 'set up; the Temporal server is the one of TEMPORAL_ADDRESS' : 'set up');
      return 0;
    }
    case 'build':
      await ensureWorkflowBundle(tools);
      return 0;
    case 'start':
      return (await import('./start.js')).start(args, tools, env, cwd);
    case 'python':
      return (await import('./python.js')).python(args, loadSettings(env, cwd), tools, env);
    case 'demo':
      return (await import('./demo.js')).demo(tools, env, cwd);
    default:
      throw new Problem(`there is no command "${command}"`);
  }
}

/** For the tests and checks: everything that a system needs, with the interpreter that has their tools too. */
export async function setUpForTests(
  tools: SetUpTools,
  env: NodeJS.ProcessEnv,
  cwd: string,
): Promise<{ readonly python: string }> {
  // The tests run their own server whatever the configuration of this folder says.
  const settings: Settings = { ...loadSettings(env, cwd), TEMPORAL_ADDRESS: undefined };
  return setUp(settings, 'dev', tools, env);
}
