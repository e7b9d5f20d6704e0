import type { Command } from 'commander';
import type { Commands } from '../context.js';
import { existingFile, jsonOption, wholeNumber } from '../options.js';
import { configOf, type SubmitFlags, submitJob } from '../submit-job.js';

/** `exec` and `process`: a job from a script of one's own, or from one that is there already. */
export function runCommands(commands: Commands): void {
  commands
    .add<SubmitFlags & { readonly script: string }>(
      'exec',
      'run a script of your own as a job',
      (command) => submitOptions(command.requiredOption('-s, --script <file>', 'the Python script')),
      (context, flags) => {
        const { cwd } = context.shell;
        const request = {
          script: existingFile('-s', flags.script, cwd),
          ...(flags.input === undefined ? {} : { file: existingFile('-i', flags.input, cwd) }),
          ...sharedFields(flags),
        };
        return submitJob(context, request, flags, { submitted: 'started', completed: null });
      },
    )
    .addHelpText('after', execExamples);

  commands
    .add<SubmitFlags & { readonly name: string }>(
      'process',
      'run a process that is there already (pixyz list)',
      (command) => submitOptions(command.requiredOption('-n, --name <process>', 'name of the process')),
      (context, flags) => {
        if (!context.out.json && flags.batch !== true) context.out.print(`start ${flags.name} process`);
        const request = {
          process: flags.name,
          ...(flags.input === undefined ? {} : { file: existingFile('-i', flags.input, context.shell.cwd) }),
          ...sharedFields(flags),
        };
        return submitJob(context, request, flags, { submitted: 'submitted', completed: 'completed' });
      },
    )
    .addHelpText('after', processExamples);
}

function sharedFields(flags: SubmitFlags) {
  return {
    params: jsonOption('-p', flags.params ?? '{}'),
    config: configOf(flags),
    ...(flags.alias === undefined ? {} : { name: flags.alias }),
  };
}

function submitOptions(command: Command): Command {
  return command
    .option('-i, --input <file>', 'input file of the job')
    .option('-p, --params <json>', 'parameters, as JSON', '{}')
    .option('-e, --entrypoint <name>', 'function to call (default: main)')
    .option('-q, --queue <name>', 'queue, such as cpu or gpu')
    .option('-l, --limit <seconds>', 'time limit (default: 3600)', wholeNumber)
    .option('-a, --alias <name>', 'display name of the job')
    .option(
      '-c, --config <json>',
      'further settings, such as {"retries": 0}; what the engine does not know reaches the script',
    )
    .option('-w, --watch', 'wait for the end')
    .option('-r, --result', 'with -w: print the details at the end')
    .option('-b, --batch', 'print the id of the job and nothing else; with -w the exit code tells how it ended');
}

const execExamples = `
Examples:
  pixyz exec -s my_script.py -i model.step -wr          send, watch, print the result
  pixyz exec -s my_script.py -p '{"level": 3}' -q gpu    with parameters, on queue gpu
  JOB=$(pixyz exec -s my_script.py -b)                   only the id
  pixyz exec -s my_script.py -bw || echo "it failed"     exit code 10: failed, 11: cancelled`;

const processExamples = `
Examples:
  pixyz process -n convert_file -i model.step -p '{"extension": "glb"}' -w
  pixyz process -n sleep -p '{"duration": 5}' -a nap`;
