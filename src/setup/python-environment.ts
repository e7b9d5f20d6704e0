import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../config/project-root.js';
import { Problem, type SetUpTools } from './tools.js';

/**
 * The Python environment of the scripts: a venv per user, in the cache, named after what it is made of (the requirement
 * files, the Python version, the kind of machine). A change of any of them makes another one.
 *
 * A venv holds its own path in its start scripts, so it is made in its final place and not renamed into it; what tells a
 * finished one from an interrupted one is the mark written last.
 */

/** The oldest that the pinned wheels (numpy, pillow) are built for. */
const oldest = [3, 11] as const;
const mark = '.complete';

export interface Python {
  /** The interpreter itself, not a start script of a version manager. */
  readonly executable: string;
  readonly version: string;
}

export const requirementFiles = {
  run: ['requirements.txt'],
  dev: ['requirements.txt', 'requirements-dev.txt'],
} as const;

export type EnvironmentKind = keyof typeof requirementFiles;

const candidates =
  process.platform === 'win32'
    ? ['python', 'python3', 'py']
    : ['python3', 'python', 'python3.14', 'python3.13', 'python3.12', 'python3.11'];

async function inspect(command: string): Promise<Python | string | null> {
  try {
    const { stdout } = await promisify(execFile)(
      command,
      ['-c', 'import sys; print(sys.executable); print("%d.%d.%d" % sys.version_info[:3])'],
      { timeout: 20_000 },
    );
    const [executable, version] = stdout.trim().split(/\r?\n/) as [string, string];
    const [major = 0, minor = 0] = version.split('.').map(Number);
    return major > oldest[0] || (major === oldest[0] && minor >= oldest[1]) ? { executable, version } : version;
  } catch {
    return null;
  }
}

/** The first Python on PATH that is recent enough. @throws Problem when there is none. */
export async function findPython(): Promise<Python> {
  const tooOld: string[] = [];
  for (const command of candidates) {
    const found = await inspect(command);
    if (found === null) continue;
    if (typeof found !== 'string') return found;
    tooOld.push(`${command} is ${found}`);
  }
  throw new Problem(
    `Python ${oldest.join('.')} or newer is needed and was not found on PATH${tooOld.length > 0 ? ` (${tooOld.join(', ')})` : ''}; install it, or name the interpreter of an environment of your own (3.10 will do) in PYTHON`,
  );
}

function environmentFolder(cachePath: string, python: Python, kind: EnvironmentKind): string {
  const hash = createHash('sha256').update(`${python.executable}\n`);
  for (const name of requirementFiles[kind]) hash.update(readFileSync(join(projectRoot, 'python', name)));
  const key = `${hash.digest('hex').slice(0, 12)}-py${python.version}-${process.platform}-${process.arch}`;
  return join(cachePath, 'python', key);
}

const interpreterIn = (folder: string) =>
  process.platform === 'win32' ? join(folder, 'Scripts', 'python.exe') : join(folder, 'bin', 'python');

const isComplete = (folder: string) => existsSync(join(folder, mark)) && existsSync(interpreterIn(folder));

/** The interpreter of the environment that set-up made. @throws Problem when it has not been made. */
export async function locatePython(cachePath: string, kind: EnvironmentKind = 'run'): Promise<string> {
  const folder = environmentFolder(cachePath, await findPython(), kind);
  if (!isComplete(folder)) {
    throw new Problem('the Python environment of the scripts has not been made: run `npm run setup`');
  }
  return interpreterIn(folder);
}

/** Makes the environment when it is not there; gives its interpreter. @throws Problem */
export async function ensurePython(cachePath: string, kind: EnvironmentKind, tools: SetUpTools): Promise<string> {
  const python = await findPython();
  const folder = environmentFolder(cachePath, python, kind);
  if (isComplete(folder)) return interpreterIn(folder);
  mkdirSync(join(cachePath, 'python'), { recursive: true });
  const waiting = () => tools.say('  another set-up is making the Python environment; waiting for it …');
  return tools.withLock(`${folder}.lock`, waiting, async () => {
    if (!isComplete(folder)) {
      const title = kind === 'dev' ? 'Python environment with test tools' : 'Python environment';
      await tools.step(title, (detail) => make(folder, python, kind, tools, detail));
    }
    return interpreterIn(folder);
  });
}

async function make(
  folder: string,
  python: Python,
  kind: EnvironmentKind,
  tools: SetUpTools,
  detail: (text: string) => void,
): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  // Settings of the user's own Python would reach into the new environment.
  const { PYTHONPATH: _path, PYTHONHOME: _home, VIRTUAL_ENV: _venv, ...rest } = process.env;
  const env = { ...rest, PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_NO_INPUT: '1' };
  detail(`venv of Python ${python.version}`);
  try {
    await tools.runProgram(python.executable, ['-m', 'venv', folder], { what: 'python -m venv', env });
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'Problem') throw error;
    rmSync(folder, { recursive: true, force: true });
    throw new Problem(
      `Python ${python.version} (${python.executable}) cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv\n${error.message}`,
    );
  }
  const interpreter = interpreterIn(folder);
  await tools.runProgram(
    interpreter,
    [
      '-m',
      'pip',
      'install',
      '--no-input',
      '--disable-pip-version-check',
      '--prefer-binary',
      '--progress-bar',
      'off',
      ...requirementFiles[kind].flatMap((name) => ['-r', join(projectRoot, 'python', name)]),
    ],
    {
      what: 'pip install',
      env,
      onLine: (line) => {
        const step = /^(Collecting|Downloading|Installing|Building)\s+(\S+)/.exec(line.trim());
        if (step) detail(`${step[1]} ${(step[2] as string).split('/').at(-1)}`);
      },
    },
  );
  detail('checking');
  await tools.runProgram(interpreter, ['-m', 'pip', 'check'], { what: 'pip check', env });
  writeFileSync(join(folder, `${mark}.new`), `${python.version}\n`);
  renameSync(join(folder, `${mark}.new`), join(folder, mark));
}
