import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Prometheus' tool that checks rules: that of this machine, else that of Debian's package, unpacked into the cache. */
export async function obtainPromtool(cachePath: string): Promise<string> {
  if (await works('promtool')) return 'promtool';
  const place = join(cachePath, 'test', 'prometheus');
  const program = join(place, 'usr', 'bin', 'promtool');
  const complete = join(place, '.complete');
  try {
    if (!existsSync(complete)) {
      rmSync(place, { recursive: true, force: true });
      mkdirSync(place, { recursive: true });
      await run('apt-get', ['download', 'prometheus'], { cwd: place }).catch(async () => {
        // Images of containers come without the lists of packages; only root can fetch them.
        await run('apt-get', ['update']);
        await run('apt-get', ['download', 'prometheus'], { cwd: place });
      });
      for (const name of readdirSync(place)) {
        if (!name.endsWith('.deb')) continue;
        await run('dpkg', ['-x', join(place, name), place]);
        rmSync(join(place, name));
      }
      // The server is larger than all else together, and not needed.
      rmSync(join(place, 'usr', 'bin', 'prometheus'), { force: true });
      writeFileSync(complete, '');
    }
  } catch (error) {
    throw new Error(
      'tests of the alert rules need promtool: it is not in PATH, and the package of Debian cannot be had: ' +
        `${(error as Error).message.trim().split('\n').at(-1)}. Install it ("apt-get install prometheus") and try again`,
      { cause: error },
    );
  }
  if (!(await works(program)))
    throw new Error('promtool of the package of Debian does not run here: install prometheus');
  return program;
}

async function works(program: string): Promise<boolean> {
  try {
    await run(program, ['--version']);
    return true;
  } catch {
    return false;
  }
}
