import { accessSync, constants, mkdirSync } from 'node:fs';
import type { Settings } from '../config/settings.js';
import { obtainTemporal } from '../server/obtain-temporal.js';
import type { TemporalPrograms } from '../server/temporal-programs.js';
import { type EnvironmentKind, ensurePython } from './python-environment.js';
import { Problem, type SetUpTools } from './tools.js';
import { ensureWorkflowBundle } from './workflow-bundle.js';

export interface SetUp {
  /** The interpreter of the scripts. */
  readonly python: string;
  /** null: a server that is already running is used. */
  readonly temporal: TemporalPrograms | null;
}

/** Everything that is needed beyond the npm packages and the compiled sources. Each part does nothing when it is there. */
export async function setUp(
  settings: Settings,
  /** none: no part that runs here needs Python. */
  kind: EnvironmentKind | 'none',
  tools: SetUpTools,
  env: NodeJS.ProcessEnv,
): Promise<SetUp> {
  const cachePath = settings.PIXYZ_CACHE_PATH;
  try {
    mkdirSync(cachePath, { recursive: true });
    accessSync(cachePath, constants.W_OK);
  } catch (error) {
    throw new Problem(
      `the cache folder cannot be written (${(error as Error).message}); name another one in PIXYZ_CACHE_PATH`,
    );
  }
  // The Go build is long and the downloads of pip wait for the network: side by side. All are awaited even when one
  // fails, so that what the others did is kept for the next time.
  const [python, temporal, bundle] = await Promise.allSettled([
    kind === 'none' || (kind === 'run' && settings.PYTHON !== undefined)
      ? Promise.resolve(settings.PYTHON ?? '')
      : ensurePython(cachePath, kind, tools),
    obtainTemporal(settings, tools, env),
    ensureWorkflowBundle(tools),
  ]);
  for (const outcome of [python, temporal, bundle]) {
    if (outcome.status === 'rejected') throw outcome.reason;
  }
  return {
    python: (python as PromiseFulfilledResult<string>).value,
    temporal: (temporal as PromiseFulfilledResult<TemporalPrograms | null>).value,
  };
}
