import { promiseHooks } from 'node:v8';
import vm from 'node:vm';
import { isMainThread } from 'node:worker_threads';
import { endCutOff, heedCutOffs, threadCpuMs } from './cut-off-thread.js';

/**
 * A preload (`node --import`) for processes that interpret graphs; it touches nothing but the thread that the Temporal SDK
 * runs workflows in. In one pair of runs on two busy cores it took about 4 ms of CPU off a single job (docs/benchmarks.md):
 *
 * - The SDK gives every call into a workflow a time limit of five seconds. Node enforces that by starting an operating
 *   system thread with an event loop of its own, for each call: nine a job. Our interpreter cannot loop: each event costs
 *   it a bounded number of steps. Without the limit the server still notices a stuck task by its own time-out (10 s).
 * - The SDK records a stack trace of every promise of a workflow, for the "Stack Trace" tab of the Temporal Web UI. For
 *   our interpreter that tab tells nothing that the history does not. `DEBUG=true` keeps it.
 *
 * Threads that run workflow files of users keep both: such programs can loop, and without the hooks of promises the SDK loses
 * the current cancellation scope after an `await` (seen on Node 20.20: `condition` with a time limit cancelled the whole run),
 * which our interpreter asks for only when it begins. Their workers ask for a time limit of their own: by that they are known.
 *
 * Without this preload everything works, a little slower.
 */
const limitOfTheSdkMs = 5000;
if (!isMainThread) {
  heedCutOffs();
  // oxlint-disable-next-line typescript/unbound-method -- called with the script as `this` below
  const { runInContext } = vm.Script.prototype;
  const createHook = promiseHooks.createHook.bind(promiseHooks);
  type Hooks = Parameters<typeof createHook>[0];
  let postponed: Hooks[] = [];
  vm.Script.prototype.runInContext = function (this: vm.Script, context, options) {
    if (typeof options !== 'object' || options.timeout === undefined) return runInContext.call(this, context, options);
    if (options.timeout === limitOfTheSdkMs) {
      return runInContext.call(this, context, { ...options, timeout: undefined });
    }
    for (const hooks of postponed) createHook(hooks);
    postponed = [];
    const before = threadCpuMs();
    try {
      return runInContext.call(this, context, options);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
      endCutOff(context, threadCpuMs() - before);
    }
  } as typeof runInContext;
  if (process.env['DEBUG']?.toLowerCase() !== 'true') {
    promiseHooks.createHook = (hooks) => {
      postponed.push(hooks);
      return () => undefined;
    };
  }
}
