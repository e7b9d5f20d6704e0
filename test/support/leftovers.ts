import { readdirSync, readFileSync } from 'node:fs';

/**
 * Processes that carry `mark` (a folder of this test) in their arguments or their environment: what a system that was
 * stopped or killed has left behind. Our own is not counted.
 */
export function processesWith(mark: string): string[] {
  const found: string[] = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    if (Number(pid) === process.pid) continue;
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
      // A zombie has neither: it has ended, and only its parent has not looked yet.
      if (command.includes(mark) || environment.includes(mark))
        found.push(`${pid} ${command.replaceAll('\0', ' ').slice(0, 200)}`);
    } catch {
      // ended meanwhile, or not ours
    }
  }
  return found;
}
