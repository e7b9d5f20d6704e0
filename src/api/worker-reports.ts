import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { staleReportMs, type WorkerReport, workerReportSchema } from '../contract/worker-report.js';
import { isMissing } from '../store/atomic.js';

/**
 * What the live workers say of themselves. A report that is not renewed belongs to a dead worker; its age is that of the
 * file or of the time in it, whichever is younger, since the clocks of hosts and of the share may differ.
 */
export async function liveWorkers(shareRoot: string): Promise<WorkerReport[]> {
  const folder = join(shareRoot, '.workers');
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
  const reports = await Promise.all(
    names.filter((name) => name.endsWith('.json')).map((name) => readReport(join(folder, name))),
  );
  return reports.filter((report) => report !== null).sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function readReport(file: string): Promise<WorkerReport | null> {
  try {
    const { mtimeMs } = await stat(file);
    const parsed = workerReportSchema.safeParse(JSON.parse(await readFile(file, 'utf8')));
    if (!parsed.success) return null;
    const newest = Math.max(mtimeMs, Date.parse(parsed.data.at) || 0);
    return Date.now() - newest > staleReportMs ? null : parsed.data;
  } catch {
    // Gone since the folder was read, or written by a version that this one does not know.
    return null;
  }
}
