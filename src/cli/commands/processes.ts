import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../config/project-root.js';
import type { Commands } from '../context.js';

export function processCommands(commands: Commands): void {
  commands.add(
    'version',
    'version of this command',
    (command) => command,
    ({ out }) => {
      const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { version: string };
      out.tell({ version }, `pixyz-scheduler-client v${version}`);
      return 0;
    },
  );

  commands.add(
    'list',
    'the processes that are there already',
    (command) => command,
    async ({ client, out }) => {
      const processes = await client.processes();
      out.show({ processes }, () => processes.join('\n'));
      return 0;
    },
  );

  commands.add<{ readonly name: string }>(
    'doc',
    'what a process does and takes',
    (command) => command.requiredOption('-n, --name <process>', 'name of the process'),
    async ({ client, out }, { name }) => {
      const doc = await client.processDoc(name);
      out.tell({ doc }, doc.trimEnd());
      return 0;
    },
  );
}
