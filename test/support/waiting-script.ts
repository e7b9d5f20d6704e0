import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A script that tells that it runs, then waits for a file `go`; it leaves a mark of each attempt that came so far. */
export const waitingScript = `
import os, time
def main(pc, params):
    open(pc.get_output_dir('from-' + str(os.getpid())), 'w').close()
    open(params['dir'] + '/started-' + str(os.getpid()), 'w').close()
    while not os.path.exists(params['dir'] + '/go'):
        time.sleep(0.02)
    return os.getpid()
`;

/** Where the marks of one test lie. */
export function scratchFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'pixyz-kill-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export const startedIn = (dir: string): string[] => readdirSync(dir).filter((name) => name.startsWith('started-'));
