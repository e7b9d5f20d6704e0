import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { manifestOf, projectRoot } from '../config/project-root.js';
import { hasPrograms } from './program-cache.js';

/** What a Temporal server is run with, and where it is looked for before anything is downloaded or built. */
export type TemporalPrograms =
  | { readonly kind: 'server'; readonly server: string; readonly sqlTool: string | null; readonly ui: string | null }
  | { readonly kind: 'cli'; readonly cli: string };

const exe = process.platform === 'win32' ? '.exe' : '';

/** File names in the cache of what is built with Go. */
export const builtPrograms = {
  server: `temporal-server${exe}`,
  sqlTool: `temporal-sql-tool${exe}`,
  ui: `temporal-ui-server${exe}`,
} as const;

export const cliProgram = `temporal${exe}`;

/** The first server with task priorities and the worker features that the SDK's heartbeats use. */
const oldestServer = [1, 29] as const;

const moduleFolder = join(projectRoot, 'tools', 'temporal');

/** The folder of the programs that `tools/temporal` describes, for this kind of machine. */
export function builtProgramsFolder(cachePath: string): string {
  const hash = createHash('sha256');
  for (const name of ['go.mod', 'go.sum', join('patch', 'prepared.go'), 'jobs.pgo'])
    hash.update(readFileSync(join(moduleFolder, name)));
  return join(cachePath, 'temporal', `${hash.digest('hex').slice(0, 12)}-${process.platform}-${process.arch}`);
}

/** The folder of Temporal's command-line program, as the SDK of this version would download it. */
export function cliFolder(cachePath: string, sdkVersion: string): string {
  return join(cachePath, 'temporal', `cli-sdk-${sdkVersion}-${process.platform}-${process.arch}`);
}

export function sdkVersion(): string {
  return (JSON.parse(readFileSync(manifestOf('@temporalio/client'), 'utf8')) as { version: string }).version;
}

/** Programs that are there already: built or downloaded before, else on PATH; null when there are none. */
export async function findTemporalPrograms(
  cachePath: string,
  env: NodeJS.ProcessEnv,
): Promise<TemporalPrograms | null> {
  const built = builtProgramsFolder(cachePath);
  if (await hasPrograms(built, Object.values(builtPrograms))) return programsIn(built);
  const cli = cliFolder(cachePath, sdkVersion());
  if (await hasPrograms(cli, [cliProgram])) return { kind: 'cli', cli: join(cli, cliProgram) };

  const server = onPath('temporal-server', env);
  if (server !== null && isRecent(await versionOf(server))) {
    return {
      kind: 'server',
      server,
      sqlTool: onPath('temporal-sql-tool', env),
      ui: onPath('temporal-ui-server', env) ?? onPath('ui-server', env),
    };
  }
  const command = onPath('temporal', env);
  if (command !== null && isRecent(await versionOf(command))) return { kind: 'cli', cli: command };
  return null;
}

export function programsIn(folder: string): TemporalPrograms {
  return {
    kind: 'server',
    server: join(folder, builtPrograms.server),
    sqlTool: join(folder, builtPrograms.sqlTool),
    ui: join(folder, builtPrograms.ui),
  };
}

/** What a program says to `--version`; null when it does not answer in time or fails. */
export async function versionOf(program: string): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)(program, ['--version'], { timeout: 10_000 });
    return stdout.trim() || null;
  } catch {
    return null;
  }
}

/** `temporal version 1.32.1` of the server, `temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)` of the command line. */
export function serverVersion(text: string): readonly [number, number] | null {
  const found = /\(Server v?(\d+)\.(\d+)/.exec(text) ?? /^temporal version v?(\d+)\.(\d+)/.exec(text);
  return found === null ? null : [Number(found[1]), Number(found[2])];
}

function isRecent(text: string | null): boolean {
  const version = text === null ? null : serverVersion(text);
  if (version === null) return false;
  return version[0] > oldestServer[0] || (version[0] === oldestServer[0] && version[1] >= oldestServer[1]);
}

function onPath(name: string, env: NodeJS.ProcessEnv): string | null {
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    if (folder === '') continue;
    const file = join(folder, `${name}${exe}`);
    try {
      accessSync(file, constants.X_OK);
      if (statSync(file).isFile()) return file;
    } catch {
      // not there
    }
  }
  return null;
}
