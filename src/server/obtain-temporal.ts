import type { Settings } from '../config/settings.js';
import { Problem, type SetUpTools } from '../setup/tools.js';
import { buildTemporal, canBuildWith, goVersion } from './build-with-go.js';
import { downloadCli } from './download-cli.js';
import { findTemporalPrograms, type TemporalPrograms } from './temporal-programs.js';

/**
 * The programs of an embedded server: those that are there, else Temporal's own download, else a build with Go.
 * null when the configuration names a server that is already running.
 * @throws Problem when there is no way to get one here.
 */
export async function obtainTemporal(
  settings: Pick<Settings, 'TEMPORAL_ADDRESS' | 'PIXYZ_CACHE_PATH'>,
  tools: SetUpTools,
  env: NodeJS.ProcessEnv,
): Promise<TemporalPrograms | null> {
  if (settings.TEMPORAL_ADDRESS !== undefined) return null;
  const cachePath = settings.PIXYZ_CACHE_PATH;
  const found = await findTemporalPrograms(cachePath, env);
  if (found !== null) return found;
  const downloaded = await downloadCli(cachePath, tools);
  if (downloaded !== null) return downloaded;
  const go = await goVersion(env);
  if (canBuildWith(go)) return buildTemporal(cachePath, tools, env);
  throw new Problem(
    [
      "There is no Temporal server here, and Temporal's own download cannot be reached. One of these helps:",
      `  - install Go 1.21 or newer${go === null ? '' : ` (this is ${go})`} and run this again: the server is then built, once`,
      "  - put Temporal's command-line program `temporal` (or `temporal-server`) on PATH",
      '  - name a server that is already running: TEMPORAL_ADDRESS=host:port',
    ].join('\n'),
  );
}
