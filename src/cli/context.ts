import type { Command } from 'commander';
import { PixyzClient } from '../client/index.js';
import { type ConnectionChoice, chooseConnection } from './connection.js';
import { Live } from './live.js';
import { Output } from './output.js';
import type { Shell } from './shell.js';

/** What the action of a command works with. */
export interface Context {
  readonly shell: Shell;
  readonly out: Output;
  readonly live: Live;
  /** Made when it is first asked for: some commands need no API. */
  readonly client: PixyzClient;
  readonly connection: ConnectionChoice;
}

export interface CommonOptions {
  readonly url?: string;
  readonly token?: string;
  readonly json?: boolean;
}

/** The flags that every command has; before the command they mean the same. */
export function withCommonOptions(command: Command): Command {
  return command
    .option('-u, --url <url>', 'address of the API (else PIXYZ_URL, the config file, http://127.0.0.1:8001)')
    .option('-t, --token <token>', 'token of the API (else PIXYZ_TOKEN, the config file, the token of a local system)')
    .option('--json', 'print one JSON document');
}

export function contextOf(shell: Shell, own: CommonOptions, before: CommonOptions): Context {
  const flags = { url: own.url ?? before.url, token: own.token ?? before.token };
  const out = new Output(shell, own.json ?? before.json ?? false);
  let connection: ConnectionChoice | undefined;
  let client: PixyzClient | undefined;
  return {
    shell,
    out,
    live: new Live(shell.stderr),
    get connection() {
      connection ??= chooseConnection(flags, shell.env, shell.cwd);
      return connection;
    },
    get client() {
      client ??= new PixyzClient({ url: this.connection.url, token: this.connection.token });
      return client;
    },
  };
}

type Work<O> = (context: Context, options: O, ...args: string[]) => Promise<number | undefined> | number | undefined;

/** Commands of the program: each only parses, calls and prints; what its work returns becomes the exit code. */
export class Commands {
  readonly shell: Shell;
  exitCode = 0;
  readonly #program: Command;

  constructor(program: Command, shell: Shell) {
    this.#program = program;
    this.shell = shell;
  }

  get program(): Command {
    return this.#program;
  }

  add<O>(
    usage: string,
    description: string,
    build: (command: Command) => Command,
    work: Work<O>,
    parent: Command = this.#program,
  ): Command {
    const command = build(parent.command(usage).description(description));
    return withCommonOptions(command).action(async (...parsed: unknown[]) => {
      const options = command.opts<O & CommonOptions>();
      const args = parsed
        .slice(0, -2)
        .flat()
        .filter((arg): arg is string => typeof arg === 'string');
      const context = contextOf(this.shell, options, this.#program.opts<CommonOptions>());
      this.exitCode = (await work(context, options, ...args)) ?? 0;
    });
  }

  group(name: string, description: string): Command {
    return this.#program.command(name).description(description);
  }
}
