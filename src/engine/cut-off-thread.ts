import { readFileSync } from 'node:fs';
import { type Profiler, Session } from 'node:inspector';
import { createRequire } from 'node:module';
import { BroadcastChannel, getEnvironmentData } from 'node:worker_threads';
import {
  type CutOff,
  type CutOffFrame,
  type CutOffRuns,
  type CutOffVerdict,
  cutOffChannel,
  cutOffRuns,
} from '../contract/cut-off.js';

/**
 * The side of the thread, for workflow files whose code computes for too long. Loaded before the SDK's own code of the
 * thread; `src/workflow-files/cut-offs.ts` is the other side, and decides.
 *
 * 1. A call into a workflow that is cut off is told to the process, with its CPU time; then the thread ends.
 * 2. A run that was cut off before is watched by a profiler: so it can be said where its code is.
 * 3. A run that is to end does so at its next step: none of its code is called, and Temporal gets the end as its decision.
 */

/** How the thread of a workflow file ends whose code computed for too long. */
const timedOutCode = 4;
const sampleMicroseconds = 20_000;

/** Fixed when the thread starts: each cut-off ends one, and the next is told. */
const runs = (getEnvironmentData(cutOffRuns) as CutOffRuns | undefined) ?? new Map<string, CutOffVerdict>();
let profiler: Session | null = null;

/** CPU time of this thread, ms. Where the system does not tell it, that of the process, which is more. */
export function threadCpuMs(): number {
  try {
    const [nanoseconds] = readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ');
    return Number(nanoseconds) / 1e6;
  } catch {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  }
}

/**
 * Ends the thread. Cut off in the middle, the code has left Node's record of asynchronous calls as it was there, and Node ends
 * the whole process over that ("async hook stack has become corrupted"). So the thread goes, which serves one version alone.
 */
export function endCutOff(context: object, cpuMs: number): never {
  const { __TEMPORAL_ACTIVATOR__: activator } = context as { __TEMPORAL_ACTIVATOR__?: Activator };
  if (activator !== undefined) {
    const told: CutOff = { graphId: activator.info.workflowId, cpuMs, frames: framesNow() };
    new BroadcastChannel(cutOffChannel).postMessage(told);
  }
  process.exit(timedOutCode);
}

interface Activator {
  readonly info: { readonly workflowId: string };
}

/** The parts of the SDK's workflow that are used here; it exports none of them. */
interface SdkWorkflow {
  readonly runId: string;
  readonly activator: Activator;
  activate(this: SdkWorkflow, activation: Activation): Promise<unknown>;
}

interface Activation {
  readonly isReplaying?: boolean | null;
  readonly jobs?: readonly { readonly queryWorkflow?: unknown }[] | null;
}

/** Watches, and fails, the runs that the process has told this thread of. */
export function heedCutOffs(): void {
  if (runs.size === 0) return;
  const sdk = createRequire(import.meta.url)('@temporalio/worker/lib/workflow/vm-shared.js') as {
    readonly BaseVMWorkflow: { readonly prototype: SdkWorkflow };
  };
  const { prototype } = sdk.BaseVMWorkflow;
  // oxlint-disable-next-line typescript/unbound-method -- called with the workflow as `this` below
  const { activate } = prototype;
  prototype.activate = async function (activation) {
    const verdict = runs.get(this.activator.info.workflowId);
    // What is replayed has to be decided as it was; a query decides nothing.
    const decides =
      activation.isReplaying !== true && activation.jobs?.some((job) => job.queryWorkflow != null) !== true;
    if (verdict === undefined || !decides) return activate.call(this, activation);
    if (verdict !== 'watch') return ending(this.runId, verdict);
    watch();
    try {
      return await activate.call(this, activation);
    } finally {
      profiler?.post('Profiler.stop');
    }
  };
}

function ending(runId: string, verdict: Exclude<CutOffVerdict, 'watch'>): object {
  const applicationFailureInfo = { type: 'COMPUTES_TOO_LONG', nonRetryable: true };
  const command =
    verdict === 'cancel'
      ? { cancelWorkflowExecution: {} }
      : { failWorkflowExecution: { failure: { message: verdict.failure, applicationFailureInfo } } };
  return { runId, successful: { commands: [command] } };
}

function watch(): void {
  if (profiler === null) {
    profiler = new Session();
    profiler.connect();
    profiler.post('Profiler.enable');
    profiler.post('Profiler.setSamplingInterval', { interval: sampleMicroseconds });
  }
  profiler.post('Profiler.start');
}

/** Where the code has been most often, and who called that. */
function framesNow(): CutOffFrame[] {
  let profile: Profiler.Profile | undefined;
  // Within one thread the answer comes before `post` returns.
  profiler?.post('Profiler.stop', (error, answer) => {
    if (error === null) profile = answer.profile;
  });
  const nodes = profile?.nodes ?? [];
  const callers = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node])));
  const hits = ({ hitCount = 0, callFrame }: Profiler.ProfileNode): number => (callFrame.url === '' ? 0 : hitCount);
  const frames: CutOffFrame[] = [];
  let node: Profiler.ProfileNode | undefined = nodes.reduce<Profiler.ProfileNode | undefined>(
    (most, one) => (hits(one) > (most === undefined ? 0 : hits(most)) ? one : most),
    undefined,
  );
  for (; node !== undefined; node = callers.get(node.id)) {
    const { url, functionName, lineNumber, columnNumber } = node.callFrame;
    const ticks = [...(node.positionTicks ?? [])].sort((a, b) => b.ticks - a.ticks);
    const line = frames.length === 0 ? ticks[0]?.line : undefined;
    if (url === '') continue;
    frames.push({
      url,
      line: line ?? lineNumber + 1,
      // A line that was counted has no column: its end finds the last thing on it that has a name in the source.
      column: line === undefined ? columnNumber + 1 : Number.MAX_SAFE_INTEGER,
      name: functionName,
    });
  }
  return frames;
}
