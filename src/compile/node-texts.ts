import { posix } from 'node:path';
import type { Command, ParamsSource } from '../contract/graph-document.js';
import type { Json } from '../contract/json.js';
import { splitCommand } from './command-line.js';
import type { GraphDefaults, GraphNodeRequest } from './graph-request.js';
import type { Path, Problems } from './problems.js';
import type { TemplateRules } from './template-rules.js';

/** The texts of one node in which expressions may stand. */
export class NodeTexts {
  /** Nodes that expressions speak of. */
  readonly named: { readonly path: Path; readonly id: string }[] = [];
  readonly #path: Path;
  readonly #templates: TemplateRules;
  readonly #problems: Problems;
  readonly #isMap: boolean;

  constructor(path: Path, templates: TemplateRules, problems: Problems, isMap: boolean) {
    this.#path = path;
    this.#templates = templates;
    this.#problems = problems;
    this.#isMap = isMap;
  }

  params(value: Json | undefined, text: string): ParamsSource {
    // Most parameters have none: looking at the text alone saves walking through the value.
    if (value === undefined || !text.includes('{{')) return { kind: 'text', text };
    return this.#inside(value, ['params']) ? { kind: 'template', text } : { kind: 'text', text };
  }

  command(asked: GraphNodeRequest, defaults: GraphDefaults): Command {
    const shell = asked.shell ?? defaults.shell ?? false;
    const words = this.#words(asked.command as string | string[], shell);
    const [program = '', ...args] = words;
    for (const [at, word] of words.entries())
      this.#text(word, Array.isArray(asked.command) ? ['command', at] : ['command']);
    const unset = Object.fromEntries((asked.env_unset ?? []).map((name) => [name, null]));
    const env = { ...defaults.env, ...asked.env, ...unset };
    for (const [name, value] of Object.entries(asked.env ?? {})) if (value !== null) this.#text(value, ['env', name]);
    const cwd = asked.cwd ?? defaults.cwd ?? null;
    if (asked.cwd !== undefined) this.#text(asked.cwd, ['cwd']);
    const expectedOutputs = asked.expected_outputs ?? [];
    for (const [at, path] of expectedOutputs.entries()) {
      const place = ['expected_outputs', at];
      // What an expression gives is looked at when it is known.
      if (!this.#text(path, place) && leadsOut(path))
        this.#add(place, "leads out of the node's outputs: give a path below them, or an absolute one");
    }
    return {
      program,
      args,
      shell,
      env,
      cwd,
      okExitCodes: asked.ok_exit_codes ?? defaults.ok_exit_codes ?? [0],
      expectedOutputs,
    };
  }

  #words(command: string | readonly string[], shell: boolean): readonly string[] {
    if (typeof command !== 'string') {
      if (shell) this.#add(['command'], 'with "shell" a command is one text: a line for the shell');
      else if (command[0]?.trim() === '') this.#add(['command', 0], 'must be the name of a program');
      return command;
    }
    if (shell) return [command];
    const words = splitCommand(command);
    if (words === null) this.#add(['command'], 'a quote or an expression is not closed');
    else if ((words[0] ?? '') === '') this.#add(['command'], 'must name a program');
    return words ?? [];
  }

  /** A field that is an expression as a whole, with or without `${{` and `}}` around it. */
  expression(field: string, text: string): string {
    const [, inner] = /^\s*\$\{\{([\s\S]*)\}\}\s*$/.exec(text) ?? [];
    const bare = (inner ?? text).trim();
    const path = field.split('.');
    this.#found(this.#templates.expression(bare, { item: false }), path);
    return bare;
  }

  /** @returns whether there are templates in it */
  #inside(value: Json, path: Path): boolean {
    if (typeof value === 'string') return this.#text(value, path);
    if (typeof value !== 'object' || value === null) return false;
    let any = false;
    if (Array.isArray(value)) for (const [at, item] of value.entries()) any = this.#inside(item, [...path, at]) || any;
    else for (const [key, item] of Object.entries(value)) any = this.#inside(item, [...path, key]) || any;
    return any;
  }

  #text(text: string, path: Path): boolean {
    if (!text.includes('${{')) return false;
    this.#found(this.#templates.text(text, { item: this.#isMap }), path);
    return true;
  }

  #found({ problems, nodes }: ReturnType<TemplateRules['text']>, path: Path): void {
    for (const problem of problems) this.#problems.add([...this.#path, ...path], 'bad-template', problem);
    for (const id of nodes) this.named.push({ path: [...this.#path, ...path], id });
  }

  #add(path: Path, message: string): void {
    this.#problems.add([...this.#path, ...path], 'malformed', message);
  }
}

/** Whether a relative path ends above where it begins: written for any system, with the token of a folder before it or not. */
function leadsOut(path: string): boolean {
  const below = path.replaceAll('\\', '/').replace(/^__PDG_[A-Z_]+__\/+/, './');
  return /^\.\.(?:\/|$)/.test(posix.normalize(below));
}
