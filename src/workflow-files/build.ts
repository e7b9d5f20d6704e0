import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Bundled, bundleFile } from './bundle.js';

/** Bundling takes two seconds of a core and 200 MB, and runs code of others: all of that in a process of its own. */
const limitMs = 120_000;
const largestAnswer = 256 * 1024 * 1024;

export type Build = typeof bundleFile;

export const buildApart: Build = async (folder, name, file, scripts) => {
  const program = fileURLToPath(new URL('./bundle-main.js', import.meta.url));
  // Run from the sources, as tests do, there is no compiled program.
  if (!program.includes('/dist/')) return bundleFile(folder, name, file, scripts);
  try {
    const { PATH, HOME, TMPDIR } = process.env;
    const { stdout } = await promisify(execFile)(process.execPath, [program, folder, name, file, scripts], {
      env: Object.fromEntries(Object.entries({ PATH, HOME, TMPDIR }).filter(([, value]) => value !== undefined)),
      timeout: limitMs,
      maxBuffer: largestAnswer,
      killSignal: 'SIGKILL',
    });
    return JSON.parse(stdout) as Bundled;
  } catch (error) {
    const { stderr, killed } = error as { stderr?: string; killed?: boolean };
    const reason = killed === true ? `it took longer than ${limitMs / 1000} s` : (stderr?.trim() ?? String(error));
    const message = `cannot be bundled: ${reason.split('\n').slice(0, 3).join(' ') || String(error)}`;
    return { ok: false, problems: [{ file, line: null, column: null, message }], sources: [file] };
  }
};
