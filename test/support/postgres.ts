import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  accessSync,
  chownSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from '../../src/server/free-ports.js';
import { startGuarded } from '../../src/server/guarded-process.js';
import { waitFor } from './wait-for.js';

/**
 * A PostgreSQL server of its own for a test: the programs of this machine, else those of Debian's packages, unpacked into the
 * cache. It refuses to run as root, so there it runs as nobody.
 */

const run = promisify(execFile);

export interface PostgresPrograms {
  /** The folder of initdb and postgres. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
}

export interface RunningPostgres {
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly version: string;
  stop(): Promise<void>;
}

/** The programs, or the reason why there are none. */
export async function obtainPostgres(
  cachePath: string,
  { onlyDownloaded = false }: { readonly onlyDownloaded?: boolean } = {},
): Promise<PostgresPrograms | string> {
  for (const folder of onlyDownloaded ? [] : installed()) {
    if (await works(folder, process.env)) return { folder, env: process.env };
  }
  // Root's own folders are closed to the user that it then runs as.
  const cache = nobody() === null ? cachePath : '/var/cache/pixyz-temporal-scheduler';
  const place = join(cache, 'test', 'postgres');
  const complete = join(place, '.complete');
  try {
    if (!existsSync(complete)) {
      await downloadDebian(place);
      writeFileSync(complete, '');
    }
  } catch (error) {
    return `no PostgreSQL is installed, and Debian's packages cannot be had: ${(error as Error).message.split('\n')[0]}`;
  }
  const folder = versions(join(place, 'usr', 'lib', 'postgresql'))[0];
  if (folder === undefined) return 'the package of PostgreSQL holds no programs';
  const libraries = join(place, 'usr', 'lib');
  const path = [...readdirSync(libraries).map((name) => join(libraries, name)), process.env['LD_LIBRARY_PATH']];
  const env = { ...process.env, LD_LIBRARY_PATH: path.filter(Boolean).join(delimiter) };
  return (await works(folder, env)) ? { folder, env } : "Debian's PostgreSQL does not run here: a library is missing";
}

function installed(): string[] {
  const onPath = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...versions('/usr/lib/postgresql'), ...onPath];
}

/** Debian keeps every version in a folder of its own; the newest first. */
function versions(root: string): string[] {
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(root, version, 'bin'));
}

async function works(folder: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  try {
    for (const name of ['initdb', 'postgres']) {
      accessSync(join(folder, name), constants.X_OK);
      await run(join(folder, name), ['--version'], { env });
    }
    return true;
  } catch {
    return false;
  }
}

async function downloadDebian(place: string): Promise<void> {
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  const { stdout } = await run('apt-cache', ['depends', 'postgresql']);
  const server = /Depends: (postgresql-\d+)$/m.exec(stdout)?.[1];
  if (server === undefined) throw new Error('apt knows no package postgresql');
  const { stdout: needs } = await run('apt-cache', ['depends', server]);
  const libraries = [...needs.matchAll(/Depends: (lib[\w.+-]+)$/gm)].map(([, name]) => name as string);
  // LLVM is for compiled queries alone, and larger than all else together; the others have to be those of this machine.
  const left = /^lib(llvm|c6|gcc|stdc)/;
  for (const name of [server, ...libraries.filter((library) => !left.test(library))]) {
    const fetched = run('apt-get', ['download', name], { cwd: place });
    // A library may be there already under another name: whether the programs run decides.
    await (name === server ? fetched : fetched.catch(() => {}));
  }
  for (const name of readdirSync(place)) {
    if (name.endsWith('.deb')) await run('dpkg', ['-x', join(place, name), place]);
  }
}

/** @throws with the end of its log when it does not come up. */
export async function startPostgres(programs: PostgresPrograms): Promise<RunningPostgres> {
  // A folder of its own right below the common one: the user that it runs as may not pass through those of root.
  const folder = mkdtempSync(join(tmpdir(), 'pixyz-postgres-'));
  const user = 'temporal';
  const password = randomBytes(12).toString('hex');
  const data = join(folder, 'data');
  const passwordFile = join(folder, 'password');
  const logFile = join(folder, 'postgres.log');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  const as = nobody();
  if (as !== null) for (const path of [folder, passwordFile]) chownSync(path, as.uid, as.gid);
  const command = (name: string, args: readonly string[]): [string, string[]] => {
    const program = join(programs.folder, name);
    if (as === null) return [program, [...args]];
    const identity = [`--reuid=${as.uid}`, `--regid=${as.gid}`, '--clear-groups'];
    return ['setpriv', [...identity, program, ...args]];
  };
  const options = { env: programs.env, cwd: folder };
  const words = (text: string) => text.split(' ');
  const [initdb, initArgs] = command(
    'initdb',
    words(`-D ${data} -U ${user} --pwfile ${passwordFile} --auth=scram-sha-256 --encoding=UTF8 --no-locale`),
  );
  await run(initdb, initArgs, options);
  // Only now: making the data takes seconds, in which another test may be given the same port.
  const [port] = (await freePorts(1)) as [number];
  const [postgres, args] = command(
    'postgres',
    words(`-D ${data} -p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c jit=off`),
  );
  const running = await startGuarded({ command: postgres, args, ...options, logFile, graceSeconds: 5 });
  const stop = async (): Promise<void> => {
    // TERM waits for every client to leave; INT ends them.
    running.signal('SIGINT');
    await running.stop(10);
    rmSync(folder, { recursive: true, force: true });
  };
  const log = () => readFileSync(logFile, 'utf8');
  try {
    await Promise.race([
      waitFor(() => log().includes('ready to accept connections'), { timeoutMs: 20_000 }),
      running.exited.then(() => {
        throw new Error('it has ended');
      }),
    ]);
  } catch (error) {
    const said = log();
    await stop();
    throw new Error(`PostgreSQL did not come up: ${String(error)}\n${said}`, { cause: error });
  }
  const { stdout: version } = await run(join(programs.folder, 'postgres'), ['--version'], options);
  return { port, user, password, version: version.trim(), stop };
}

function nobody(): { readonly uid: number; readonly gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const [, , uid, gid] = (/^nobody:.*$/m.exec(readFileSync('/etc/passwd', 'utf8'))?.[0] ?? '').split(':');
  return { uid: Number(uid), gid: Number(gid) };
}
