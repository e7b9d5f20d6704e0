import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { isTerminal } from '../../contract/job.js';
import { EngineError } from '../../errors/engine-error.js';
import { isMissing, readTextIfExists } from '../../store/atomic.js';
import { fingerprintOf } from '../../store/fingerprint.js';
import { archiveFilesOf, type JobPaths } from '../../store/layout.js';
import { unlinked } from '../../store/unlinked.js';
import type { ApiDeps, App } from '../deps.js';
import { sendFile } from '../http/send-file.js';
import type { JobsReader } from '../jobs-reader.js';
import type { QueueWatch } from '../queue-watch.js';
import { errorAnswers } from '../schemas/errors.js';
import { jobParamsSchema } from '../schemas/jobs.js';

const stampSchema = z.object({ fingerprint: z.string() });

/**
 * The zip of all outputs. It is made on request by a task on queue `zip`, once per state of the outputs: a note beside
 * the archive says which state it holds, and it is served only while that is still the state.
 */
export function archiveRoutes(app: App, { store, engine }: ApiDeps, reader: JobsReader, queues: QueueWatch): void {
  app.get(
    '/jobs/:job_uuid/outputs/archive',
    {
      config: {
        docs: { answers: { 200: { type: 'application/octet-stream', description: 'The zip file.' } } },
      },
      schema: {
        tags: ['jobs'],
        summary: 'All outputs as a zip',
        description:
          'Answers 425 until the archive is made: ask again each second. Works for every job that has ended.',
        security: [{ APIKeyHeader: [] }],
        params: jobParamsSchema,
        response: { ...errorAnswers(400, 401, 404, 425, 500, 503) },
      },
    },
    async (request, reply) => {
      const jobId = request.params.job_uuid;
      const record = await reader.required(jobId);
      if (record.cleanedAt !== null) {
        throw new EngineError('NOT_FOUND', `the files of job ${jobId} were deleted at ${record.cleanedAt}`);
      }
      if (!isTerminal(record.status)) {
        throw new EngineError('TOO_EARLY', `job ${jobId} has not ended: its status is ${record.status}`);
      }
      const paths = store.paths(jobId);
      const fingerprint = await fingerprintOf(paths.outputs);
      if (await isCurrent(paths, jobId, fingerprint)) {
        await unlinked(store.root, paths.archives);
        return sendFile(request, reply, archiveFilesOf(paths, jobId).zip, `${jobId}.zip`);
      }
      const task = await engine.startArchive(jobId, fingerprint);
      const waiting = await queues.whyWaiting('zip');
      throw new EngineError(
        'TOO_EARLY',
        `the archive is being made by task ${task}${waiting === null ? '' : `; ${waiting.message}`}`,
      );
    },
  );
}

async function isCurrent(paths: JobPaths, jobId: string, fingerprint: string): Promise<boolean> {
  const { zip, stamp } = archiveFilesOf(paths, jobId);
  const text = await readTextIfExists(stamp);
  if (text === null) return false;
  const parsed = stampSchema.safeParse(safeJson(text));
  if (!parsed.success || parsed.data.fingerprint !== fingerprint) return false;
  try {
    return (await stat(zip)).isFile();
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
