import type { Schedule } from '../../client/index.js';
import type { Commands } from '../context.js';
import { CliError, exitCodes } from '../exit-codes.js';
import { jsonOption, wholeNumber } from '../options.js';
import { table } from '../output.js';

type Group = ReturnType<Commands['group']>;

interface ScheduleFlags {
  readonly id: string;
  readonly cron?: string;
  readonly timezone?: string;
  readonly every?: number;
  readonly params: string;
  readonly alias?: string;
}

/** `workflow schedule …`: runs by the clock. */
export function scheduleCommands(commands: Commands, workflow: Group): void {
  commands
    .add<ScheduleFlags>(
      'schedule <workflow>',
      'start runs by the clock: by cron, or every so many seconds',
      (command) =>
        command
          .requiredOption('--id <name>', 'what the schedule is called')
          .option('--cron <expression>', 'minute, hour, day, month, weekday; or @daily …')
          .option('--timezone <zone>', 'in which the expression is meant (default: UTC)')
          .option('--every <seconds>', 'instead of --cron', wholeNumber)
          .option('-p, --params <json>', 'what each run gets, as JSON', '{}')
          .option('-a, --alias <name>', 'display name of the runs'),
      async ({ client, out }, { id, cron, timezone, every, params, alias }, name) => {
        if ((cron === undefined) === (every === undefined))
          throw new CliError("when? One of --cron '0 2 * * *' and --every 3600", exitCodes.usage);
        const made = await client.workflows.schedule(name as string, {
          id,
          ...(cron === undefined ? {} : { cron }),
          ...(timezone === undefined ? {} : { timezone }),
          ...(every === undefined ? {} : { every }),
          ...(alias === undefined ? {} : { name: alias }),
          input: jsonOption('-p', params) as never,
        });
        out.tell(made, `schedule ${made.id} of workflow ${name}: ${whenText(made)}`);
        return 0;
      },
      workflow,
    )
    .addHelpText(
      'after',
      '\nExamples:\n  pixyz workflow schedule nightly-batch --id every-night --cron \'0 2 * * *\' --timezone Europe/Paris\n  pixyz workflow schedule nightly-batch --id hourly --every 3600 -p \'{"folder": "/mnt/in"}\'',
    );

  commands.add(
    'schedules <workflow>',
    'the schedules of a workflow, with their next and last runs',
    (command) => command,
    async ({ client, out }, _flags, name) => {
      const list = await client.workflows.schedules(name as string);
      out.show(list, () =>
        table(
          ['SCHEDULE', 'WHEN', 'NEXT', 'LAST RUN'],
          list.schedules.map((one) => [
            one.id,
            one.paused ? out.paint('yellow', 'paused') : whenText(one),
            one.next[0] ?? '',
            one.runs[0]?.id ?? '',
          ]),
        ),
      );
      return 0;
    },
    workflow,
  );

  commands.add(
    'unschedule <workflow> <schedule>',
    'end a schedule; runs that it has started go on',
    (command) => command,
    async ({ client, out }, _flags, name, schedule) => {
      const ended = await client.workflows.unschedule(name as string, schedule as string);
      out.tell(ended, `schedule ${schedule} of workflow ${name} ended`);
      return 0;
    },
    workflow,
  );
}

function whenText({ cron, timezone, every }: Schedule): string {
  return cron === null ? `every ${every} s` : `${cron} ${timezone ?? 'UTC'}`;
}
