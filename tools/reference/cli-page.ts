import { PassThrough } from 'node:stream';
import type { Command } from 'commander';
import { buildProgram } from '../../src/cli/program.js';
import { cell, row } from './json-schema.js';

/** `docs/reference/cli.md`: every command with its flags, from the program that parses them. */

const head = `# Command reference

Every command of \`pixyz\` with its arguments and flags, from the program itself: made by \`npm run reference\`, not by hand. How they are used, with examples that run, and what the
exit codes mean stands in [cli](../cli.md).`;

export function cliPage(): string {
  let said = '';
  const screen = {
    isTTY: false,
    columns: 100,
    rows: 40,
    write: (text: string) => {
      said += text;
    },
  };
  const { program } = buildProgram({
    stdout: screen,
    stderr: screen,
    env: {},
    cwd: '/',
    stop: new AbortController().signal,
    binary: new PassThrough(),
    foreground: async () => 0,
  });
  /** What stands below the flags in the help of a command: examples, mostly. */
  const afterHelp = (command: Command): string => {
    said = '';
    command.outputHelp();
    return said.slice(said.indexOf(command.helpInformation()) + command.helpInformation().length).trim();
  };
  const everywhere = program.options.map(({ flags }) => flags);
  const commands = leavesOf(program, ['pixyz']);
  const index = commands.map(({ path, command }) =>
    row([`[\`${path.join(' ')}\`](#${path.join('-')})`, cell(command.description())]),
  );
  return `${[
    head,
    ['| Command | What |', '| --- | --- |', ...index].join('\n'),
    '## Flags of every command',
    flagTable(program),
    ...commands.map(({ path, command }) => section(path, command, everywhere, afterHelp(command))),
  ].join('\n\n')}\n`;
}

interface Leaf {
  readonly path: readonly string[];
  readonly command: Command;
}

function leavesOf(command: Command, path: readonly string[]): Leaf[] {
  return command.commands.flatMap((child) => {
    const own = [...path, child.name()];
    // A group does nothing itself, and so has none of the flags that every command has.
    return [...(child.options.length > 0 ? [{ path: own, command: child }] : []), ...leavesOf(child, own)];
  });
}

function section(path: readonly string[], command: Command, everywhere: readonly string[], after: string): string {
  const words = command.registeredArguments.map((argument) => {
    const name = `${argument.name()}${argument.variadic ? '…' : ''}`;
    return argument.required ? `<${name}>` : `[${name}]`;
  });
  const description = command.description();
  const parts = [
    `## ${path.join(' ')}`,
    `\`${[...path, ...words].join(' ')}\`: ${description}${/[.?!]$/.test(description) ? '' : '.'}`,
  ];
  const alias = command.alias();
  if (alias) parts.push(`Also \`${[...path.slice(0, -1), alias].join(' ')}\`.`);
  if (command.options.some(({ flags }) => !everywhere.includes(flags))) parts.push(flagTable(command, everywhere));
  if (after !== '') parts.push(`\`\`\`text\n${after}\n\`\`\``);
  return parts.join('\n\n');
}

function flagTable(command: Command, without: readonly string[] = []): string {
  const rows = command.options
    .filter(({ flags, hidden }) => !hidden && !without.includes(flags))
    .map(({ flags, description, mandatory, defaultValue }) => {
      const fallback = defaultValue === undefined ? '' : ` Default \`${String(defaultValue)}\`.`;
      return row([
        `\`${cell(flags)}\``,
        `${cell(description)}${mandatory ? ' (required)' : ''}${fallback && `.${fallback}`}`,
      ]);
    });
  return ['| Flag | What |', '| --- | --- |', ...rows].join('\n');
}
