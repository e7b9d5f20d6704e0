import { type CompileFacts, checkNodes, numbered } from '../../../src/compile/compile.js';
import { Problems } from '../../../src/compile/problems.js';
import { readGraph } from '../../../src/compile/read-request.js';
import { atOnce } from '../../../src/compile/slices.js';
import type { TemplateRules } from '../../../src/compile/template-rules.js';
import type { NodeSpec } from '../../../src/contract/graph-document.js';

/** Stands in for the language of templates: names of nodes are found, a double exclamation mark is a mistake. */
export const plainTemplates: TemplateRules = {
  expression: check,
  text: check,
};

function check(text: string) {
  return {
    problems: text.includes('!!') ? ['has two exclamation marks'] : [],
    nodes: [...new Set([...text.matchAll(/nodes\.(\w+)/g)].map(([, id]) => id as string))],
  };
}

export const facts: CompileFacts = {
  processes: new Set(['convert_file', 'sleep']),
  uploads: new Map([
    ['steps', { share: 'g/inputs/steps/steps.py' }],
    ['model', { share: 'g/inputs/model/pump.step' }],
  ]),
  inspections: new Map(),
  templates: plainTemplates,
  retry: { retryTimeLimit: 3600, rescueWait: 60 },
  known: new Map(),
  first: 1,
};

export interface Compiled {
  readonly specs: readonly NodeSpec[];
  readonly problems: Problems;
  /** `code path` of each. */
  readonly told: readonly string[];
}

export function compile(request: unknown, changes: Partial<CompileFacts> = {}): Compiled {
  return compileText(JSON.stringify(request), changes);
}

export function compileText(text: string, changes: Partial<CompileFacts> = {}): Compiled {
  const problems = new Problems();
  const asked = atOnce(readGraph(text, problems));
  const all = { ...facts, ...changes };
  const { nodes } = atOnce(checkNodes(asked.nodes, asked.defaults, all, problems));
  return {
    specs: problems.count === 0 ? atOnce(numbered(nodes, all)) : [],
    problems,
    told: problems.list.map(({ code, path }) => `${code} ${path}`),
  };
}
