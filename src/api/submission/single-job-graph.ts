import type { GraphInput, RunLabels } from '../../contract/graph.js';
import { nodeIndexOf } from '../../contract/ids.js';
import type { Dispatch, JobSpec } from '../../contract/job.js';
import { shortText } from '../../contract/short-text.js';

import { type RetryOptions, retryPolicyOf } from '../../graph/retry-policy.js';

const defaultDispatch: Dispatch = { countdown: 0, expires: null, priority: 3, maxRetries: 1 };

/** The graph of a single job. */
export function singleJobGraph(
  spec: JobSpec,
  options: RetryOptions,
): { readonly input: GraphInput; readonly labels: RunLabels } {
  const dispatch = spec.dispatch ?? defaultDispatch;
  return {
    input: {
      graphId: spec.graphId,
      nodes: [
        {
          index: nodeIndexOf(spec.jobId),
          label: shortText(labelOf(spec)),
          queue: spec.queue,
          timeLimit: spec.timeLimit,
          countdown: dispatch.countdown,
          expires: dispatch.expires,
          priority: dispatch.priority,
          retry: retryPolicyOf(dispatch.maxRetries, spec.timeLimit, options),
          deps: [],
          trigger: 'all_succeeded',
          hasCallback: spec.callback !== null,
        },
      ],
    },
    labels: { name: spec.name, queue: spec.queue, process: spec.process },
  };
}

/** What people call it: its name, else the process, else the script. */
function labelOf(spec: JobSpec): string {
  if (spec.name !== null) return spec.name;
  if (spec.process !== 'custom') return spec.process;
  const path = 'share' in spec.script ? spec.script.share : 'path' in spec.script ? spec.script.path : 'custom';
  return path.split('/').at(-1) ?? path;
}
