import type { z } from 'zod';
import type { nodeListQuerySchema, nodeListSchema, nodesToldSchema } from '../api/schemas/graph-nodes.js';
import type { deletedGraphSchema, graphListQuerySchema, graphListSchema } from '../api/schemas/graphs.js';
import type {
  deletedJobSchema,
  jobListQuerySchema,
  jobListSchema,
  logListSchema,
  outputListSchema,
  retriedJobSchema,
} from '../api/schemas/jobs.js';
import type {
  deletedScheduleSchema,
  newRunSchema,
  runRequestSchema,
  scheduleListSchema,
  scheduleRequestSchema,
  signalSentSchema,
  workflowListSchema,
} from '../api/schemas/workflows.js';
import type { Upload } from './multipart.js';

export type { GraphEvent, GraphEvents } from '../api/schemas/graph-events.js';
export type { NodeDetails, NodeState, Why } from '../api/schemas/graph-nodes.js';
export type { AddedNodes, GraphState, NewGraph, Plan, Validation } from '../api/schemas/graphs.js';
export type { AskedJob, JobDetails, JobState } from '../api/schemas/jobs.js';
export type {
  QueueList,
  ShownQueue as Queue,
  ShownWorker as WorkerState,
  WorkerList,
} from '../api/schemas/operations.js';
export type { ShownSchedule as Schedule, ShownWorkflow as WorkflowFile } from '../api/schemas/workflows.js';
/** Shapes of the API, inferred from the schemas that its answers are made with: nothing of the server is loaded. */
export type { Problem } from '../compile/problems.js';
export type { Attempt, JobStatus } from '../contract/job.js';

export type JobList = z.infer<typeof jobListSchema>;
export type RetriedJob = z.infer<typeof retriedJobSchema>;
export type DeletedJob = z.infer<typeof deletedJobSchema>;
export type OutputList = z.infer<typeof outputListSchema>;
export type LogList = z.infer<typeof logListSchema>;
export type GraphList = z.infer<typeof graphListSchema>;
export type NodeList = z.infer<typeof nodeListSchema>;
export type NodesTold = z.infer<typeof nodesToldSchema>;
export type WorkflowList = z.infer<typeof workflowListSchema>;
export type RunRequest = z.input<typeof runRequestSchema>;
export type NewRun = z.infer<typeof newRunSchema>;
export type ScheduleRequest = z.input<typeof scheduleRequestSchema>;
export type ScheduleList = z.infer<typeof scheduleListSchema>;
export type DeletedSchedule = z.infer<typeof deletedScheduleSchema>;
export type SignalSent = z.infer<typeof signalSentSchema>;
export type DeletedGraph = z.infer<typeof deletedGraphSchema>;

type Query<T extends z.ZodType> = { readonly [K in keyof z.output<T>]?: QueryValue<z.output<T>[K]> | undefined };
/** As it is given, before it becomes text: times as dates or ISO 8601. */
type QueryValue<T> = NonNullable<T> extends Date ? Date | string : NonNullable<T>;

/** Parameters of `GET /jobs`. */
export type JobQuery = Query<typeof jobListQuerySchema>;
/** Parameters of `GET /graphs`. */
export type GraphQuery = Query<typeof graphListQuerySchema>;
/** Parameters of `GET /graphs/{graph}/nodes`. */
export type NodeQuery = Query<typeof nodeListQuerySchema>;

export interface JobRequest {
  /** Default `custom`, which needs a script. */
  readonly process?: string;
  readonly script?: Upload;
  readonly file?: Upload;
  /** Any JSON. */
  readonly params?: unknown;
  readonly name?: string;
  readonly config?: Readonly<Record<string, unknown>>;
}

/** A page of `docs/graphs.md` tells the fields. */
export type GraphDocument = Readonly<Record<string, unknown>>;
