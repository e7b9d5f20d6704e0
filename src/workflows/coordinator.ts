import {
  getExternalWorkflowHandle,
  proxySinks,
  setCurrentDetails,
  setHandler,
  startChild,
  upsertMemo,
} from '@temporalio/workflow';
import type { GraphInput, GraphNode } from '../contract/graph.js';
import type { JournalSinks } from '../contract/journal.js';
import { Coordination, firstItemOf, type Orders } from '../graph/coordination.js';
import { cutGraph } from '../graph/cut.js';
import type { FinishCommand, GraphEvent } from '../graph/events.js';
import { detailsText, memoOf } from './details.js';
import { type PartInput, partId, reportPart, tellPart } from './parts.js';
import { pixyzGraphPart } from './pixyz-graph-part.js';

/**
 * A graph that is too large for one history: cut into parts, each a child workflow with a core of its own. Here is only
 * what concerns more than one part; see `src/graph/coordination.ts`.
 */

const { journal } = proxySinks<JournalSinks>();

/** Attempts in flight over all parts: many runs that are busy at once slow each other down. */
const inFlight = 400;

export async function coordinate(
  input: GraphInput,
  nodes: readonly GraphNode[],
  partSize: number,
  listen: (dispatch: (event: GraphEvent) => void) => void,
): Promise<FinishCommand> {
  const { graphId } = input;
  const cut = cutGraph(nodes, partSize);
  const core = new Coordination(cut, {
    onFailure: input.onFailure ?? 'finish',
    inFlight: input.maxParallel ?? inFlight,
    widest: inFlight,
  });
  let done: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => {
    done = resolve;
  });

  function act(orders: Orders): void {
    for (const [part, events] of orders) send(part, events);
    note();
    if (core.isDone) done();
  }

  /** Orders of one part stay in order: the next go when those before have been taken. */
  const sending = cut.parts.map(() => Promise.resolve());
  const waiting = cut.parts.map((): GraphEvent[] => []);
  function send(part: number, events: readonly GraphEvent[]): void {
    const queue = waiting[part] as GraphEvent[];
    queue.push(...events);
    if (queue.length > events.length) return; // they go with those that wait already
    sending[part] = (sending[part] as Promise<void>).then(async () => {
      const taken = queue.splice(0);
      // A part that has ended needs no orders; it is told of by `closed`.
      await getExternalWorkflowHandle(partId(graphId, part))
        .signal(tellPart, taken)
        .catch(() => undefined);
    });
  }

  function note(): void {
    const entries = core.takeNotes().map((entry) => ({ at: new Date().toISOString(), ...entry }));
    if (entries.length > 0 && input.journal === true) journal.append(graphId, entries);
    setCurrentDetails(detailsText(core.counts, core.failures));
  }

  const { windows } = core;
  const children = await Promise.all(
    cut.parts.map(({ stretches }, part) => {
      const partInput: PartInput = {
        graphId,
        part,
        stretches,
        // A small plan came with the input: only tests have parts of such.
        nodes: input.stored === undefined ? nodes.filter(({ index }) => cut.partOf.get(index) === part) : [],
        window: windows[part] as number,
        firstItem: firstItemOf(part, cut.parts.length),
        onFailure: input.onFailure ?? 'finish',
        journal: input.journal === true,
      };
      return startChild(pixyzGraphPart, {
        workflowId: partId(graphId, part),
        args: [partInput],
        staticSummary: `part ${part + 1} of ${cut.parts.length}`,
        memo: { nodes: partInput.nodes.length },
      });
    }),
  );
  setHandler(reportPart, (report) => act(core.reported(report)));
  const ends = children.map((child, part) =>
    child.result().then(
      () => act(core.closed(part, null)),
      (error: unknown) => act(core.closed(part, error instanceof Error ? error.message : String(error))),
    ),
  );
  listen((event) => act(core.requested(event)));
  note();

  await finished;
  const { outcome, orders } = core.finish();
  act(orders);
  await Promise.all(ends);
  if (input.journal === true) upsertMemo(memoOf(core.counts, core.failures));
  return { type: 'finish', ...outcome };
}
