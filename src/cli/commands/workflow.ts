import type { Commands } from '../context.js';
import { givenFiles } from '../graph-files.js';
import { collect, jsonOption } from '../options.js';
import { table } from '../output.js';
import { watched } from './graph.js';
import { scheduleCommands } from './schedule.js';

interface RunFlags {
  readonly params: string;
  readonly alias?: string;
  readonly file?: readonly string[];
  readonly watch?: boolean;
  readonly batch?: boolean;
}

export function workflowCommands(commands: Commands): void {
  const workflow = commands.group('workflow', 'workflow files: programs that decide what runs');

  commands.add(
    'list',
    'the workflow files of the server',
    (command) => command,
    async ({ client, out }) => {
      const list = await client.workflows.list();
      out.show(list, () =>
        table(
          ['WORKFLOW', 'USABLE', 'VERSION', 'WHAT'],
          list.workflows.map(({ name, usable, version, doc, problems }) => [
            name,
            usable ? out.paint('green', 'yes') : out.paint('red', 'no'),
            version ?? '',
            usable ? ((doc ?? '').split('\n')[0] ?? '') : (problems[0]?.message ?? ''),
          ]),
        ),
      );
      return 0;
    },
    workflow,
  );

  commands
    .add<RunFlags>(
      'run <workflow>',
      'start a run of a workflow: a graph, for all commands of graphs',
      (command) =>
        command
          .option('-p, --params <json>', 'what the workflow gets, as JSON', '{}')
          .option('-f, --file <name=path>', 'a file that its tasks name; may be given several times', collect(String))
          .option('-a, --alias <name>', 'display name of the run')
          .option('-w, --watch', 'draw it until it has ended; its end is the exit code')
          .option('-b, --batch', 'print the id and nothing else'),
      async (context, { params, alias, file = [], watch, batch }, name) => {
        const { client, out, shell } = context;
        const request = { input: jsonOption('-p', params), ...(alias === undefined ? {} : { name: alias }) };
        const run = await client.workflows.run(name as string, request, givenFiles(file, shell.cwd), {
          signal: shell.stop,
        });
        if (!out.json)
          out.print(batch === true ? run.id : `graph ${run.id} started, a run of workflow ${run.workflow}`);
        if (watch !== true) {
          if (out.json) out.value(run);
          return 0;
        }
        return watched(context, run.id, batch);
      },
      workflow,
    )
    .addHelpText('after', '\nExamples:\n  pixyz workflow run convert-and-thumbnail -f model=pump.step -w');

  commands.add<{ readonly params: string }>(
    'signal <run> <signal>',
    'send a signal to a run that waits for it',
    (command) => command.option('-p, --params <json>', 'what its handler gets: a list, as JSON', '[]'),
    async ({ client, out }, { params }, run, name) => {
      const args = jsonOption('-p', params);
      const sent = await client.workflows.signal(run as string, name as string, Array.isArray(args) ? args : [args]);
      out.tell(sent, `signal ${name} sent to run ${run}`);
      return 0;
    },
    workflow,
  );

  commands.add(
    'show <workflow>',
    'one workflow file: what it does and takes, and its problems',
    (command) => command,
    async ({ client, out }, _flags, name) => {
      out.value(await client.workflows.get(name as string));
      return 0;
    },
    workflow,
  );

  scheduleCommands(commands, workflow);
}
