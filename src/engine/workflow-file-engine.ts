import type { RunLabels } from '../contract/graph.js';
import type { PreparedRun, ScheduledLaunch } from '../contract/workflow-files.js';

/** The part of the seam to Temporal that is about workflow files. */
export interface WorkflowFileEngine {
  /** Starts a run on the queue of its version. One that is running, or has run, under this id is a success. */
  start(run: PreparedRun, labels: RunLabels): Promise<void>;
  /** Versions that open runs belong to. */
  openVersions(): Promise<{ readonly name: string; readonly version: string }[]>;
  /** Tells a run something; `unknown` when Temporal does not know it (any more). */
  signal(graphId: string, name: string, args: readonly unknown[]): Promise<'sent' | 'already-ended' | 'unknown'>;
  /** How often the step that a run is at was tried (0: it is at none), and whether the run was told to stop. */
  step(graphId: string): Promise<{ readonly attempts: number; readonly isCancelled: boolean }>;
  createSchedule(schedule: NewSchedule): Promise<void>;
  schedules(workflow: string): Promise<ScheduleState[]>;
  /** @returns false when the workflow has no such schedule */
  deleteSchedule(workflow: string, id: string): Promise<boolean>;
}

export interface NewSchedule {
  /** What people call it: unique among those of its workflow. */
  readonly id: string;
  readonly when: { readonly cron: string; readonly timezone: string } | { readonly everySeconds: number };
  readonly launch: ScheduledLaunch;
}

export interface ScheduleState {
  readonly id: string;
  /** As Temporal shows it. */
  readonly cron: readonly string[];
  readonly everySeconds: number | null;
  readonly timezone: string | null;
  readonly paused: boolean;
  readonly next: readonly Date[];
  /** Ids of the last runs, newest first. */
  readonly runs: readonly { readonly graphId: string; readonly at: Date }[];
}
