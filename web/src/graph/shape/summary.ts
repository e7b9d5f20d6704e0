import type { GraphModel, GraphNode } from '../model/graph-model.js';
import { countsText, endedOf, noCounts, type StateCounts, type StateName, wordOf, worstOf } from '../model/states.js';
import type { Box } from './boxes.js';

/** What a box tells of its nodes. */
export interface Summary {
  readonly state: StateName;
  /** Of 0 to 1; null where there is nothing to tell. */
  readonly progress: number | null;
  readonly counts: StateCounts;
  readonly total: number;
  readonly text: string;
}

/** @param textOf what a box of a single node says below its name */
export function summaryOf(box: Box, model: GraphModel, textOf: (node: GraphNode) => string = nodeText): Summary {
  const counts = noCounts();
  const first = model.node(box.members[0] as number);
  // A map that has become items is as they are.
  const members = box.kind === 'map' && box.members.length > 1 ? box.members.slice(1) : box.members;
  for (const number of members) {
    const node = model.node(number);
    if (node !== undefined) counts[node.state] += 1;
  }
  const total = members.length;
  if (box.kind === 'node' || total === 1) {
    const { state = 'waiting', progress = null } = first ?? {};
    return {
      state,
      counts,
      total,
      progress: state === 'running' && progress !== null ? progress / 100 : null,
      text: first === undefined ? '' : textOf(first),
    };
  }
  const ended = endedOf(counts);
  // Many that partly have succeeded and partly are to come are under way.
  const worst = worstOf(counts);
  const state = worst === 'waiting' && ended > 0 ? 'running' : worst;
  const own = first?.kind === 'map' && box.kind === 'map' && first.state === 'failed' ? 'failed' : state;
  return { state: own, counts, total, progress: ended / total, text: countsText(counts) };
}

/** `running 40 % · gpu · attempt 2` */
export function nodeText({ state, progress, queue, attempt, message, kind }: GraphNode): string {
  const words: string[] = [state === 'running' && progress !== null ? `running ${progress} %` : wordOf(state)];
  if (state === 'queued' && queue !== null) words[0] = `queued on ${queue}`;
  if (attempt > 1) words.push(`attempt ${attempt}`);
  if (message !== null && message !== '' && state !== 'succeeded') words.push(lastLine(message));
  else if (state === 'running' && queue !== null) words.push(queue);
  else if (kind === 'barrier' || kind === 'map') words.push(kind);
  return words.join(' · ');
}

/** Of a traceback the line that says what it was. */
function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}
