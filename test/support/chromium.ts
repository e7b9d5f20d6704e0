import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { withLock } from '../../tools/lib/lock.mjs';

/** A real browser for tests of the page: Chromium of this machine, else that of Debian's packages, unpacked into the cache. */

const run = promisify(execFile);
const ignore = () => {};

export interface Chromium {
  readonly path: string;
  readonly env: NodeJS.ProcessEnv;
}

/** @throws with what to do when it cannot be had */
export async function obtainChromium(
  cachePath: string,
  { onlyDownloaded = false }: { readonly onlyDownloaded?: boolean } = {},
): Promise<Chromium> {
  for (const name of onlyDownloaded ? [] : ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']) {
    for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
      const path = join(folder, name);
      if (folder !== '' && existsSync(path) && (await works({ path, env: process.env })))
        return { path, env: process.env };
    }
  }
  const place = join(cachePath, 'test', 'chromium');
  const complete = join(place, '.complete');
  try {
    mkdirSync(join(cachePath, 'test'), { recursive: true });
    // Several files of tests begin at the same time.
    await withLock(`${place}.lock`, ignore, async () => {
      if (existsSync(complete)) return;
      await downloadDebian(place);
      writeFileSync(complete, '');
    });
  } catch (error) {
    throw new Error(
      'tests of the page need Chromium: none is in PATH, and the packages of Debian cannot be had: ' +
        `${(error as Error).message.trim().split('\n').at(-1)}. Install it ("apt-get install chromium") and try again`,
      { cause: error },
    );
  }
  const found = { path: join(place, 'usr', 'lib', 'chromium', 'chromium'), env: environment(place) };
  if (!(await works(found))) {
    throw new Error('Chromium of the packages of Debian does not run here: install it ("apt-get install chromium")');
  }
  return found;
}

async function works({ path, env }: Chromium): Promise<boolean> {
  try {
    // Loads every library; a launcher that only points to a store of packages fails here.
    await run(path, ['--version'], { env, timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
}

async function downloadDebian(place: string): Promise<void> {
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  const missing = await missingPackages().catch(async () => {
    // Images of containers come without the lists of packages; only root can fetch them.
    await run('apt-get', ['update']);
    return missingPackages();
  });
  await run('apt-get', ['download', ...new Set(['chromium', 'chromium-common', ...missing])], { cwd: place });
  for (const name of readdirSync(place)) {
    if (!name.endsWith('.deb')) continue;
    await run('dpkg', ['-x', join(place, name), place]);
    rmSync(join(place, name));
  }
}

/** What an installation would bring, with all libraries. */
async function missingPackages(): Promise<string[]> {
  const { stdout } = await run('apt-get', ['install', '--simulate', '--no-install-recommends', 'chromium']);
  return [...stdout.matchAll(/^Inst (\S+)/gm)].map(([, name]) => name as string);
}

function environment(place: string): NodeJS.ProcessEnv {
  const libraries = ['usr/lib', 'lib'].map((folder) => join(place, folder)).filter((folder) => existsSync(folder));
  const folders = libraries.flatMap((folder) =>
    readdirSync(folder, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile() && /\.so(\.|$)/.test(entry.name))
      .map((entry) => entry.parentPath),
  );
  const fonts = join(place, 'etc', 'fonts');
  return {
    ...process.env,
    LD_LIBRARY_PATH: [...new Set(folders), process.env['LD_LIBRARY_PATH']].filter(Boolean).join(delimiter),
    ...(existsSync('/etc/fonts') || !existsSync(fonts) ? {} : { FONTCONFIG_PATH: fonts }),
  };
}
