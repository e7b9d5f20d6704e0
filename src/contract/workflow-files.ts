import { z } from 'zod';
import type { PlanPart } from './graph.js';
import { jsonSchema } from './json.js';

/** What crosses borders around the workflow files of users. Field names are wire format, as in `graph.ts`. */

/** Input of a run of a workflow file. */
export const fileRunInputSchema = z.object({
  graphId: z.string(),
  version: z.string(),
  name: z.string().nullable(),
  labels: z.record(z.string(), z.string()),
  /** What its author's function gets. */
  input: jsonSchema,
});
export type FileRunInput = Omit<z.infer<typeof fileRunInputSchema>, 'input'> & { readonly input: unknown };

/** What the code around a user's function asks of the engine's machine, as local activities of its own worker. */
export interface WorkflowFileActivities {
  /**
   * Checks tasks and keeps them as nodes `first`… of the graph's document. The same call again gives the same answer.
   * @param text `{"nodes": […]}`, as `POST /graphs/{id}/nodes` takes it; `data` may also be `{"path": …}`
   */
  declareTasks(graphId: string, first: number, text: string): Promise<DeclaredTasks>;
  /** The result of a node that has succeeded. */
  resultOf(graphId: string, node: number): Promise<unknown>;
  /** Keeps what the user's function has returned. */
  keepResult(graphId: string, result: unknown): Promise<void>;
  listFiles(
    folder: string,
    pattern: string,
  ): Promise<{ path: string; name: string; sizeBytes: number; changedAt: string }[]>;
}

/** The plan of the tasks, or why they were refused, as a sentence. */
export type DeclaredTasks = { readonly plan: PlanPart; readonly problem?: undefined } | { readonly problem: string };

/** Asked by what a schedule starts, on {@link launchQueue}. */
export interface LaunchActivities {
  /** Makes the graph of a scheduled run with the newest version of the workflow; repeated, it gives the same one. */
  prepareScheduledRun(launch: ScheduledLaunch, key: string): Promise<PreparedRun>;
}

export const scheduledLaunchSchema = z.object({
  workflow: z.string(),
  name: z.string().nullable(),
  labels: z.record(z.string(), z.string()),
  input: jsonSchema,
});
export type ScheduledLaunch = z.infer<typeof scheduledLaunchSchema>;

/** A run whose graph is on the share: what is left is to start it. */
export interface PreparedRun {
  readonly workflow: string;
  readonly input: FileRunInput;
}

/** What a finding about a workflow file says, and where. */
export const fileProblemSchema = z
  .object({
    file: z.string().describe('Path below the folder of the workflow files.'),
    line: z.number().int().nullable(),
    column: z.number().int().nullable(),
    message: z.string().describe('What is wrong and what to do, for people.'),
  })
  .meta({
    id: 'WorkflowProblem',
    examples: [
      {
        file: 'nightly.ts',
        line: 3,
        column: 1,
        message: 'imports "node:fs", which a workflow cannot have: it must decide the same again when it is replayed',
      },
    ],
  });
export type FileProblem = z.infer<typeof fileProblemSchema>;

/** What a version of a workflow file says of itself. Kept beside its bundle. */
export const versionAboutSchema = z.object({
  name: z.string(),
  version: z.string(),
  /** Of the exported function, or the first comment of the file. */
  doc: z.string().nullable(),
  /** JSON Schema of its input, or null when it exports none. */
  input: z.record(z.string(), jsonSchema).nullable(),
  /** Files that it was made from, below the folder: a change of one makes another version. */
  sources: z.array(z.string()),
  /** UTC, ISO 8601. */
  builtAt: z.string(),
});
export type VersionAbout = z.infer<typeof versionAboutSchema>;

/** What stands for a file at the moment. */
export const currentSchema = z.object({
  name: z.string(),
  /** Path below the folder. */
  file: z.string(),
  /** The newest version that could be made; null: none yet. */
  version: z.string().nullable(),
  /** Why the file as it stands cannot be used; then `version` is one of before. */
  problems: z.array(fileProblemSchema),
  /** Of the sources, as they were looked at. */
  sourcesKey: z.string(),
});
export type CurrentFile = z.infer<typeof currentSchema>;
