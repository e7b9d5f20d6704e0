import type { Classify } from './processes.js';

/** Something that runs jobs over REST: ours or a rival. */
export interface System {
  /** Short name in tables and files. */
  readonly key: string;
  readonly label: string;
  start(folder: string): Promise<RunningSystem>;
}

export interface RunningSystem {
  readonly baseUrl: string;
  readonly token: string;
  /** Processes that we started; what they cost includes everything below them. */
  readonly pids: readonly number[];
  readonly classify: Classify;
  /** Puts that many finished jobs into the store, not through the API; resolves with their ids and how it was done. */
  fill(count: number): Promise<{ readonly ids: readonly string[]; readonly how: string }>;
  /** Path of a job's event stream, where there is one. */
  events?(jobId: string): string;
  /** Where the time of these jobs went, by stage; ms of each job. */
  trace?(timelines: readonly Timeline[]): Promise<Readonly<Record<string, readonly number[]>>>;
  /** One more worker like the first; resolves with its process id when it takes jobs. */
  startWorker?(): Promise<number>;
  /** host:port of our Temporal server. */
  readonly temporal?: string;
  /** What the rival's own programs need in their environment. */
  readonly env?: NodeJS.ProcessEnv;
  stop(): Promise<void>;
}

/** What a client saw of one job: ms since the epoch, with fractions. */
export interface Timeline {
  readonly jobId: string;
  readonly sentAt: number;
  readonly answeredAt: number;
  readonly seenAt: number;
}
