import { type Exact, isList, parseExact, stringifyExact } from './exact-json.js';
import { ExpressionError, evaluate, type NodeFact, type References, referencesOf, type Scope } from './expressions.js';

/**
 * Templates: JSON whose strings hold expressions as `${{ expression }}`. One that is the whole string gives its value, with its
 * type; one inside text gives text. `$${{` stands for `${{` as it is. Keys are taken as they are.
 */

export interface TemplateProblem {
  /** Where in the JSON, as a JSON pointer: `/sizes/0`; empty: the whole. */
  readonly path: string;
  readonly message: string;
}

export interface CheckedTemplate {
  /** Every problem there is; none: it can be used. */
  readonly problems: readonly TemplateProblem[];
  readonly references: References;
}

/** @param text JSON */
export function checkTemplate(text: string): CheckedTemplate {
  const problems: TemplateProblem[] = [];
  const nodes = new Map<string, Set<NodeFact>>();
  let item = false;
  const visit = (value: Exact, path: string): void => {
    if (typeof value === 'string') {
      try {
        for (const piece of piecesOf(value)) {
          if (piece.kind === 'text') continue;
          const found = referencesOf(piece.text);
          item ||= found.item;
          for (const [id, facts] of found.nodes) {
            const known = nodes.get(id) ?? new Set();
            for (const fact of facts) known.add(fact);
            nodes.set(id, known);
          }
        }
      } catch (error) {
        if (!(error instanceof ExpressionError)) throw error;
        problems.push({ path, message: error.message });
      }
    } else if (typeof value === 'object' && value !== null) {
      if (isList(value)) for (const [at, one] of value.entries()) visit(one, `${path}/${at}`);
      else for (const [key, one] of Object.entries(value)) visit(one, `${path}/${pointer(key)}`);
    }
  };
  try {
    visit(parseExact(text), '');
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    problems.push({ path: '', message: error.message });
  }
  return { problems, references: { nodes, item } };
}

/** Whether a text has an expression in it at all. */
export function hasExpression(text: string): boolean {
  return text.includes('${{');
}

/**
 * @param text JSON
 * @returns JSON
 * @throws ExpressionError with the place
 */
export function renderTemplate(text: string, scope: Scope): string {
  const render = (value: Exact, path: string): Exact => {
    if (typeof value === 'string') {
      try {
        return renderString(value, scope);
      } catch (error) {
        if (!(error instanceof ExpressionError) || path === '') throw error;
        throw new ExpressionError(`${path}: ${error.message}`);
      }
    }
    if (typeof value !== 'object' || value === null) return value;
    if (isList(value)) return value.map((one, at) => render(one, `${path}/${at}`));
    const made: Record<string, Exact> = Object.create(null) as Record<string, Exact>;
    for (const [key, one] of Object.entries(value)) made[key] = render(one, `${path}/${pointer(key)}`);
    return made;
  };
  return stringifyExact(render(parseExact(text), ''));
}

/** One string: the value of the expression that it is, else text. @throws ExpressionError */
export function renderString(text: string, scope: Scope): Exact {
  const pieces = piecesOf(text);
  const only = pieces.length === 1 ? pieces[0] : undefined;
  if (only?.kind === 'expression') return evaluate(only.text, scope);
  return pieces.map((piece) => (piece.kind === 'text' ? piece.text : textOf(evaluate(piece.text, scope)))).join('');
}

/** How a value stands inside text. */
export function textOf(value: Exact): string {
  return typeof value === 'string' ? value : stringifyExact(value);
}

interface Piece {
  readonly kind: 'text' | 'expression';
  readonly text: string;
}

function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let plain = '';
  let at = 0;
  for (;;) {
    const begin = text.indexOf('${{', at);
    if (begin === -1) break;
    if (text[begin - 1] === '$' && begin - 1 >= at) {
      plain += `${text.slice(at, begin - 1)}\${{`;
      at = begin + 3;
      continue;
    }
    const end = endOf(text, begin + 3);
    if (end === -1) throw new ExpressionError(`"\${{" has no "}}" after it, at character ${begin + 1}`);
    plain += text.slice(at, begin);
    if (plain !== '') pieces.push({ kind: 'text', text: plain });
    plain = '';
    pieces.push({ kind: 'expression', text: text.slice(begin + 3, end).trim() });
    at = end + 2;
  }
  plain += text.slice(at);
  if (plain !== '' || pieces.length === 0) pieces.push({ kind: 'text', text: plain });
  return pieces;
}

/** The `}}` that ends an expression: not one of a map, and not one in a string. */
function endOf(text: string, from: number): number {
  let open = 0;
  let quote = '';
  for (let at = from; at < text.length; at += 1) {
    const char = text[at] as string;
    if (quote !== '') {
      if (char === '\\') at += 1;
      else if (char === quote) quote = '';
    } else if (char === '"' || char === "'") quote = char;
    else if (char === '{') open += 1;
    else if (char === '}') {
      if (open > 0) open -= 1;
      else if (text[at + 1] === '}') return at;
      else return -1;
    }
  }
  return -1;
}

function pointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
