import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { reportEveryMs, staleReportMs, type WorkerReport } from '../contract/worker-report.js';
import { writeFileAtomic } from '../store/atomic.js';

/** Keeps a worker's report on the share fresh, and clears away those of workers that died long ago. */
export function publishReports(
  folder: string,
  read: () => Promise<WorkerReport>,
  onError: (error: unknown) => void,
): { stop(): Promise<void> } {
  let stopped = false;
  let file: string | null = null;
  let writing = Promise.resolve();
  const write = async (): Promise<void> => {
    try {
      const report = await read();
      if (stopped) return;
      file = join(folder, `${report.name}.json`);
      await writeFileAtomic(file, JSON.stringify(report));
    } catch (error) {
      onError(error);
    }
  };
  const tick = (): void => {
    writing = writing.then(write);
  };
  tick();
  const timer = setInterval(tick, reportEveryMs);
  void clearDead(folder).catch(onError);
  return {
    async stop() {
      clearInterval(timer);
      stopped = true;
      await writing;
      if (file !== null) await rm(file, { force: true });
    },
  };
}

async function clearDead(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const stats = await stat(path).catch(() => null);
    if (stats !== null && Date.now() - stats.mtimeMs > 40 * staleReportMs) await rm(path, { force: true });
  }
}
