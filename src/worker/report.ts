import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { drainFileOf, reportEveryMs, staleReportMs, type WorkerReport } from '../contract/worker-report.js';
import { isMissing, writeFileAtomic } from '../store/atomic.js';

export interface ReportHooks {
  readonly read: () => Promise<WorkerReport>;
  /** Somebody has asked this worker to drain. */
  readonly onDrain: () => void;
  readonly onError: (error: unknown) => void;
}

/**
 * Keeps a worker's report on the share fresh, looks whether it is asked to drain, and clears away reports of workers that
 * died long ago.
 */
export function publishReports(folder: string, name: string, hooks: ReportHooks): { stop(): Promise<void> } {
  const file = join(folder, `${name}.json`);
  const drainFile = join(folder, drainFileOf(name));
  let stopped = false;
  const write = async (): Promise<void> => {
    try {
      if (await exists(drainFile)) hooks.onDrain();
      const report = await hooks.read();
      if (!stopped) await writeFileAtomic(file, JSON.stringify(report));
    } catch (error) {
      hooks.onError(error);
    }
  };
  // One of the same name asked its predecessor, which died before it could take the file away.
  let writing = rm(drainFile, { force: true }).catch(hooks.onError).then(write);
  const timer = setInterval(() => {
    writing = writing.then(write);
  }, reportEveryMs);
  void clearDead(folder).catch(hooks.onError);
  return {
    async stop() {
      clearInterval(timer);
      stopped = true;
      await writing;
      await Promise.all([file, drainFile].map((path) => rm(path, { force: true })));
    },
  };
}

async function exists(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function clearDead(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const stats = await stat(path).catch(() => null);
    if (stats !== null && Date.now() - stats.mtimeMs > 40 * staleReportMs) await rm(path, { force: true });
  }
}
