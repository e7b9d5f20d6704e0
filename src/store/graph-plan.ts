import type { GraphNode, PlanPart, PlanTemplate } from '../contract/graph.js';
import type { NodeSpec } from '../contract/graph-document.js';
import { shortText } from '../contract/short-text.js';

/** A node as the interpreter sees it. */
export function planNode(spec: NodeSpec): GraphNode {
  return { index: spec.index, label: shortText(spec.name ?? spec.id), deps: depsOf(spec), ...planTemplate(spec) };
}

/** @param nodes consecutive */
export function planPart(first: number, nodes: readonly NodeSpec[]): PlanPart {
  const templates: PlanTemplate[] = [];
  const places = new Map<string, number>();
  const rows = nodes.map((node): PlanPart['rows'][number] => {
    const template = planTemplate(node);
    const text = JSON.stringify(template);
    let place = places.get(text);
    if (place === undefined) {
      place = templates.push(template) - 1;
      places.set(text, place);
    }
    return [place, shortText(node.name ?? node.id), depsOf(node)];
  });
  return { first, templates, rows };
}

/** What was kept needs nobody, even where its dependencies are kept, too. */
function depsOf(spec: NodeSpec): number[] {
  return spec.kept === true ? [] : spec.deps;
}

/** To the interpreter a node that was kept is one with nothing to do. */
const settled = {
  kind: 'barrier',
  countdown: 0,
  expires: null,
  trigger: 'all_succeeded',
  callback: null,
  when: null,
  map: null,
} satisfies Partial<NodeSpec>;

function planTemplate(given: NodeSpec): PlanTemplate {
  const spec: NodeSpec = given.kept === true ? { ...given, ...settled } : given;
  return {
    queue: spec.queue,
    timeLimit: spec.timeLimit,
    countdown: spec.countdown,
    expires: spec.expires,
    priority: spec.priority,
    retry: spec.retry,
    trigger: spec.trigger,
    hasCallback: spec.callback !== null,
    ...(spec.kind === 'barrier' ? { kind: 'barrier' } : { work: workOf(spec) }),
    ...(spec.when === null ? {} : { conditional: true }),
    ...(spec.map === null ? {} : { map: { max: spec.map.max } }),
  };
}

/** Nodes that run the same take about the same time: what they run, in a word. */
function workOf({ kind, command, process, script, entrypoint }: NodeSpec): string {
  if (kind === 'command') return shortText(`command ${command?.program ?? ''}`);
  if (script === null || 'process' in script) return shortText(`${process} ${entrypoint}`);
  return shortText(`${'share' in script ? script.share : script.path} ${entrypoint}`);
}
