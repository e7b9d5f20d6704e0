import { loadSettings, type Settings } from '../config/settings.js';
import { setUp } from '../setup/set-up.js';
import { Problem, type SetUpTools } from '../setup/tools.js';
import { shown } from './shown.js';
import { aborted, listenForStop } from './stop-signals.js';
import { drainSeconds, type PartName, partNames, startSystem } from './system.js';

function chosenParts(args: readonly string[], settings: Settings): readonly PartName[] {
  for (const name of args) {
    if (!(partNames as readonly string[]).includes(name)) {
      throw new Problem(`there is no part "${name}": npm start, or npm start -- ${partNames.join('|')}`);
    }
  }
  if (args.length > 0) return args as readonly PartName[];
  return settings.TEMPORAL_ADDRESS === undefined ? partNames : ['api', 'worker'];
}

/** `npm start`: the whole system, or the parts that are named, until it is told to stop. */
export async function start(
  args: readonly string[],
  tools: SetUpTools,
  env: NodeJS.ProcessEnv,
  cwd: string,
): Promise<number> {
  const configured = loadSettings(env, cwd);
  const parts = chosenParts(args, configured);
  // Parts that are started without the server work with the one that is there: without an address, on this machine.
  const settings: Settings =
    parts.includes('server') || configured.TEMPORAL_ADDRESS !== undefined
      ? configured
      : { ...configured, TEMPORAL_ADDRESS: `127.0.0.1:${configured.TEMPORAL_PORT}` };
  if (settings.configFile !== null) tools.say(`settings of ${settings.configFile}`);
  for (const notice of settings.notices) tools.say(notice);

  const needsPython = parts.includes('api') || parts.includes('worker');
  const { python, temporal } = await setUp(settings, needsPython ? 'run' : 'none', tools, env);
  const signals = listenForStop();
  const system = await startSystem({
    settings,
    parts,
    python,
    programs: temporal,
    env,
    cwd,
    unwanted: signals.stop,
    say: tools.say,
  });
  if (system.token?.isNew) {
    tools.say(`token    ${system.token.token}   (made now, shown once; kept in ${shown(system.token.file, cwd)})`);
  }
  const facts = [
    ...(system.apiUrl === null ? [] : [`API ${system.apiUrl}`, `docs ${system.apiUrl}/docs`]),
    ...(parts.includes('server') && system.apiUrl === null ? [`Temporal ${system.temporalAddress}`] : []),
    ...(system.uiUrl === null ? [] : [`Temporal Web UI ${system.uiUrl}`]),
    ...(system.token === null ? [] : [`token in ${shown(system.token.file, cwd)}`]),
    `logs in ${shown(system.logFolder, cwd)}`,
  ];
  tools.say(`ready: ${facts.join('   ')}`);

  await aborted(signals.stop);
  const drain = parts.includes('worker')
    ? ` (running scripts get ${drainSeconds} s, then they run again at the next start; once more to force)`
    : '';
  tools.say(`stopping …${drain}`);
  void aborted(signals.force).then(() => system.stop(0));
  await system.stop(drainSeconds);
  tools.say('stopped');
  return 0;
}
