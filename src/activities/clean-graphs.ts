import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing, readTextIfExists } from '../store/atomic.js';
import type { GraphShare } from '../store/graph-share.js';
import type { JobStore } from '../store/job-store.js';
import { reuseFolder } from './result-reuse.js';

/** A graph whose journal has been silent for so long, and that Temporal does not run, will not go on. */
const silentMs = 24 * 3600 * 1000;

/**
 * When graphs ended: their jobs count from then on, since as long as a graph is open any of its nodes may ask for what another
 * one has made. Asked once for each graph of a sweep.
 */
export class GraphEnds {
  readonly #graphs: GraphShare;
  readonly #isOpen: (graphId: string) => Promise<boolean | null>;
  readonly #known = new Map<string, Promise<number | 'open' | null>>();

  constructor(graphs: GraphShare, isOpen: (graphId: string) => Promise<boolean | null>) {
    this.#graphs = graphs;
    this.#isOpen = isOpen;
  }

  /** Milliseconds since 1970; null where no graph of that id has a document. */
  of(graphId: string, now: number): Promise<number | 'open' | null> {
    const end = this.#known.get(graphId) ?? this.#find(graphId, now);
    this.#known.set(graphId, end);
    return end;
  }

  async #find(graphId: string, now: number): Promise<number | 'open' | null> {
    const header = await stat(this.#graphs.documents.paths(graphId).header).catch((error: unknown) => {
      if (isMissing(error)) return null;
      throw error;
    });
    if (header === null) return null;
    const { endedAt, changedAt } = await this.#graphs.reader.summary(graphId);
    if (endedAt !== null) return Date.parse(endedAt);
    // Terminated by hand, or its last line was lost with the worker that should have written it.
    const lastSign = changedAt === null ? header.mtimeMs : Date.parse(changedAt);
    if (now - lastSign < silentMs || (await this.#isOpen(graphId)) === true) return 'open';
    return lastSign;
  }
}

/** The graph's own folder: first the files that came with it go, then the document and the journal. */
export async function cleanGraph(
  graphs: GraphShare,
  graphId: string,
  ageSeconds: number,
  limits: { readonly cleanupDelay: number; readonly recordRetention: number },
): Promise<'kept' | 'cleaned' | 'removed'> {
  const { documents, reader } = graphs;
  if (ageSeconds >= limits.recordRetention) {
    await documents.remove(graphId);
    reader.forget(graphId);
    return 'removed';
  }
  if (ageSeconds < limits.cleanupDelay) return 'kept';
  const { inputs } = documents.paths(graphId);
  if ((await readdir(inputs).catch(() => [])).length === 0) return 'kept';
  await rm(inputs, { recursive: true, force: true });
  return 'cleaned';
}

/** Notes about results that could be reused, whose job is gone. */
export async function removeStaleReuse(store: JobStore): Promise<void> {
  const folder = reuseFolder(store);
  const names = await readdir(folder).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  for (const name of names) {
    const path = join(folder, name);
    const text = await readTextIfExists(path);
    const jobId = text === null ? null : jobOf(text);
    if (jobId === null || !(await store.exists(jobId))) await rm(path, { force: true });
  }
}

function jobOf(text: string): string | null {
  try {
    return (JSON.parse(text) as { jobId: string }).jobId;
  } catch {
    return null;
  }
}
