import type { Commands } from '../context.js';
import { exitCodeOfJob, exitCodes } from '../exit-codes.js';
import { oneId, wholeNumber } from '../options.js';
import { withJob } from './jobs.js';

interface LogFlags {
  readonly jobid?: string;
  readonly follow?: boolean;
  readonly tail?: number;
  readonly attempt?: number;
  readonly list?: boolean;
}

export function logCommands(commands: Commands): void {
  commands
    .add<LogFlags>(
      'logs [job]',
      'what a job has printed',
      (command) =>
        withJob(command)
          .option('-f, --follow', 'go on until the job has ended; its end is the exit code')
          .option('--tail <lines>', 'only so many lines from the end', wholeNumber)
          .option('--attempt <number>', 'of this attempt (default: the last)', wholeNumber)
          .option('--list', 'the attempts, with the sizes of their logs'),
      async ({ client, out, shell }, { follow, tail, attempt, list, ...flags }, ...words) => {
        const id = oneId(flags, words);
        if (list === true) {
          out.value(await client.jobs.logs(id));
          return 0;
        }
        if (follow !== true) {
          const text = await client.jobs.log(id, { attempt, tail });
          if (out.json) out.value({ job: id, text });
          else shell.stdout.write(text);
          return 0;
        }
        try {
          for await (const piece of client.jobs.followLog(id, { attempt, tail }, { signal: shell.stop })) {
            // One JSON document a line: a stream has no end to wait for.
            shell.stdout.write(out.json ? `${JSON.stringify(piece)}\n` : piece.text);
          }
        } catch (error) {
          if (shell.stop.aborted) return exitCodes.interrupted;
          throw error;
        }
        return exitCodeOfJob((await client.jobs.state(id)).status);
      },
    )
    .addHelpText('after', '\nExamples:\n  pixyz logs -f $JOB\n  pixyz logs $JOB --tail 20');
}
