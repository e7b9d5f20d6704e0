import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, ConnectionError, type GraphState, type NodeState } from '../client/index.js';
import type { Context } from './context.js';
import { drawGraph, graphHead, type Paint } from './dag/draw.js';
import { CliError, exitCodes } from './exit-codes.js';
import { widthOf } from './output.js';

/** Between two looks, at least: a graph of thousands of nodes is not read at each of its events. */
const pauseMs = 300;
/** A running node makes progress without an event of the graph. */
const progressMs = 1000;
/** An API that is restarted, or a network that is away, is waited for so long. */
const patienceMs = 120_000;
/** Of more nodes only the head is drawn live. */
const mostNodes = 5000;

/** Draws a graph until it has ended; off a terminal it only waits. Gives its last state. */
export async function watchGraph(context: Context, id: string): Promise<GraphState> {
  const { client, live, shell, out } = context;
  const following = new AbortController();
  const signal = AbortSignal.any([shell.stop, following.signal]);
  const paint = out.paint.bind(out);
  let changed = true;
  let failure: Error | null = null;
  const follower = (async () => {
    for await (const _event of client.graphs.watch(id, { signal })) changed = true;
  })().catch((error: unknown) => {
    failure = error as Error;
  });
  let state: GraphState | null = null;
  let nodes: readonly NodeState[] = [];
  let lookedAt = 0;
  let awaySince: number | null = null;
  try {
    for (;;) {
      if (failure !== null) throw failure;
      if (changed || performance.now() - lookedAt > progressMs) {
        changed = false;
        lookedAt = performance.now();
        try {
          state = await client.graphs.state(id, { signal });
          if (live.shown && state.counts.total <= mostNodes) nodes = await client.graphs.allNodes(id, {}, { signal });
          awaySince = null;
        } catch (error) {
          // An address where nobody has ever listened is wrong, not away.
          if (state === null && error instanceof ConnectionError && error.refused) throw error;
          if (awaySince === null && isAway(error)) out.note(`${(error as Error).message}; trying again …`);
          awaySince ??= lookedAt;
          if (!isAway(error) || lookedAt - awaySince > patienceMs) throw error;
        }
      }
      if (state !== null) {
        live.draw(fitted([liveHead(state, paint, live.columns), ...drawGraph(nodes, paint)], live.rows));
        if (state.time_info.stopped !== null) return state;
      }
      await sleep(pauseMs, undefined, { signal });
    }
  } catch (error) {
    if (!shell.stop.aborted) throw error;
    live.clear();
    out.note(`not watching any more; the graph goes on: pixyz graph watch ${id}`);
    throw new CliError('', exitCodes.interrupted);
  } finally {
    live.clear();
    following.abort();
    await follower;
  }
}

/** On a terminal that is not wide enough for it, the beginning of the id is enough. */
export function liveHead(state: GraphState, paint: Paint, columns: number): string {
  const head = graphHead(state, paint);
  return widthOf(head) <= columns ? head : graphHead({ ...state, id: state.id.slice(0, 8) }, paint);
}

function isAway(error: unknown): boolean {
  return error instanceof ConnectionError || (error instanceof ApiError && error.status === 503);
}

/** The part of a drawing that has something to tell: around what runs. */
export function fitted(lines: readonly string[], rows: number): string[] {
  if (lines.length <= rows) return [...lines];
  const [head = '', ...rest] = lines;
  const room = rows - 2;
  const active = rest.findIndex((line) => /[◐◌✖]/u.test(line));
  const from = Math.max(0, Math.min((active < 0 ? 0 : active) - 2, rest.length - room));
  return [head, ...rest.slice(from, from + room), `… ${rest.length} lines in all: pixyz graph show --all`];
}
