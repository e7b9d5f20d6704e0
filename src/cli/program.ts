import { Command, CommanderError } from 'commander';
import { ApiError, ConnectionError, RequestError } from '../client/index.js';
import { productVersion } from '../config/product-version.js';
import { completionCommand } from './commands/completion.js';
import { configCommands } from './commands/config.js';
import { doctorCommand } from './commands/doctor.js';
import { graphCommands } from './commands/graph.js';
import { jobCommands } from './commands/jobs.js';
import { logCommands } from './commands/logs.js';
import { modelCommands } from './commands/models.js';
import { operationCommands } from './commands/operations.js';
import { outputCommands } from './commands/outputs.js';
import { processCommands } from './commands/processes.js';
import { purgeCommand } from './commands/purge.js';
import { runCommands } from './commands/run.js';
import { upCommand } from './commands/up.js';
import { workflowCommands } from './commands/workflow.js';
import { Commands, withCommonOptions } from './context.js';
import { CliError, exitCodes } from './exit-codes.js';
import { Output } from './output.js';
import type { Shell } from './shell.js';

const examples = `
Examples:
  pixyz up                                       start the system on this machine
  pixyz convert -i model.step -o model.glb       convert a file
  pixyz exec -s my_script.py -i model.step -w    run a script of your own
  pixyz graph run chain.json -w                  run a graph and see it drawn
  pixyz doctor                                   what is missing, and what to do

Exit codes: 0 done; 10 a watched job or graph failed, 11 was cancelled; 1 the request failed; 2 wrong command line.
Settings: PIXYZ_URL and PIXYZ_TOKEN in the environment or in ~/.config/pixyz.conf (PIXYZ_CONFIG names another file).`;

export function buildProgram(shell: Shell): Commands {
  const program = withCommonOptions(new Command('pixyz'))
    .description('Jobs, graphs and workers of the Pixyz Temporal Scheduler')
    .version(productVersion, '-V, --version', 'version of this command')
    .enablePositionalOptions()
    .exitOverride()
    .showSuggestionAfterError()
    .addHelpText('after', examples)
    .configureOutput({
      writeOut: (text) => shell.stdout.write(text),
      writeErr: (text) => shell.stderr.write(text),
      getOutHelpWidth: () => Math.max(60, Math.min(shell.stdout.columns, 120)),
      getErrHelpWidth: () => Math.max(60, Math.min(shell.stderr.columns, 120)),
    });
  const commands = new Commands(program, shell);
  processCommands(commands);
  jobCommands(commands);
  outputCommands(commands);
  runCommands(commands);
  modelCommands(commands);
  logCommands(commands);
  graphCommands(commands);
  workflowCommands(commands);
  operationCommands(commands);
  purgeCommand(commands);
  upCommand(commands);
  doctorCommand(commands);
  configCommands(commands);
  completionCommand(commands);
  return commands;
}

/** Runs a command line; gives the exit code. */
export async function runProgram(args: readonly string[], shell: Shell): Promise<number> {
  const commands = buildProgram(shell);
  try {
    if (args.length === 0) {
      commands.program.outputHelp();
      return exitCodes.ok;
    }
    await commands.program.parseAsync([...args], { from: 'user' });
    return commands.exitCode;
  } catch (error) {
    return codeOf(error, args.includes('--json'), shell);
  }
}

function codeOf(error: unknown, json: boolean, shell: Shell): number {
  const out = new Output(shell, json);
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exitCodes.ok;
    // Its message is out already.
    if (json) out.value(documentOf(error));
    return exitCodes.usage;
  }
  if (shell.stop.aborted) return exitCodes.interrupted;
  const message = messageOf(error);
  if (message !== '') {
    out.note(`pixyz: ${message}`);
    if (json) out.value(documentOf(error));
  }
  return error instanceof CliError ? error.exitCode : exitCodes.failed;
}

/** Of every error, whoever made it: programs need not read standard error. */
function documentOf(error: unknown): object {
  if (error instanceof ApiError) {
    const { status, code, message, retryable, problems } = error;
    return { error: { status, code, message, retryable, problems } };
  }
  const message =
    error instanceof CommanderError ? error.message.replace(/^error: /, '') : (messageOf(error).split('\n')[0] ?? '');
  const retryable = error instanceof ConnectionError;
  return { error: { status: null, code: nameOf(error), message, retryable, problems: [] } };
}

function nameOf(error: unknown): string {
  if (error instanceof ConnectionError) return 'UNREACHABLE';
  if (error instanceof CommanderError || error instanceof RequestError) return 'USAGE';
  if (error instanceof CliError) return error.exitCode === exitCodes.usage ? 'USAGE' : 'FAILED';
  return (error as { code?: string }).code ?? 'INTERNAL';
}

function messageOf(error: unknown): string {
  if (error instanceof ApiError) {
    if (error.status === 401)
      return `${error.message}: give the token with -t, PIXYZ_TOKEN or the config file (a local system keeps it in .data/api-token)`;
    const request = error.status >= 500 && error.requestId !== null ? ` (request ${error.requestId})` : '';
    return `${error.message}${request}`;
  }
  if (error instanceof ConnectionError) {
    if (!error.refused) return error.message;
    const nobody = (error.cause as { code?: string } | undefined)?.code === 'ECONNREFUSED';
    return `${error.message}${nobody ? ': is the system up (pixyz up)?' : '.'} Another address: -u or PIXYZ_URL`;
  }
  if (error instanceof CliError || error instanceof RequestError) return error.message;
  const code = (error as { code?: string }).code;
  // What the file system says is for the user; anything else is a fault of ours.
  return code !== undefined && /^E[A-Z]+$/.test(code)
    ? (error as Error).message
    : String((error as Error).stack ?? error);
}
