/**
 * What a workflow file imports: `import { task } from 'pixyz-temporal-scheduler/workflow'`.
 *
 * A workflow file has one default export, an async function: its code decides what runs, and each `task(...)` runs a script,
 * a shipped process or a command on a worker. The code itself runs inside Temporal: should the machine go down, it goes on
 * where it was. So it must be deterministic: no files, no network, no modules of Node; those belong into tasks.
 *
 * @packageDocumentation
 */

export { ApplicationFailure } from '@temporalio/common';
export {
  CancellationScope,
  CancelledFailure,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  isCancellation,
  log,
  setHandler,
  sleep,
  uuid4,
} from '@temporalio/workflow';
export { type ChainStep, chain, chord, type GraphTask, type GroupMember, graph, group } from './canvases.js';
export { type FoundFile, filesIn } from './files.js';
export { Awaitable, GraphHandle, type Handle, Sequence, TaskGroup } from './handles.js';
export { type FileOnDisk, file, type TaskInput, type TaskOptions } from './options.js';
export { OutputReference, Reference } from './reference.js';
export { type RunFacts, run } from './run.js';
export { isTaskFailure, Task, type TaskEnd, type TaskFailureFacts, type TaskState, task } from './task.js';
