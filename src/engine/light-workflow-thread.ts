import { promiseHooks } from 'node:v8';
import vm from 'node:vm';
import { isMainThread } from 'node:worker_threads';

/**
 * A preload (`node --import`) for processes that interpret graphs; it touches nothing but the thread that the Temporal SDK
 * runs workflows in. In one pair of runs on two busy cores it took about 4 ms of CPU off a single job (docs/benchmarks.md):
 *
 * - The SDK gives every call into a workflow a time limit of five seconds. Node enforces that by starting an operating
 *   system thread with an event loop of its own, for each call: nine a job. Our interpreter cannot loop: each event costs
 *   it a bounded number of steps. Without the limit the server still notices a stuck task by its own time-out (10 s).
 *   Workflow files of users can loop: their workers ask for a limit of their own, which stays.
 * - The SDK records a stack trace of every promise of a workflow, for the "Stack Trace" tab of the Temporal Web UI. For
 *   our interpreter that tab tells nothing that the history does not. `DEBUG=true` keeps it.
 *
 * Without this preload everything works, a little slower.
 */
const limitOfTheSdkMs = 5000;
if (!isMainThread) {
  // oxlint-disable-next-line typescript/unbound-method -- called with the script as `this` below
  const { runInContext } = vm.Script.prototype;
  vm.Script.prototype.runInContext = function (this: vm.Script, context, options) {
    const isSdks = typeof options === 'object' && options.timeout === limitOfTheSdkMs;
    return runInContext.call(this, context, isSdks ? { ...options, timeout: undefined } : options);
  } as typeof runInContext;
  if (process.env['DEBUG']?.toLowerCase() !== 'true') promiseHooks.createHook = () => () => undefined;
}
