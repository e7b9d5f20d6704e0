import { createWriteStream } from 'node:fs';
import { mkdir, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { ZipArchive } from 'archiver';
import type { Logger } from 'pino';
import { graphIdOf, nodeIndexOf } from '../contract/ids.js';
import { isTerminal } from '../contract/job.js';
import { jobFields } from '../contract/log-fields.js';
import { preciseNow, utcWithOffset } from '../contract/time.js';
import { EngineError } from '../errors/engine-error.js';
import { isMissing, writeFileAtomic } from '../store/atomic.js';
import { fingerprintOf, walk } from '../store/fingerprint.js';
import { type GraphShare, openGraphs } from '../store/graph-share.js';
import type { JobStore } from '../store/job-store.js';
import { archiveFilesOf } from '../store/layout.js';
import { unlinked } from '../store/unlinked.js';
import { cleanGraph, GraphEnds, removeStaleReuse } from './clean-graphs.js';

/** The product's own work on files: archives (queue `zip`) and deletion (queue `clean`). */
export interface ServiceActivities {
  /** Packs a job's outputs; the archive appears whole, marked with the state of the outputs it holds. */
  zipOutputs(jobId: string): Promise<void>;
  /** Deletes what has been kept long enough. */
  cleanShare(): Promise<{ readonly cleaned: number; readonly removed: number }>;
}

export interface ServiceDeps {
  readonly store: JobStore;
  /** Seconds from a job's end to the deletion of its files. */
  readonly cleanupDelay: number;
  /** Seconds from a job's end to the deletion of its record. */
  readonly recordRetention: number;
  /** Whether Temporal still runs the job; null when it does not know it. */
  readonly isOpen: (jobId: string) => Promise<boolean | null>;
  readonly logger: Logger;
}

/** Uploads and half-made archives older than this belong to nobody: no request and no attempt lasts as long. */
const abandonedMs = 24 * 3600 * 1000;

export function createServiceActivities(deps: ServiceDeps): ServiceActivities {
  const { store } = deps;
  const graphs = openGraphs(store);
  return {
    async zipOutputs(jobId) {
      const context = Context.current();
      const paths = store.paths(jobId);
      if (!(await store.exists(jobId)))
        throw ApplicationFailure.nonRetryable(`job ${jobId} has been deleted`, 'NOT_FOUND');
      const root = await outputsRoot(store, paths.outputs);
      await mkdir(paths.archives, { recursive: true });
      const archive = archiveFilesOf(paths, jobId);
      // Taken first: when the outputs change while they are packed, the archive is seen to be old and is made again.
      const fingerprint = await fingerprintOf(paths.outputs);
      const temporary = join(
        paths.archives,
        `.${context.info.workflowExecution?.runId ?? 'zip'}-${context.info.attempt}.tmp`,
      );
      const zip = new ZipArchive({ zlib: { level: 6 } });
      const written = pipeline(zip, createWriteStream(temporary), { signal: context.cancellationSignal });
      const beat = setInterval(() => context.heartbeat(), 1000);
      try {
        for await (const entry of walk(root)) {
          const date = new Date(entry.changedMs);
          if (entry.kind === 'folder') zip.append('', { name: `${entry.path}/` });
          else if (entry.kind === 'file') zip.file(join(root, entry.path), { name: entry.path, date });
          else if (entry.kind === 'link') {
            // Packed as the file it means, if that is one of the outputs; a link out of them could mean any file of this host.
            const target = await realpath(join(root, entry.path)).catch(() => null);
            if (target?.startsWith(root + sep) && (await stat(target)).isFile())
              zip.file(target, { name: entry.path, date });
          }
        }
        await Promise.all([zip.finalize(), written]);
        await rename(temporary, archive.zip);
        await writeFileAtomic(archive.stamp, JSON.stringify({ fingerprint }));
      } finally {
        clearInterval(beat);
        zip.destroy(); // ends the pipeline where packing failed half-way
        await written.catch(() => undefined);
        await rm(temporary, { force: true });
      }
    },

    async cleanShare() {
      const context = Context.current();
      const now = Date.now();
      let cleaned = 0;
      let removed = 0;
      const sweep: Sweep = { deps, graphs, ends: new GraphEnds(graphs, deps.isOpen), now };
      await removeAbandoned(store, now, deps.logger);
      for await (const jobId of store.jobIds()) {
        context.heartbeat();
        if (context.cancellationSignal.aborted) break;
        try {
          const what = nodeIndexOf(jobId) === 0 ? await sweepGraph(sweep, jobId) : await cleanJob(sweep, jobId);
          if (what === 'cleaned') cleaned += 1;
          else if (what === 'removed') removed += 1;
        } catch (error) {
          deps.logger.error({ ...jobFields(jobId), err: error }, 'a job could not be cleaned');
        }
      }
      await removeStaleReuse(store);
      if (cleaned + removed > 0) deps.logger.info({ cleaned, removed }, 'the share was cleaned');
      return { cleaned, removed };
    },
  };
}

/** The outputs at their real place: a link that a script put there instead could mean any folder of this host. */
async function outputsRoot(store: JobStore, outputs: string): Promise<string> {
  try {
    return await unlinked(store.root, outputs);
  } catch (error) {
    if (isMissing(error)) return outputs; // a job without outputs has an empty archive
    if (error instanceof EngineError) throw ApplicationFailure.nonRetryable(error.message, error.code);
    throw error;
  }
}

interface Sweep {
  readonly deps: ServiceDeps;
  readonly graphs: GraphShare;
  readonly ends: GraphEnds;
  readonly now: number;
}

async function sweepGraph(
  { deps, graphs, ends, now }: Sweep,
  graphId: string,
): Promise<'kept' | 'cleaned' | 'removed'> {
  const end = await ends.of(graphId, now);
  return end === null || end === 'open' ? 'kept' : cleanGraph(graphs, graphId, (now - end) / 1000, deps);
}

/** Counts from the end of a job, and of its graph, so nothing that runs or may be asked for is ever touched. */
async function cleanJob({ deps, ends, now }: Sweep, jobId: string): Promise<'kept' | 'cleaned' | 'removed'> {
  const { store } = deps;
  const { record: recordFile, spec: specFile } = store.paths(jobId);
  // A job that nobody has begun has no record yet.
  const changedAt = ((await stat(recordFile).catch(() => null)) ?? (await stat(specFile).catch(() => null)))?.mtimeMs;
  if (changedAt === undefined || now - changedAt < deps.cleanupDelay * 1000) return 'kept'; // most jobs: one look, no read
  const record = await store.readRecord(jobId);
  if (record === null) return 'kept';
  const graphEnd = await ends.of(graphIdOf(jobId), now);
  if (graphEnd === 'open') return 'kept';
  if (!isTerminal(record.status) && graphEnd === null) {
    // Accepted but never started (the API died in between), and Temporal has never heard of it.
    if (record.status !== 'PENDING' || now - changedAt < abandonedMs || (await deps.isOpen(jobId)) !== null)
      return 'kept';
    await store.remove(jobId);
    return 'removed';
  }
  const stopped = record.timeInfo.stopped === null ? changedAt : Date.parse(record.timeInfo.stopped);
  const age = (now - Math.max(stopped, graphEnd ?? 0)) / 1000;
  if (age >= deps.recordRetention) {
    await store.remove(jobId);
    return 'removed';
  }
  // Also one that a sweep before has begun with: it was broken off, or something could not be deleted.
  if (age >= deps.cleanupDelay && (record.cleanedAt === null || (await store.hasFiles(jobId)))) {
    await store.removeFiles(record, utcWithOffset(preciseNow()));
    return 'cleaned';
  }
  return 'kept';
}

async function removeAbandoned(store: JobStore, now: number, logger: Logger): Promise<void> {
  const incoming = join(store.root, '.incoming');
  const names = await readdir(incoming).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  for (const name of names) {
    const path = join(incoming, name);
    const stats = await stat(path).catch(() => null);
    if (stats === null || now - stats.mtimeMs <= abandonedMs) continue;
    await rm(path, { recursive: true, force: true }).catch((error: unknown) => {
      logger.error({ path, err: error }, 'an abandoned upload could not be deleted');
    });
  }
}
