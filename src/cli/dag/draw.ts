import type { GraphState, NodeState } from '../../client/index.js';
import { bar, type Colour, durationText } from '../output.js';
import { apart, type Drawn, together } from './collapse.js';
import { rails } from './rails.js';

export type Paint = (colour: Colour, text: string) => string;

/** What the drawing needs of a node. */
export type DrawnNode = Pick<NodeState, 'id' | 'deps' | 'state'> &
  Partial<Pick<NodeState, 'label' | 'progress' | 'attempt' | 'message' | 'queue'>>;

/** More lines than this are brought together. */
const mostLines = 40;

const marks: Readonly<Record<NodeState['state'], readonly [string, Colour]>> = {
  waiting: ['○', 'gray'],
  queued: ['◌', 'yellow'],
  running: ['◐', 'cyan'],
  succeeded: ['●', 'green'],
  failed: ['✖', 'red'],
  revoked: ['⊘', 'yellow'],
  skipped: ['↷', 'gray'],
};

/** From what matters most in a line of many. */
const bySeverity = ['failed', 'revoked', 'running', 'queued', 'waiting', 'skipped', 'succeeded'] as const;

/**
 * The graph, a line a node. Items of a `map` are in the line of their node; a large graph has its siblings in one line.
 * @param all every node has its line, whatever it takes
 */
export function drawGraph(nodes: readonly DrawnNode[], paint: Paint, { all = false } = {}): string[] {
  const items = new Map<string, DrawnNode[]>();
  const declared: DrawnNode[] = [];
  const ids = new Set(nodes.map(({ id }) => id));
  for (const node of nodes) {
    const [, of] = /^(.+)\[\d+\]$/.exec(node.id) ?? [];
    if (of === undefined || !ids.has(of)) declared.push(node);
    else if (items.get(of)?.push(node) === undefined) items.set(of, [node]);
  }
  const lines: Drawn<DrawnNode>[] = all || declared.length <= mostLines ? apart(declared) : together(declared);
  return rails(lines).map(({ node: { members }, before, after }) => {
    const [only] = members as [DrawnNode];
    const inside = members.length > 1 ? members : (items.get(only.id) ?? []);
    const state = members.length > 1 ? worst(members) : only.state;
    const [mark, colour] = marks[state];
    const name = members.length > 1 ? rangeOf(members) : titleOf(only);
    const text = inside.length > 0 ? countsText(inside, paint) : stateText(only, paint);
    return `${before}${paint(colour, mark)}${after} ${name}  ${text}`;
  });
}

/** `graph 3c7b… pump  running  3 of 7 done, 1 running` */
export function graphHead({ id, name, state, counts, time_info }: GraphState, paint: Paint): string {
  const done = counts.succeeded + counts.failed + counts.revoked + counts.skipped;
  const parts = [
    `${done} of ${counts.total} done`,
    ...(['running', 'queued', 'failed', 'revoked', 'skipped'] as const)
      .filter((key) => counts[key] > 0)
      .map((key) => paint(marks[key][1], `${counts[key]} ${key}`)),
  ];
  const { started, stopped } = time_info;
  const time =
    started === null
      ? ''
      : `  ${durationText((Date.parse(stopped ?? new Date().toISOString()) - Date.parse(started)) / 1000)}`;
  const colour = { succeeded: 'green', failed: 'red', running: 'cyan' }[state as string] as Colour | undefined;
  const title = name === null ? id : `${id}  ${name}`;
  return `graph ${title}  ${paint(colour ?? 'yellow', state)}  ${bar(done / Math.max(1, counts.total), 10)} ${parts.join(', ')}${time}`;
}

function titleOf({ id, label }: DrawnNode): string {
  return label === undefined || label === id ? id : `${id} (${label})`;
}

function stateText({ state, progress, attempt = 0, message, queue }: DrawnNode, paint: Paint): string {
  const words = [paint(marks[state][1], state)];
  if (state === 'running' && progress != null) words.push(`${bar(progress / 100, 10)} ${progress} %`);
  if (state === 'queued' && queue != null) words.push(`on ${queue}`);
  if (attempt > 1) words.push(`attempt ${attempt}`);
  if (message != null && message !== '' && state !== 'succeeded') words.push(firstLine(message));
  return words.join('  ');
}

function countsText(nodes: readonly DrawnNode[], paint: Paint): string {
  const done = nodes.filter(({ state }) => !['waiting', 'queued', 'running'].includes(state)).length;
  const counts = bySeverity
    .map((state) => [state, nodes.filter((node) => node.state === state).length] as const)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => paint(marks[state][1], `${count} ${state}`));
  return `×${nodes.length}  ${bar(done / nodes.length, 10)} ${counts.join(', ')}`;
}

function worst(nodes: readonly DrawnNode[]): NodeState['state'] {
  return bySeverity.find((state) => nodes.some((node) => node.state === state)) ?? 'waiting';
}

function rangeOf(members: readonly DrawnNode[]): string {
  const [first, last] = [members[0] as DrawnNode, members.at(-1) as DrawnNode];
  return `${first.id} … ${last.id}`;
}

const firstLine = (text: string) => (text.trimEnd().split('\n').at(-1) ?? '').slice(0, 100);
