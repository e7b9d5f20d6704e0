import type { NodeFile, NodeSpec } from '../contract/graph-document.js';
import type { Inspection } from '../contract/inspection.js';
import type { FileRef } from '../contract/job.js';
import type { Json } from '../contract/json.js';
import { EngineError } from '../errors/engine-error.js';
import { type RetryOptions, retryPolicyOf } from '../graph/retry-policy.js';
import { type GraphDefaults, type GraphNodeRequest, maxGraphEdges } from './graph-request.js';
import { type JobSettings, resolveSettings } from './job-settings.js';
import { NodeTexts } from './node-texts.js';
import { nearest, type Path, type Problems } from './problems.js';
import type { AskedNode } from './read-request.js';
import type { Pieces } from './slices.js';
import type { TemplateRules } from './template-rules.js';
import { type Topology, topologyOf } from './topology.js';

/**
 * From what was asked for to the nodes of a document. Pure: what it must know of the world stands in {@link CompileFacts}.
 * Invariants:
 * 1. Every problem is found that does not hide behind another one of the same field.
 * 2. Time and room are linear in the size of the request.
 * 3. A node waits for every node that it names, in whatever field, as if it stood in `deps`.
 */
export interface CompileFacts {
  readonly processes: ReadonlySet<string>;
  /** Files of the form, and those that came with the graph before, by name. */
  readonly uploads: ReadonlyMap<string, FileRef>;
  /** What was found in each script, by {@link scriptKey}. */
  readonly inspections: ReadonlyMap<string, Inspection>;
  readonly templates: TemplateRules;
  readonly retry: RetryOptions;
  /** Nodes that the graph has already, by id. */
  readonly known: ReadonlyMap<string, number>;
  /** The number of the first new node. */
  readonly first: number;
}

/** What a node runs: its own task, or else that of the defaults. */
export type Task =
  | { readonly kind: 'script'; readonly upload: string }
  | { readonly kind: 'process'; readonly process: string }
  | { readonly kind: 'command' }
  | { readonly kind: 'barrier' };

const taskFields = ['script', 'process', 'command', 'barrier'] as const;
const ofScripts = ['entrypoint', 'params', 'data', 'root_file', 'compute_only', 'raw', 'context'] as const;
const ofCommands = ['shell', 'cwd', 'env', 'env_unset', 'ok_exit_codes', 'expected_outputs'] as const;
const ofRuns = [
  'queue',
  'time_limit',
  'retries',
  'priority',
  'countdown',
  'expires',
  'map',
  'reuse',
  'callback',
] as const;

/** null when it has none, or several: then that is a problem. */
export function taskOf(node: GraphNodeRequest, defaults: GraphDefaults): Task | null {
  const own = taskFields.filter((field) => node[field] !== undefined);
  if (own.length > 1) return null;
  if (node.barrier !== undefined) return { kind: 'barrier' };
  if (node.command !== undefined) return { kind: 'command' };
  const { script, process } = own.length === 1 ? node : defaults;
  if (script !== undefined) return process === undefined ? { kind: 'script', upload: script } : null;
  return process === undefined ? null : { kind: 'process', process };
}

export function entrypointOf(node: GraphNodeRequest, defaults: GraphDefaults): string {
  return node.entrypoint ?? defaults.entrypoint ?? 'main';
}

/** One inspection serves all nodes that call the same function of the same script. */
export function scriptKey(task: Task, entrypoint: string): string | null {
  if (task.kind === 'script') return JSON.stringify(['upload', task.upload, entrypoint]);
  return task.kind === 'process' ? JSON.stringify(['process', task.process, entrypoint]) : null;
}

/** A node without its number and those of its dependencies. */
export interface CheckedNode {
  readonly at: number;
  readonly id: string;
  /** Ids of all nodes that it waits for, each once. */
  readonly deps: readonly string[];
  readonly data: { readonly file: FileRef } | { readonly node: string; readonly output: string } | null;
  readonly spec: Omit<NodeSpec, 'index' | 'deps' | 'data'>;
}

export interface CheckedGraph {
  /** Those without problems, in the order of the request. */
  readonly nodes: readonly CheckedNode[];
  /** By position in the request; dependencies on nodes of earlier requests are left out. */
  readonly deps: readonly (readonly number[])[];
  readonly topology: Topology;
}

export function* checkNodes(
  asked: readonly AskedNode[],
  defaults: GraphDefaults,
  facts: CompileFacts,
  problems: Problems,
): Pieces<CheckedGraph> {
  const checker = new Checker(asked, defaults, facts, problems);
  return yield* checker.check();
}

/** Gives the nodes their numbers: those that the graph has keep theirs. */
export function* numbered(
  nodes: readonly CheckedNode[],
  facts: Pick<CompileFacts, 'known' | 'first'>,
): Pieces<readonly NodeSpec[]> {
  const numbers = new Map(facts.known);
  let next = facts.first;
  for (const { id } of nodes) if (!numbers.has(id)) numbers.set(id, next++);
  const numberOf = (id: string) => numbers.get(id) as number;
  const specs: NodeSpec[] = [];
  for (const { id, deps, data, spec } of nodes) {
    specs.push({
      index: numberOf(id),
      ...spec,
      data:
        data === null
          ? null
          : 'file' in data
            ? data.file
            : ({ node: numberOf(data.node), output: data.output } as NodeFile),
      deps: deps.map(numberOf),
    });
    yield;
  }
  return specs;
}

class Checker {
  readonly #asked: readonly AskedNode[];
  readonly #defaults: GraphDefaults;
  readonly #facts: CompileFacts;
  readonly #problems: Problems;
  /** Positions in the request, by id; of a repeated id the first. */
  readonly #positions = new Map<string, number>();
  readonly #ids: readonly string[];
  #edges = 0;

  constructor(asked: readonly AskedNode[], defaults: GraphDefaults, facts: CompileFacts, problems: Problems) {
    this.#asked = asked;
    this.#defaults = defaults;
    this.#facts = facts;
    this.#problems = problems;
    for (const { id, at } of asked) {
      if (id === null) continue;
      const first = this.#positions.get(id);
      if (first === undefined) this.#positions.set(id, at);
      else problems.add(['nodes', at, 'id'], 'duplicate-id', `node ${first} is called ${quoted(id)}, too`);
    }
    this.#ids = [...this.#positions.keys(), ...facts.known.keys()];
  }

  *check(): Pieces<CheckedGraph> {
    const nodes: CheckedNode[] = [];
    const deps: (readonly number[])[] = [];
    for (const node of this.#asked) {
      const checked = this.#node(node);
      if (checked !== null) nodes.push(checked);
      const places = (checked?.deps ?? node.deps).map((id) => this.#positions.get(id));
      deps.push(places.filter((at) => at !== undefined && at !== node.at) as number[]);
      yield;
    }
    if (this.#edges > maxGraphEdges) {
      const message = `${this.#edges} dependencies: at most ${maxGraphEdges}; a barrier between two groups saves many`;
      this.#problems.add(['nodes'], 'too-many-dependencies', message);
    }
    const topology = topologyOf(deps);
    for (const cycle of topology.cycles) this.#cycle(cycle);
    return { nodes: nodes.filter(({ at }) => this.#problems.ofNode(at) === undefined), deps, topology };
  }

  #cycle(cycle: readonly number[]): void {
    const shown = cycle.length > 12 ? [...cycle.slice(0, 6), null, ...cycle.slice(-5)] : cycle;
    const names = [...shown, cycle[0] as number].map((at) =>
      at === null ? '…' : quoted(this.#asked[at]?.id ?? `${at}`),
    );
    const message = `the nodes wait for each other: ${names.join(' → ')} (each waits for the next)`;
    this.#problems.add(['nodes', cycle[0] as number, 'deps'], 'cycle', message);
  }

  #node({ at, asked, wrong, deps, paramsText }: AskedNode): CheckedNode | null {
    if (asked === null) {
      for (const [index, id] of deps.entries()) this.#dependency(['nodes', at, 'deps', index], at, id);
      return null;
    }
    const node = new NodeTexts(['nodes', at], this.#facts.templates, this.#problems, asked.map !== undefined);
    const task = this.#task(at, asked, wrong);
    const waitsFor = new Set<string>();
    const add = (path: Path, id: string) => {
      if (this.#dependency(path, at, id)) waitsFor.add(id);
    };
    for (const [index, id] of deps.entries()) add(['nodes', at, 'deps', index], id);
    const data = this.#data(at, asked);
    if (data !== null && 'node' in data) add(['nodes', at, 'data', 'node'], data.node);
    const settings = task === null ? null : this.#settings(at, asked, task);
    const params = node.params(asked.params, paramsText);
    const command = asked.command === undefined ? null : node.command(asked, this.#defaults);
    const when = asked.when === undefined ? null : node.expression('when', asked.when);
    const map =
      asked.map === undefined ? null : { over: node.expression('map.over', asked.map.over), max: asked.map.max };
    for (const { path, id } of node.named) add(path, id);
    this.#edges += waitsFor.size;
    if (task === null || settings === null) return null;
    return {
      at,
      id: asked.id,
      deps: [...waitsFor],
      data,
      spec: {
        id: asked.id,
        name: asked.label ?? asked.id,
        kind: task.kind === 'process' ? 'script' : task.kind,
        process: task.kind === 'process' ? task.process : task.kind === 'script' ? 'custom' : task.kind,
        script: this.#scriptRef(task),
        entrypoint: settings.entrypoint,
        command,
        rootFile: settings.rootFile,
        computeOnly: settings.computeOnly,
        raw: settings.raw,
        handsOn: 'value',
        context: { ...settings.context, ...asked.context },
        params,
        queue: settings.queue,
        timeLimit: settings.timeLimit,
        countdown: settings.dispatch.countdown,
        expires: settings.dispatch.expires,
        priority: settings.dispatch.priority,
        retry: retryPolicyOf(settings.dispatch.maxRetries, settings.timeLimit, this.#facts.retry),
        trigger: asked.trigger ?? 'all_succeeded',
        when,
        map,
        reuse: asked.reuse ?? this.#defaults.reuse ?? false,
        callback: settings.callback,
        tags: { ...this.#defaults.tags, ...asked.tags },
      },
    };
  }

  #dependency(path: Path, at: number, id: string): boolean {
    const position = this.#positions.get(id);
    if (position === at) {
      this.#problems.add(path, 'self-dependency', 'a node cannot wait for itself');
      return false;
    }
    if (position !== undefined || this.#facts.known.has(id)) return true;
    const meant = nearest(id, this.#ids);
    const hint = meant === undefined ? '' : `: did you mean ${quoted(meant)}?`;
    this.#problems.add(path, 'unknown-node', `there is no node ${quoted(id)}${hint}`);
    return false;
  }

  #task(at: number, asked: GraphNodeRequest, wrong: ReadonlySet<string>): Task | null {
    const path = ['nodes', at];
    const own = taskFields.filter((field) => asked[field] !== undefined);
    const task = taskOf(asked, this.#defaults);
    if (own.length > 1) {
      this.#problems.add(
        path,
        'several-tasks',
        `a node has one of ${taskFields.join(', ')}: this one has ${own.join(' and ')}`,
      );
    } else if (task === null && this.#defaults.script !== undefined && this.#defaults.process !== undefined) {
      this.#problems.add(path, 'several-tasks', 'the defaults have a script and a process: which of them is meant?');
    } else if (task === null || (own.length === 0 && taskFields.some((field) => wrong.has(field)))) {
      // A task that cannot be read is a problem already.
      if (taskFields.some((field) => wrong.has(field))) return null;
      this.#problems.add(path, 'no-task', `a node needs one of ${taskFields.join(', ')}`);
    } else {
      this.#misplaced(path, asked, task);
      this.#knownTask(path, own.length > 0, task);
    }
    return task;
  }

  #misplaced(path: Path, asked: GraphNodeRequest, task: Task): void {
    const isCommand = task.kind === 'command';
    const foreign: readonly (keyof GraphNodeRequest)[] =
      task.kind === 'barrier' ? [...ofScripts, ...ofCommands, ...ofRuns] : isCommand ? ofScripts : ofCommands;
    for (const field of foreign) {
      if (asked[field] === undefined) continue;
      const what = task.kind === 'barrier' ? 'a barrier, which runs nothing' : isCommand ? 'a command' : 'a script';
      this.#problems.add([...path, field], 'misplaced', `means nothing for ${what}`);
    }
  }

  #knownTask(path: Path, own: boolean, task: Task): void {
    const where = own ? path : ['defaults'];
    if (task.kind === 'script' && !this.#facts.uploads.has(task.upload)) {
      this.#unknownFile([...where, 'script'], task.upload);
    } else if (task.kind === 'process' && !this.#facts.processes.has(task.process)) {
      const names = [...this.#facts.processes].join(', ') || 'none';
      this.#problems.add(
        [...where, 'process'],
        'unknown-process',
        `there is no process ${quoted(task.process)}: known are ${names}`,
      );
    }
  }

  #unknownFile(path: Path, name: string): void {
    const names = [...this.#facts.uploads.keys()];
    const known = names.length === 0 ? 'it has none' : `it has ${names.slice(0, 20).join(', ')}`;
    this.#problems.add(path, 'unknown-file', `the form has no file ${quoted(name)}: ${known}`);
  }

  #scriptRef(task: Task): FileRef | null {
    if (task.kind === 'process') return { process: task.process };
    return task.kind === 'script' ? (this.#facts.uploads.get(task.upload) ?? null) : null;
  }

  #data(at: number, { data }: GraphNodeRequest): CheckedNode['data'] {
    if (data === undefined) return null;
    if (typeof data !== 'string') return data;
    const file = this.#facts.uploads.get(data);
    if (file !== undefined) return { file };
    this.#unknownFile(['nodes', at, 'data'], data);
    return null;
  }

  /** Under the node stands the decorator of its entrypoint, under that the defaults. */
  #settings(at: number, asked: GraphNodeRequest, task: Task): JobSettings | null {
    const entrypoint = entrypointOf(asked, this.#defaults);
    const key = scriptKey(task, entrypoint);
    const found = key === null ? undefined : this.#facts.inspections.get(key);
    const path = [
      'nodes',
      at,
      asked.entrypoint === undefined ? (asked.process === undefined ? 'script' : 'process') : 'entrypoint',
    ];
    if (found?.ok === false) {
      this.#problems.add(path, 'bad-script', found.problem);
      return null;
    }
    const decorator = Object.entries(found?.settings ?? {}).filter(([, value]) => value !== null);
    try {
      return resolveSettings(own(asked, entrypoint), { ...own(this.#defaults), ...Object.fromEntries(decorator) });
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      this.#problems.add(path, 'bad-script', error.message);
      return null;
    }
  }
}

const settingNames = [
  'queue',
  'time_limit',
  'retries',
  'priority',
  'root_file',
  'compute_only',
  'raw',
  'countdown',
  'expires',
  'callback',
] as const;

/** The settings that jobs have, too. */
function own(source: GraphNodeRequest | GraphDefaults, entrypoint?: string): Record<string, Json> {
  const values = source as Partial<Record<(typeof settingNames)[number], Json>>;
  const given = settingNames.filter((name) => values[name] !== undefined).map((name) => [name, values[name]]);
  return { ...Object.fromEntries(given), ...(entrypoint === undefined ? {} : { entrypoint }) };
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
