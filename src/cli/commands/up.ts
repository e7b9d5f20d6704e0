import { join } from 'node:path';
import { projectRoot } from '../../config/project-root.js';
import type { Commands } from '../context.js';

export function upCommand(commands: Commands): void {
  commands
    .add(
      'up [parts...]',
      'start the system on this machine: server, api, worker, or all',
      (command) => command,
      (context, _flags, ...parts) =>
        context.shell.foreground(process.execPath, [join(projectRoot, 'tools', 'run.mjs'), 'start', ...parts]),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  pixyz up              everything, until Ctrl-C\n  pixyz up worker       a worker for a system that runs elsewhere',
    );
}
