import { setTimeout as sleep } from 'node:timers/promises';
import { createContext, Script } from 'node:vm';
import { type ASTNode, Environment, type ParseResult } from '@marcbachmann/cel-js';
import type { Exact } from './exact-json.js';

/**
 * Expressions of graphs: the Common Expression Language (CEL), which has no loops, no assignments and no way out of its
 * variables. Bounded three times: the text's length, the structure (nodes, depth), and the time of an evaluation, since
 * nested macros over long lists and regular expressions can take long.
 *
 * Variables:
 * - `nodes.<id>.<fact>` or `nodes["<id>"].<fact>`, ids written out, so that it is known beforehand what an expression needs
 * - `item` and `index` of a job that a `map` made
 * - `params` of the graph
 * - `graph`: its `id`, `name` and `labels`
 *
 * Integers and other numbers are two types, as in Python; they can be mixed.
 */

/** What can be asked of a node. */
export const nodeFacts = ['result', 'status', 'state', 'error', 'outputs', 'folder', 'job'] as const;
export type NodeFact = (typeof nodeFacts)[number];

/** What expressions need: known without evaluating them. */
export interface References {
  /** By the node's id. */
  readonly nodes: ReadonlyMap<string, ReadonlySet<NodeFact>>;
  /** It asks for `item` or `index`. */
  readonly item: boolean;
}

/** Values by name. */
export interface Scope {
  readonly nodes: Exact;
  readonly item?: Exact;
  readonly index?: bigint;
  readonly params?: Exact;
  readonly graph?: Exact;
}

/** Why an expression cannot be used, or what it ran into. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
}

const longest = 4000;
const mostMs = 1000;
const compiledKept = 500;

const environment = new Environment({
  homogeneousAggregateLiterals: false,
  enableOptionalTypes: true,
  limits: { maxAstNodes: 1000, maxDepth: 60, maxListElements: 500, maxMapEntries: 500, maxCallArguments: 16 },
})
  .registerVariable('nodes', 'map')
  .registerVariable('item', 'dyn')
  .registerVariable('index', 'int')
  .registerVariable('params', 'dyn')
  .registerVariable('graph', 'map')
  .registerFunction('json(dyn): string', (value: unknown) => JSON.stringify(plain(valueOf(value))))
  .registerFunction('string.basename(): string', (path: string) => path.slice(path.lastIndexOf('/') + 1))
  .registerFunction('string.stem(): string', (path: string) =>
    path.slice(path.lastIndexOf('/') + 1).replace(/(.)\.[^.]*$/, '$1'),
  );
// JSON does not say which of the two a number is meant to be.
for (const [left, right] of [
  ['int', 'double'],
  ['double', 'int'],
] as const) {
  environment
    .registerOperator(`${left} + ${right}`, (a: Operand, b: Operand) => Number(a) + Number(b))
    .registerOperator(`${left} - ${right}`, (a: Operand, b: Operand) => Number(a) - Number(b))
    .registerOperator(`${left} * ${right}`, (a: Operand, b: Operand) => Number(a) * Number(b))
    .registerOperator(`${left} / ${right}`, (a: Operand, b: Operand) => Number(a) / Number(b));
}

type Operand = number | bigint;

/** What takes no longer than its arguments are long. Everything else (macros over lists, regular expressions) is watched. */
const quick = new Set(
  (
    'size has string int uint double bool type dyn json basename stem ' +
    'startsWith endsWith contains lowerAscii upperAscii trim orValue hasValue value'
  ).split(' '),
);

interface Compiled {
  readonly run: ParseResult;
  /** It can take long. */
  readonly slow: boolean;
  readonly references: References;
}

const compiled = new Map<string, Compiled>();

/**
 * What an expression needs.
 * @throws ExpressionError when it is not one
 */
export function referencesOf(expression: string): References {
  return compile(expression).references;
}

/** @throws ExpressionError */
export function evaluate(expression: string, scope: Scope): Exact {
  const { run, slow } = compile(expression);
  try {
    const work = (): unknown => run({ ...scope });
    return valueOf(slow ? withinTime(work) : work());
  } catch (error) {
    throw asExpressionError(error, expression);
  }
}

/** Evaluations that can take long, one after another. */
let turn: Promise<unknown> = Promise.resolve();
/** What is over by then needs no rest. */
const quickMs = 5;

/**
 * The same for a process that others wait for, too. An evaluation stops everything else in it, so those that can take long
 * have their turn one after another, and after each the others get as much time as it took.
 * @param signal nobody waits for the answer any more
 * @throws ExpressionError
 */
export async function evaluateInTurn(expression: string, scope: Scope, signal?: AbortSignal): Promise<Exact> {
  if (!compile(expression).slow) return evaluate(expression, scope);
  let tookMs = 0;
  const mine = turn.then(() => {
    signal?.throwIfAborted();
    const begin = performance.now();
    try {
      return evaluate(expression, scope);
    } finally {
      tookMs = performance.now() - begin;
    }
  });
  turn = mine.catch(() => undefined).then(() => (tookMs > quickMs ? sleep(tookMs) : undefined));
  return mine;
}

function compile(expression: string): Compiled {
  const known = compiled.get(expression);
  if (known !== undefined) return known;
  if (expression.length > longest)
    throw new ExpressionError(`the expression has ${expression.length} characters, more than the limit of ${longest}`);
  if (expression.trim() === '') throw new ExpressionError('the expression is empty');
  let run: ParseResult;
  try {
    run = environment.parse(expression);
  } catch (error) {
    throw asExpressionError(error, expression);
  }
  // References first: that a node has to be named is a better answer than what the types say.
  const { references, slow } = findReferences(run.ast, expression);
  const types = run.check();
  if (!types.valid && types.error !== undefined) throw asExpressionError(types.error, expression);
  if (compiled.size >= compiledKept) compiled.delete(compiled.keys().next().value as string);
  const entry = { run, references, slow };
  compiled.set(expression, entry);
  return entry;
}

function findReferences(ast: ASTNode, expression: string): Omit<Compiled, 'run'> {
  const nodes = new Map<string, Set<NodeFact>>();
  let item = false;
  let slow = false;
  const visit = (part: unknown): void => {
    if (Array.isArray(part)) {
      for (const one of part) visit(one);
      return;
    }
    if (!isAst(part)) return;
    if (part.op === 'id') {
      if (part.args === 'nodes')
        throw new ExpressionError(
          `name the node and what of it: nodes.<id>.<${nodeFacts.join('|')}>, in ${expression}`,
        );
      if (part.args === 'item' || part.args === 'index') item = true;
      return;
    }
    if (part.op === 'call' || part.op === 'rcall') slow ||= !quick.has(part.args[0]);
    const fact = accessed(part);
    const node = fact === null ? null : accessed(fact.of);
    if (fact !== null && node !== null && isAst(node.of) && node.of.op === 'id' && node.of.args === 'nodes') {
      if (node.name === null)
        throw new ExpressionError(`a node has to be named by a text, not by something computed, in ${expression}`);
      if (fact.name === null || !isNodeFact(fact.name))
        throw new ExpressionError(
          `node "${node.name}" has no "${fact.name ?? '[…]'}": it has ${nodeFacts.join(', ')}, in ${expression}`,
        );
      nodes.set(node.name, (nodes.get(node.name) ?? new Set()).add(fact.name));
      return;
    }
    visit(part.args);
  };
  visit(ast);
  return { references: { nodes, item }, slow };
}

interface Access {
  readonly of: unknown;
  /** null: computed. */
  readonly name: string | null;
}

/** `of.name` or `of["name"]`. */
function accessed(part: unknown): Access | null {
  if (!isAst(part)) return null;
  switch (part.op) {
    case '.':
    case '.?':
      return { of: part.args[0], name: typeof part.args[1] === 'string' ? part.args[1] : literal(part.args[1]) };
    case '[]':
    case '[?]':
      return { of: part.args[0], name: literal(part.args[1]) };
    default:
      return null;
  }
}

function literal(part: unknown): string | null {
  return isAst(part) && part.op === 'value' && typeof part.args === 'string' ? part.args : null;
}

function isAst(part: unknown): part is ASTNode {
  return typeof part === 'object' && part !== null && 'op' in part && 'args' in part;
}

function isNodeFact(name: string): name is NodeFact {
  return (nodeFacts as readonly string[]).includes(name);
}

/** What an expression gives, as far as JSON can say it. */
function valueOf(value: unknown): Exact {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'bigint':
    case 'boolean':
      return value;
    case 'undefined':
      return null;
    case 'object':
      if (value === null) return null;
      if (Array.isArray(value)) return value.map(valueOf);
      if (value instanceof Date) return value.toISOString();
      if (value instanceof Map) return fromEntries([...value.entries()]);
      if ('verify' in value && 'value' in value) return BigInt(String(value.value)); // an unsigned integer
      if (isPlain(value)) return fromEntries(Object.entries(value));
      break;
    default:
      break;
  }
  throw new ExpressionError('its value has no JSON form: bytes, durations, types and optional values have none');
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function fromEntries(entries: readonly (readonly [unknown, unknown])[]): Exact {
  const made: Record<string, Exact> = Object.create(null) as Record<string, Exact>;
  for (const [key, value] of entries) made[String(key)] = valueOf(value);
  return made;
}

/** For texts that people read: integers as JavaScript has them. */
function plain(value: Exact): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

const place: { work: () => unknown } = { work: () => undefined };
const realm = createContext(place);
const begin = new Script('work()');

/**
 * Ends work that takes too long: Node can interrupt JavaScript, regular expressions included, only while it runs a script.
 * The script is ours and always the same; the user's text is not JavaScript and never becomes any.
 */
function withinTime<T>(work: () => T): T {
  place.work = work;
  try {
    return begin.runInContext(realm, { timeout: mostMs }) as T;
  } finally {
    place.work = () => undefined;
  }
}

function asExpressionError(error: unknown, expression: string): ExpressionError {
  if (error instanceof ExpressionError) return error;
  // An error of the other realm: not an instance of our Error.
  if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT')
    return new ExpressionError(`it takes longer than ${mostMs} ms, in ${expression}`);
  const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
  return new ExpressionError(`${message}, in ${expression}`);
}
