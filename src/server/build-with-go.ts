import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { projectRoot } from '../config/project-root.js';
import { Problem, type SetUpTools } from '../setup/tools.js';
import { patchServer, serverModule } from './patched-server.js';
import { hasPrograms, publishPrograms } from './program-cache.js';
import {
  builtPrograms,
  builtProgramsFolder,
  programsIn,
  type TemporalPrograms,
  versionOf,
} from './temporal-programs.js';

/** The server, its SQL tool and the Web UI, built from the pinned module in `tools/temporal`: once per user and version. */

const packages = {
  [builtPrograms.sqlTool]: `${serverModule}/cmd/tools/sql`,
  [builtPrograms.ui]: 'github.com/temporalio/ui-server/v2/cmd/server',
  [builtPrograms.server]: `${serverModule}/cmd/server`,
};

/** Go fetches the toolchain that a module asks for by itself since this one. */
const oldestGo = [1, 21] as const;

/** At its height: sources, compiled packages, programs. */
const scratchBytes = 5 * 2 ** 30;

const moduleFolder = join(projectRoot, 'tools', 'temporal');
/**
 * Where the server spends its time while jobs run: Go optimises for that. Taken with `global.pprof` in the server's
 * configuration, from `/debug/pprof/profile` during `npm run bench -- jobs --only ours`.
 */
const profile = join(moduleFolder, 'jobs.pgo');
const capture = promisify(execFile);

export async function goVersion(env: NodeJS.ProcessEnv): Promise<string | null> {
  try {
    // Outside of the module: inside, an older Go would fetch the newer toolchain just to say its version.
    const { stdout } = await capture('go', ['env', 'GOVERSION'], { env: { ...env, GOTOOLCHAIN: 'local' }, cwd: '/' });
    return stdout.trim().replace(/^go/, '');
  } catch {
    return null;
  }
}

export function canBuildWith(version: string | null): boolean {
  if (version === null) return false;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > oldestGo[0] || (major === oldestGo[0] && minor >= oldestGo[1]);
}

export async function buildTemporal(
  cachePath: string,
  tools: SetUpTools,
  env: NodeJS.ProcessEnv,
): Promise<TemporalPrograms> {
  const destination = builtProgramsFolder(cachePath);
  mkdirSync(dirname(destination), { recursive: true });
  const waiting = () => tools.say('  another set-up is building the Temporal server; waiting for it …');
  await tools.withLock(`${destination}.lock`, waiting, async () => {
    if (await hasPrograms(destination, Object.values(builtPrograms))) return;
    await tools.step('Temporal server (built with Go, once; about 5 minutes on two cores)', (detail) =>
      build(destination, tools, env, detail),
    );
  });
  return programsIn(destination);
}

async function build(
  destination: string,
  tools: SetUpTools,
  env: NodeJS.ProcessEnv,
  detail: (text: string) => void,
): Promise<void> {
  const folder = `${destination}.new`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const scratch = `${destination}.scratch`;
  const { bavail, bsize } = statfsSync(dirname(destination));
  if (bavail * bsize < scratchBytes) {
    throw new Problem(
      `building the Temporal server takes ${scratchBytes / 2 ** 30} GB for a while, and the disk of ${dirname(destination)} has less; name a roomier place in PIXYZ_CACHE_PATH`,
    );
  }
  const goEnv = await goEnvironment(env, scratch);
  let modules = 0;
  const all = Object.values(packages);
  const list: string[] = [];
  detail('downloading modules');
  await tools.runProgram('go', ['list', '-deps', ...all], {
    what: 'downloading the modules of the Temporal server',
    cwd: moduleFolder,
    env: goEnv,
    onLine: (line) => {
      if (line.startsWith('go: downloading')) detail(`downloading modules (${++modules})`);
      else list.push(line);
    },
  });
  const sources = await capture('go', ['list', '-m', '-f', '{{.Dir}}', serverModule], {
    cwd: moduleFolder,
    env: goEnv,
  });
  mkdirSync(scratch, { recursive: true });
  const moduleFile = patchServer(moduleFolder, sources.stdout.trim(), scratch);
  const flags = ['-v', '-trimpath', '-modfile', moduleFile, `-pgo=${profile}`, '-ldflags', '-s -w'];
  const compiled = new Set<string>();
  for (const [name, pkg] of Object.entries(packages)) {
    await tools.runProgram('go', ['build', ...flags, '-o', join(folder, name), pkg], {
      what: `building ${name}`,
      cwd: moduleFolder,
      env: goEnv,
      onLine: (line) => {
        compiled.add(line);
        detail(`${compiled.size} of ${list.length} packages`);
      },
    });
  }
  detail('checking');
  const versions: Record<string, string> = {};
  for (const name of Object.keys(packages)) {
    const version = await versionOf(join(folder, name));
    if (version === null) throw new Problem(`${name} was built, but does not run`);
    versions[name] = version;
  }
  await publishPrograms(folder, destination, versions);
  rmSync(scratch, { recursive: true, force: true });
}

/**
 * Modules and compiled packages take 3.5 GB, for programs that are built once: they go where they can be deleted
 * afterwards, unless the environment says where they belong. A build that was interrupted goes on with them.
 */
async function goEnvironment(env: NodeJS.ProcessEnv, scratch: string): Promise<NodeJS.ProcessEnv> {
  const { stdout } = await capture('go', ['env', 'GOPROXY', 'GOMODCACHE'], { env, cwd: dirname(moduleFolder) });
  const [proxy = '', modules = ''] = stdout.split('\n').map((line) => line.trim());
  return {
    ...env,
    // A workspace or flags of the user's own would change what is built.
    GOWORK: 'off',
    GOFLAGS: '-mod=readonly -modcacherw',
    CGO_ENABLED: '0',
    GOCACHE: env['GOCACHE'] || join(scratch, 'build'),
    ...(env['GOMODCACHE']
      ? {}
      : {
          GOMODCACHE: join(scratch, 'modules'),
          // What the user's own cache has need not be downloaded.
          GOPROXY: `${pathToFileURL(join(modules, 'cache', 'download')).href},${proxy}`,
        }),
  };
}
