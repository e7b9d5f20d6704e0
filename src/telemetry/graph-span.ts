import type { JournalEntry } from '../contract/journal.js';
import { graphSpanId } from '../contract/trace.js';
import type { GraphStore } from '../store/graph-store.js';
import type { Tracing } from './tracing.js';

/** The span of a graph that has ended, from its request on; what ran in it stands below it already. */
export async function tellGraphSpan(
  tracing: Tracing,
  documents: GraphStore,
  graphId: string,
  ended: JournalEntry,
): Promise<void> {
  const header = await documents.header(graphId);
  if (header?.trace === undefined) return;
  const span = tracing.begin(`graph ${header.name ?? graphId}`, {
    parent: header.trace,
    spanId: graphSpanId(graphId),
    startedAt: Date.parse(`${header.timeRequest}Z`),
    attributes: {
      'pixyz.graph': graphId,
      'pixyz.front': header.front,
      ...(header.workflow === null ? {} : { 'pixyz.workflow': header.workflow }),
    },
  });
  span.set({ 'pixyz.outcome': ended.state ?? '' });
  span.end({
    at: Date.parse(ended.at),
    ...(ended.state === 'succeeded' ? {} : { error: ended.message ?? ended.state ?? 'ended' }),
  });
}
