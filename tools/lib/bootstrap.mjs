// @ts-check
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withLock } from './lock.mjs';
import { Problem } from './problem.mjs';
import { say, step } from './progress.mjs';
import { runProgram } from './run-program.mjs';

/**
 * What must be there before any of our own code can run: a recent Node, the packages, the compiled sources. Only Node's
 * own modules are used here. Everything after that is `src/setup`.
 */

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** Installed by npm, without sources and with everything built. */
const isPackage = !existsSync(join(root, 'src'));
const lockFile = join(root, '.data', 'setup.lock');
const waiting = () => say('  another set-up is at work in this folder; waiting for it …');

const oldestNode = [20, 19];

export function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [oldMajor = 0, oldMinor = 0] = oldestNode;
  if (major < oldMajor || (major === oldMajor && minor < oldMinor)) {
    throw new Problem(`Node.js ${oldestNode.join('.')} or newer is needed; this is ${process.versions.node}`);
  }
}

/**
 * Whether node_modules holds what package-lock.json names. npm writes its own list there last, so a list means that the
 * installation was not interrupted.
 */
function packagesAreInstalled() {
  try {
    const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
    const there = JSON.parse(readFileSync(join(root, 'node_modules', '.package-lock.json'), 'utf8')).packages;
    return Object.entries(wanted).every(
      ([path, entry]) =>
        path === '' ||
        entry.link ||
        (there[path] === undefined ? entry.optional || entry.peer : there[path].version === entry.version),
    );
  } catch {
    return false;
  }
}

export async function installPackages() {
  if (isPackage || packagesAreInstalled()) return;
  await withLock(lockFile, waiting, async () => {
    if (packagesAreInstalled()) return;
    // Not `npm ci`: some registries carry the binary packages of some platforms only, so a lock file made with one of
    // them lacks the others, which `npm ci` refuses. This installs what the lock file names and leaves it as it is.
    await step('npm packages', () =>
      runProgram('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
        cwd: root,
        what: 'npm install',
      }),
    );
  });
}

/** Files below a folder, sorted. @param {string} folder @returns {string[]} */
function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

/**
 * Changes whenever a source file does: by size and time, which costs milliseconds.
 * @param {readonly string[]} paths files and folders
 */
function stateOf(paths) {
  const hash = createHash('sha256');
  const files = paths.map((path) => join(root, path));
  for (const file of files.flatMap((path) => (statSync(path).isDirectory() ? filesBelow(path) : [path]))) {
    const { size, mtimeMs } = statSync(file);
    hash.update(`${file} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

const sourceState = () => stateOf(['src', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json']);
// Of `src` the page has little more than types.
const pageState = () => stateOf(['web', 'src', 'package-lock.json']);

const dist = join(root, 'dist');
const stamp = join(dist, '.source-state');
const page = join(dist, 'web');
const pageStamp = join(page, '.source-state');

/** @param {string} file @param {() => string} state */
function isState(file, state) {
  try {
    return readFileSync(file, 'utf8') === state();
  } catch {
    return false;
  }
}

const isBuilt = () => isState(stamp, sourceState);
const pageIsBuilt = () => isState(pageStamp, pageState);

/** Compiles `src` to `dist`, beside the old one and then in its place: nobody sees half a build. */
export async function compile() {
  if (isPackage || isBuilt()) return;
  await withLock(lockFile, waiting, async () => {
    const state = sourceState();
    if (isBuilt()) return;
    await step('TypeScript', async () => {
      for (const name of readdirSync(root)) {
        if (/^dist\.(new|old)/.test(name)) rmSync(join(root, name), { recursive: true, force: true });
      }
      const fresh = join(root, `dist.new.${process.pid}`);
      const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
      await runProgram(
        process.execPath,
        [compiler, '-p', 'tsconfig.build.json', '--outDir', fresh, '--incremental', 'false'],
        { cwd: root, what: 'compiling the TypeScript sources' },
      );
      for (const name of ['workflow-bundle.js', 'workflow-bundle.key', 'web']) {
        // Made by the steps after this one, which keep them when their sources are the same.
        if (existsSync(join(dist, name))) renameSync(join(dist, name), join(fresh, name));
      }
      writeFileSync(join(fresh, '.source-state'), state);
      const old = join(root, `dist.old.${process.pid}`);
      if (existsSync(dist)) renameSync(dist, old);
      renameSync(fresh, dist);
      rmSync(old, { recursive: true, force: true });
    });
  });
}

/** Bundles `web` to `dist/web`, in the same way. Only where its tools are: an installation without them has it built. */
export async function buildPage() {
  if (isPackage) return;
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  if (pageIsBuilt() || (!existsSync(vite) && existsSync(pageStamp))) return;
  await withLock(lockFile, waiting, async () => {
    const state = pageState();
    if (pageIsBuilt()) return;
    await step('the page', async () => {
      for (const name of readdirSync(dist)) {
        if (/^web\.(new|old)/.test(name)) rmSync(join(dist, name), { recursive: true, force: true });
      }
      const fresh = join(dist, `web.new.${process.pid}`);
      await runProgram(process.execPath, [vite, 'build', 'web', '--outDir', fresh, '--logLevel', 'warn'], {
        cwd: root,
        what: 'bundling the page',
      });
      writeFileSync(join(fresh, '.source-state'), state);
      const old = join(dist, `web.old.${process.pid}`);
      if (existsSync(page)) renameSync(page, old);
      renameSync(fresh, page);
      rmSync(old, { recursive: true, force: true });
    });
  });
}
