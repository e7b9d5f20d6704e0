import type { GraphInput, RunLabels } from '../contract/graph.js';
import type { GraphEngine } from './graph-engine.js';

/**
 * The narrow seam to Temporal: `src/engine` alone holds a client, everything else asks through this interface.
 * A job id is a node of a graph; calls that take one find the graph by the id itself.
 */

/** What the visibility store says of a run, for lists: the record on the share has the rest. */
export interface RunSummary {
  readonly graphId: string;
  /** The jobs of the run; none of a graph with a document, which tells them itself. */
  readonly jobIds: readonly string[];
  readonly isGraph: boolean;
  readonly name: string | null;
  readonly queue: string;
  readonly process: string;
  /** Where it stands in lists: sorts as text. Changes once, when the run ends. */
  readonly place: string;
}

export interface ListQuery {
  /** Only runs in one of these states; empty: all. */
  readonly states: readonly ('OPEN' | 'SUCCESS' | 'FAILURE' | 'REVOKED')[];
  readonly queue?: string;
  /** Only runs of other queues than these. */
  readonly queuesBeside?: readonly string[];
  readonly name?: string;
  readonly process?: string;
  /** Only runs of graphs, or only single jobs. */
  readonly graphs?: boolean;
  readonly since?: Date;
  readonly until?: Date;
  readonly limit: number;
  /** From the page before. */
  readonly cursor?: string;
  /** When the first page was asked for: jobs that have changed their form since are not lost between two pages. */
  readonly began?: Date;
}

export interface RunPage {
  readonly runs: readonly RunSummary[];
  /** null on the last page. */
  readonly next: string | null;
}

export interface QueueStats {
  readonly queue: string;
  /** Jobs that wait for a worker. */
  readonly backlog: number;
  /** Age in seconds of the oldest of them; 0 when none waits. */
  readonly oldestAgeSeconds: number;
  /** Worker processes that poll it. */
  readonly pollers: number;
  /** Since when nothing of it is handed out; null: it is. */
  readonly paused: QueuePause | null;
}

export interface QueuePause {
  /** ISO 8601. */
  readonly since: string | null;
  readonly by: string | null;
  readonly reason: string | null;
}

export type CancelOutcome = 'cancelling' | 'already-ended' | 'unknown';

export interface Engine {
  /** Calls about graphs as a whole. */
  readonly ofGraphs: GraphEngine;
  /** Starts a graph. Starting one that is already running, or has run, under this id is a success and changes nothing. */
  startGraph(input: GraphInput, labels: RunLabels): Promise<void>;
  /** The interpreter takes over a job that ran as a standalone activity: starts the run, ends the activity. Repeatable. */
  continueAsGraph(input: GraphInput, labels: RunLabels): Promise<void>;
  /** Asks a job to stop; resolves when the request is stored, not when the script has ended. */
  cancelJob(jobId: string, reason: string): Promise<CancelOutcome>;
  /** Whether the run of this job is open; null when Temporal does not know it (any more). */
  isOpen(jobId: string): Promise<boolean | null>;
  list(query: ListQuery): Promise<RunPage>;
  /** Runs by state, for metrics. */
  countByState(): Promise<{
    readonly open: number;
    readonly success: number;
    readonly failure: number;
    readonly revoked: number;
  }>;
  /** Makes the archive of a job's outputs, once per `fingerprint` of their content; returns the id of the task. */
  startArchive(jobId: string, fingerprint: string): Promise<string>;
  queueStats(queue: string): Promise<QueueStats>;
  /**
   * Hands out nothing more of a queue until it is resumed, whoever serves it; what runs goes on, what comes waits. Kept by the
   * server, so it outlives every process. Repeatable.
   * @throws EngineError CONFLICT when this server cannot
   */
  pauseQueue(queue: string, by: string, reason: string): Promise<void>;
  resumeQueue(queue: string, by: string): Promise<void>;
  /** Whether the server answers, within the time given. */
  ping(timeoutMs: number): Promise<boolean>;
  close(): Promise<void>;
}
