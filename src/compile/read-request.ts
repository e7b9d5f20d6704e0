import type { z } from 'zod';
import type { Json } from '../contract/json.js';
import { EngineError } from '../errors/engine-error.js';
import {
  addNodesHeadSchema,
  type GraphDefaults,
  type GraphHead,
  type GraphNodeRequest,
  graphDefaultsSchema,
  graphHeadSchema,
  graphNodeRequestSchema,
  maxAddedNodes,
  maxGraphNodes,
} from './graph-request.js';
import { parseJson } from './parse-json.js';
import type { Problems } from './problems.js';
import { type RawParams, rawParams } from './raw-params.js';
import { atOnce, type Pieces } from './slices.js';

/** A node as it came. One that breaks its schema still has an id that others may name. */
export interface AskedNode {
  /** Position in the request. */
  readonly at: number;
  readonly id: string | null;
  /** Without the fields that break their schema; null when nothing can be read of it. */
  readonly asked: GraphNodeRequest | null;
  /** Those fields. */
  readonly wrong: ReadonlySet<string>;
  /** JSON text, as it was sent. */
  readonly paramsText: string;
  /** What could be read of its dependencies, for the checks of the graph as a whole. */
  readonly deps: readonly string[];
}

export interface AskedGraph {
  readonly head: Omit<GraphHead, 'nodes'>;
  /** JSON text, as it was sent; null where there is none. */
  readonly paramsText: string | null;
  readonly defaults: GraphDefaults;
  readonly nodes: readonly AskedNode[];
}

const nodeFields = Object.keys(graphNodeRequestSchema.shape);
const headFields = Object.keys(graphHeadSchema.shape);
const defaultFields = Object.keys(graphDefaultsSchema.shape);

/** Reads the text of `POST /graphs`; what is wrong with it goes to the problems. @throws EngineError when it is no JSON */
export function* readGraph(text: string, problems: Problems): Pieces<AskedGraph> {
  const { nodes, ...head } = parsedHead(text, graphHeadSchema, headFields, problems);
  yield;
  const raw = rawParams(text);
  yield;
  const asked = yield* nodesOf(nodes, raw, problems, maxGraphNodes);
  if (asked !== null && asked.length === 0 && head.mode !== 'open') {
    problems.add(['nodes'], 'empty', 'a graph needs nodes, unless its mode is "open"');
  }
  return { head, paramsText: raw.graph ?? null, defaults: head.defaults ?? {}, nodes: asked ?? [] };
}

/** The same for `POST /graphs/{graph}/nodes`. */
export function readAdditions(text: string, problems: Problems): readonly AskedNode[] {
  const { nodes } = parsedHead(text, addNodesHeadSchema, ['nodes'], problems);
  const asked = atOnce(nodesOf(nodes, rawParams(text), problems, maxAddedNodes));
  if (asked !== null && asked.length === 0) problems.add(['nodes'], 'empty', 'there are no nodes to add');
  return asked ?? [];
}

function parsedHead<T extends z.ZodObject>(
  text: string,
  schema: T,
  fields: readonly string[],
  problems: Problems,
): z.infer<T> {
  const value = parseJson('graph', text);
  if (!isObject(value)) throw new EngineError('BAD_REQUEST', 'the graph must be a JSON object: {"nodes": […]}');
  const given = withoutNulls(value);
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    problems.addIssues([issue], [], issue.path[0] === 'defaults' ? defaultFields : fields);
  }
  // What is right counts all the same: one wrong label must not hide what is wrong with the nodes.
  const wrong = new Set(parsed.error.issues.map(({ path }) => path[0]));
  const right = Object.entries(given).filter(([key]) => fields.includes(key) && !wrong.has(key));
  return schema.safeParse(Object.fromEntries(right)).data ?? ({ nodes: given['nodes'] } as z.infer<T>);
}

function* nodesOf(value: unknown, raw: RawParams, problems: Problems, most: number): Pieces<AskedNode[] | null> {
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    problems.add(['nodes'], 'malformed', 'must be a list of nodes');
    return null;
  }
  if (value.length > most) {
    problems.add(['nodes'], 'too-many-nodes', `${value.length} nodes: at most ${most} in one request`);
    return null;
  }
  const asked: AskedNode[] = [];
  for (const [at, item] of (value as Json[]).entries()) {
    asked.push(nodeOf(item, at, raw.nodes[at] ?? '{}', problems));
    yield;
  }
  return asked;
}

function nodeOf(item: Json, at: number, paramsText: string, problems: Problems): AskedNode {
  const given = isObject(item) ? withoutNulls(item) : item;
  const parsed = graphNodeRequestSchema.safeParse(given);
  if (parsed.success) {
    return { at, id: parsed.data.id, asked: parsed.data, wrong: noFields, paramsText, deps: parsed.data.deps ?? [] };
  }
  problems.addIssues(parsed.error.issues, ['nodes', at], nodeFields);
  const { id, deps } = isObject(given) ? given : {};
  const wrong = new Set(parsed.error.issues.map(({ path }) => String(path[0])));
  return {
    at,
    id: typeof id === 'string' ? id : null,
    asked: isObject(given) ? withoutWrong(given, wrong) : null,
    wrong,
    paramsText,
    deps: Array.isArray(deps) ? deps.filter((dep) => typeof dep === 'string') : [],
  };
}

const noFields: ReadonlySet<string> = new Set();

/** What is right is checked further: one wrong field must not hide what is wrong with the others. */
function withoutWrong(given: { [key: string]: Json }, wrong: ReadonlySet<string>): GraphNodeRequest | null {
  const right = Object.entries(given).filter(([key]) => nodeFields.includes(key) && !wrong.has(key));
  // The node will not be made: any id will do.
  return graphNodeRequestSchema.safeParse({ id: 'unnamed', ...Object.fromEntries(right) }).data ?? null;
}

function isObject(value: Json): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** null means "not given", except for parameters, where it is a value. */
function withoutNulls(value: { [key: string]: Json }): { [key: string]: Json } {
  return Object.fromEntries(Object.entries(value).filter(([key, item]) => item !== null || key === 'params'));
}
