import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobRecord } from '../contract/job.js';
import type { Json } from '../contract/json.js';
import { jobFields } from '../contract/log-fields.js';
import { EngineError } from '../errors/engine-error.js';
import { isMissing } from '../store/atomic.js';
import type { GraphShare } from '../store/graph-share.js';
import type { GraphStore } from '../store/graph-store.js';
import { NodeRecords } from '../store/node-record.js';
import type { ApiDeps, Request } from './deps.js';
import { JsonText } from './http/json-text.js';
import type { LostJobs } from './lost-jobs.js';
import { presentAsked } from './presenters/asked-job.js';
import {
  detailsWithoutRecord,
  presentDetails,
  presentState,
  unknownState,
  unreadableState,
} from './presenters/job-state.js';
import type { QueueWatch } from './queue-watch.js';
import type { AskedJob, JobDetails, JobState } from './schemas/jobs.js';
import { temporalUiBase } from './temporal-links.js';

/**
 * The state of jobs, from their records on the share. Reading starts nothing, creates nothing and asks Temporal nothing,
 * but for the one question why a waiting job cannot start.
 */
export class JobsReader {
  readonly #deps: ApiDeps;
  readonly #queues: QueueWatch;
  readonly #nodes: NodeRecords;
  readonly #lost: LostJobs;
  readonly #graphs: GraphStore;

  constructor(deps: ApiDeps, queues: QueueWatch, graphs: GraphShare, lost: LostJobs) {
    this.#deps = deps;
    this.#lost = lost;
    this.#graphs = graphs.documents;
    this.#nodes = new NodeRecords(deps.store, graphs);
    this.#queues = queues;
  }

  /** The record, also of a node that nobody has begun, or null. @throws whatever the share throws */
  async record(jobId: string): Promise<JobRecord | null> {
    const record = (await this.#deps.store.readRecord(jobId)) ?? (await this.#nodes.record(jobId));
    // Ids are case-sensitive, whatever the file system of the share thinks.
    return record?.jobId === jobId ? record : null;
  }

  /** The record for somebody who asks about this one job: whether a silent one still runs is found out, too. */
  async current(jobId: string): Promise<JobRecord | null> {
    const record = await this.record(jobId);
    return record !== null && (await this.#lost.look(record)) ? this.record(jobId) : record;
  }

  /** The record of a job that has to be there. @throws EngineError NOT_FOUND */
  async required(jobId: string): Promise<JobRecord> {
    const record = await this.record(jobId);
    if (record === null) throw new EngineError('NOT_FOUND', `there is no job ${jobId}`);
    return record;
  }

  async state(jobId: string, request: Request): Promise<JobState> {
    try {
      const record = await this.current(jobId);
      return record === null ? unknownState(jobId) : presentState(record);
    } catch (error) {
      request.log.error({ err: error, ...jobFields(jobId) }, 'a record cannot be read');
      return unreadableState(jobId);
    }
  }

  async details(jobId: string, request: Request): Promise<JobDetails> {
    try {
      const record = await this.current(jobId);
      return record === null ? detailsWithoutRecord(unknownState(jobId)) : await this.detailsOf(record);
    } catch (error) {
      request.log.error({ err: error, ...jobFields(jobId) }, 'a record cannot be read');
      return detailsWithoutRecord(unreadableState(jobId));
    }
  }

  async detailsOf(record: JobRecord): Promise<JobDetails> {
    const [result, waiting, links] = await Promise.all([
      this.result(record),
      record.status === 'PENDING' || record.status === 'RETRY' ? this.#queues.whyWaiting(record.queue) : null,
      this.links(record),
    ]);
    return presentDetails(record, {
      result,
      waiting: waiting?.message ?? null,
      links,
    });
  }

  /** @throws EngineError NOT_FOUND */
  async asked(jobId: string): Promise<AskedJob> {
    const spec = await this.#deps.store.readSpec(jobId);
    if (spec?.jobId !== jobId) throw new EngineError('NOT_FOUND', `there is no job ${jobId}, or it has not begun`);
    return presentAsked(spec, (await this.#graphs.header(spec.graphId)) !== null);
  }

  /** The return value, wherever it lies: as its own text where JavaScript would change it. */
  async result(record: JobRecord): Promise<Json | JsonText> {
    if (record.resultFile === null) return record.result;
    const file = join(this.#deps.store.paths(record.jobId).folder, record.resultFile.file);
    try {
      const text = await readFile(file, 'utf8');
      const value = JSON.parse(text) as Json; // scripts can reach the file: nothing else is told of it than JSON
      return /[\r\n]/.test(text) ? value : new JsonText(text);
    } catch (error) {
      // Retention deletes the files of a job before its record.
      if (isMissing(error)) return null;
      throw error;
    }
  }

  /** Where Temporal's Web UI shows the job: the run of its graph, or the standalone activity that is all of it. */
  async links(record: JobRecord): Promise<Record<string, string>> {
    const { temporalUi } = this.#deps.options;
    if (temporalUi === null) return {};
    const base = temporalUiBase(temporalUi);
    if (record.activityRun !== undefined) {
      return { temporal: `${base}/activities/${record.jobId}/${record.activityRun}` };
    }
    if (record.attempts.length === 0 && (await this.#isAlone(record.jobId))) {
      return { temporal: `${base}/activities?query=${encodeURIComponent(`ActivityId="${record.jobId}"`)}` };
    }
    return { temporal: `${base}/workflows/${record.graphId}` };
  }

  /** Without an attempt nothing tells the run of an activity: a list of one then does. */
  async #isAlone(jobId: string): Promise<boolean> {
    const spec = await this.#deps.store.readSpec(jobId);
    const plan = spec?.dispatch;
    return plan !== undefined && spec?.callback === null && plan.countdown === 0 && plan.expires === null;
  }
}
