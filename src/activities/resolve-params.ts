import type { Command, ParamsSource } from '../contract/graph-document.js';
import { isList } from '../store/exact-json.js';
import { ExpressionError, type Scope } from '../store/expressions.js';
import type { NodeValues, Place } from '../store/node-values.js';
import { checkTemplate, hasExpression, renderString, textOf } from '../store/templates.js';

/** What a node's parameters, command and file names become, from what other nodes have done. All throw ExpressionError. */

/** @returns JSON text */
export function resolveParams(values: NodeValues, source: ParamsSource, place: Place): Promise<string> {
  return values.params(source, place, source.kind === 'template' ? checkTemplate(source.text).references : null);
}

/** A single text. */
export async function resolveText(values: NodeValues, text: string, place: Place): Promise<string> {
  return hasExpression(text) ? textOf(renderString(text, await scopeOf(values, text, place))) : text;
}

/** Every text of a command may have expressions; what they give becomes text. A list gives as many texts as it has items. */
export async function resolveCommand(values: NodeValues, command: Command, place: Place): Promise<Command> {
  if (!hasExpression(JSON.stringify(command))) return command;
  const scope = await scopeOf(values, command, place);
  const text = (template: string): string => textOf(renderString(template, scope));
  const texts = (templates: readonly string[]): string[] =>
    templates.flatMap((template) => {
      const value = renderString(template, scope);
      return typeof value === 'object' && value !== null && isList(value) ? value.map(textOf) : [textOf(value)];
    });
  const program = text(command.program);
  if (program.trim() === '') throw new ExpressionError('the name of the program is empty');
  return {
    ...command,
    program,
    args: texts(command.args),
    env: Object.fromEntries(
      Object.entries(command.env).map(([name, value]) => [name, value === null ? null : text(value)]),
    ),
    cwd: command.cwd === null ? null : text(command.cwd),
    expectedOutputs: texts(command.expectedOutputs),
  };
}

function scopeOf(values: NodeValues, template: unknown, place: Place): Promise<Scope> {
  return values.scope(place, checkTemplate(JSON.stringify(template)).references);
}
