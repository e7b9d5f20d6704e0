import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse } from 'dotenv';
import { chooseConnection, configFileOf } from '../connection.js';
import type { Commands } from '../context.js';
import { CliError, exitCodes } from '../exit-codes.js';
import { existingFile } from '../options.js';
import { table } from '../output.js';

const names = { url: 'PIXYZ_URL', token: 'PIXYZ_TOKEN' } as const;

/** `config`: which API is used and why, and the file that says so for every shell; what becomes of settings of a system. */
export function configCommands(commands: Commands): void {
  const config = commands.group('config', 'address and token, and the file that keeps them');

  commands.add(
    'show',
    'which address and token are used, and where they are from',
    (command) => command,
    ({ connection, shell, out }) => {
      const { url, token, tokenFrom, configFile } = connection;
      const facts = {
        url,
        token: token === null ? null : 'set',
        token_from: token === null ? null : tokenFrom,
        file: configFile ?? configFileOf(shell.env),
        file_exists: configFile !== null,
      };
      out.tell(
        facts,
        [
          `address  ${url}`,
          `token    ${token === null ? 'none: pixyz config set token' : `from ${tokenFrom}`}`,
          `file     ${facts.file}${configFile === null ? ' (not there)' : ''}`,
        ].join('\n'),
      );
      return 0;
    },
    config,
  );

  commands
    .add(
      'set <name> [value]',
      'keep the address (url) or the token (token) in the file; without a value it is read from standard input',
      (command) => command,
      ({ shell, out }, _flags, name, value) => {
        if (name !== 'url' && name !== 'token')
          throw new CliError(`"${name}" cannot be set: it is url or token`, exitCodes.usage);
        const text = (value ?? readFileSync(0, 'utf8')).trim();
        if (text === '' || /\s/.test(text)) throw new CliError(`that is no ${name}`, exitCodes.usage);
        // An address that is none is refused here, and not at the next command.
        if (name === 'url') chooseConnection({ url: text }, {}, shell.cwd);
        const file = configFileOf(shell.env);
        writeSetting(file, names[name], text);
        out.tell({ file, set: name }, `${name} is kept in ${file}`);
        return 0;
      },
      config,
    )
    .addHelpText(
      'after',
      '\nExamples:\n  pixyz config set url https://pixyz.example.org\n  pixyz config set token < token.txt      not seen in the history of the shell',
    );

  commands
    .add(
      'check [file]',
      'what becomes of each line of a pixyz-scheduler.conf, one of the Celery-based scheduler too',
      (command) => command,
      async ({ shell, out }, _flags, path = 'pixyz-scheduler.conf') => {
        // Only this command needs the settings of the server, and what reads them.
        const { explainSettings } = await import('../../config/explain.js');
        const lines = explainSettings(parse(readFileSync(existingFile('file', path, shell.cwd))));
        const colours = {
          used: 'green',
          empty: 'gray',
          unused: 'gray',
          elsewhere: 'gray',
          unknown: 'yellow',
          wrong: 'red',
        } as const;
        const rows = lines.map(({ name, value, fate, detail }) => [
          name,
          value ?? '…',
          out.paint(colours[fate], fate),
          detail,
        ]);
        out.tell({ file: resolve(shell.cwd, path), settings: lines }, table(['NAME', 'VALUE', 'IS', 'WHAT'], rows));
        return lines.some(({ fate }) => fate === 'wrong') ? exitCodes.failed : exitCodes.ok;
      },
      config,
    )
    .addHelpText('after', '\nExit code 1: a value cannot be used.');
}

/** Other lines stay as they are. Readable by its owner alone, from the first moment: it holds the token. */
function writeSetting(file: string, name: string, value: string): void {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
  const kept = lines.filter((line) => line !== '' && !line.startsWith(`${name}=`));
  mkdirSync(dirname(file), { recursive: true });
  const written = `${file}.${process.pid}`;
  writeFileSync(written, `${[...kept, `${name}=${value}`].join('\n')}\n`, { mode: 0o600 });
  chmodSync(written, 0o600);
  renameSync(written, file);
}
