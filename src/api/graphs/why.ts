import type { QueueWatch } from '../queue-watch.js';
import type { Why } from '../schemas/graph-nodes.js';
import { type GraphsReader, type GraphView, maxParallelOf } from './graphs-reader.js';

type Reason = Why['reasons'][number];

/** Dependencies that are told; somebody who waits for thousands knows by the first few. */
const maxTold = 50;

/** Why a node does not run, from what is known: the journal, the document, and who serves its queue. */
export async function whyOf(reader: GraphsReader, queues: QueueWatch, view: GraphView, number: number): Promise<Why> {
  const node = await reader.raw(view, number);
  const state = reader.stateOf(node);
  if (state !== 'waiting' && state !== 'queued') return { state, reasons: [] };
  const { fold } = view;
  if (fold.endedAt !== null)
    return { state, reasons: [{ code: 'graph-ended', message: `the graph has ended: ${fold.state}` }] };
  const reasons: Reason[] = [];
  if (fold.state === 'pending') reasons.push({ code: 'not-started', message: 'the graph has not been taken up yet' });
  if (state === 'queued') {
    const queue = node.record?.queue ?? node.fold.queue ?? node.spec?.queue ?? '';
    const unknown = { code: 'busy', message: `it waits in queue "${queue}" for a worker with a free slot` } as const;
    reasons.push((await queues.whyWaiting(queue)) ?? unknown);
    return { state, reasons };
  }
  if (fold.state === 'paused')
    reasons.push({ code: 'paused', message: 'the graph is paused: it goes on after /resume' });
  // An item has no dependencies of its own.
  const deps = view.fold.itemOf(number) === null ? (node.spec?.deps ?? node.fold.deps ?? []) : [];
  const open = deps.filter((dep) => ['waiting', 'queued'].includes(fold.node(dep).state));
  for (const dep of open.slice(0, maxTold)) {
    const name = reader.nameOf(view, dep);
    const its = reader.stateOf(await reader.raw(view, dep));
    reasons.push({
      code: 'dependency',
      message: `node ${JSON.stringify(name)} is ${its}`,
      node: name,
    });
  }
  if (open.length > 0 || reasons.length > 0) return { state, reasons };
  if (node.fold.attempt > 0) {
    reasons.push({ code: 'retry', message: `attempt ${node.fold.attempt} has failed: the next one is to come` });
  } else if ((node.spec?.countdown ?? 0) > 0) {
    reasons.push({ code: 'delay', message: `it waits ${node.spec?.countdown} s before it starts` });
  } else {
    const most = maxParallelOf(view);
    const limit = most === null ? 'the engine’s' : `the graph’s limit of ${most}`;
    reasons.push({ code: 'limit', message: `as many attempts as ${limit} allows are under way: ${fold.queued.size}` });
  }
  return { state, reasons };
}
